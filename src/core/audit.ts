/** Who changes something, as the audit log has it: `client zimbra`, `command root`, `administrator`, `file`. */
export interface Actor {
  readonly by: string;
  /** `api`, `command`, `file`, `gateway`. */
  readonly via: string;
}

/** Who did what to whom; for the audit log. Further members are short, and no secrets. */
export interface AuditEntry {
  /** `presence.opt-in`, `privacy.opt-out`, `lookup`, … */
  readonly what: string;
  readonly mailbox?: string | undefined;
  /** See Actor. */
  readonly by: string;
  /** See Actor; of a lookup the face. */
  readonly via: string;
  /** Lists are of addresses, LIMITS.auditedMailboxes at most. */
  readonly [detail: string]: string | number | boolean | readonly string[] | undefined;
}

/** PORT. Takes down what somebody did. Returns at once and never throws; what cannot be written is said in the log. */
export interface Audit {
  record(entry: AuditEntry): void;
}

/** For tests. */
export const noAudit: Audit = { record: () => undefined };
