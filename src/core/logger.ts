/**
 * The only fields a log line may carry. platform/log.ts drops every other key, so that a subject, a token or a URL
 * cannot slip in by accident.
 */
export interface LogFields {
  readonly requestId?: string | undefined;
  readonly client?: string | undefined;
  readonly face?: string | undefined;
  readonly operation?: string | undefined;
  readonly system?: string | undefined;
  readonly protocol?: string | undefined;
  readonly mailbox?: string | undefined;
  readonly mailboxes?: number | undefined;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly status?: number | undefined;
  readonly method?: string | undefined;
  readonly address?: string | undefined;
  readonly listener?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly bytes?: number | undefined;
  readonly hops?: number | undefined;
  readonly version?: string | undefined;
  readonly count?: number | undefined;
  /** `zimbra → exchange` */
  readonly route?: string | undefined;
  readonly attempt?: number | undefined;
  /** Of a change, from its storing. */
  readonly ageMs?: number | undefined;
  readonly outcome?: string | undefined;
  readonly stack?: string | undefined;
}

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** For tests and for commands that print their own result. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
