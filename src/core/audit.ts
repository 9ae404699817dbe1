/** Who did what to whom; for the audit log. Further members are short, and no secrets. */
export interface AuditEntry {
  /** `presence.opt-in`, `presence.opt-out`, `presence.language`, … */
  readonly what: string;
  readonly mailbox?: string | undefined;
  /** `client zimbra`, `command root`, `file`. */
  readonly by: string;
  /** `api`, `command`, `file`, `gateway`. */
  readonly via: string;
  readonly [detail: string]: string | number | boolean | undefined;
}

/** PORT. Takes down what somebody did. Returns at once and never throws; what cannot be written is said in the log. */
export interface Audit {
  record(entry: AuditEntry): void;
}

/** For tests. */
export const noAudit: Audit = { record: () => undefined };
