/**
 * The closed set of reasons for which the bridge does not give an answer.
 *
 * The first group is about the question, the second about one mailbox, the third about a calendar system behind us.
 * Every face owns one total table from these to its protocol's faults.
 */
export const ERROR_CODES = [
  // The question itself.
  'INVALID_REQUEST',
  'INVALID_WINDOW',
  'TOO_MANY_MAILBOXES',
  'WINDOW_TOO_LARGE',
  'BODY_TOO_LARGE',
  'AUTH_REQUIRED',
  'AUTH_FAILED',
  'AUTH_EXPIRED',
  'TOO_MANY_ATTEMPTS',
  'ACCESS_DENIED',
  'NOT_FOUND',
  'UNSUPPORTED',
  // One mailbox.
  'MAILBOX_UNKNOWN',
  'MAILBOX_REFUSED',
  'LOOP',
  'NO_DATA',
  // A calendar system behind the bridge.
  'BACKEND_UNREACHABLE',
  'BACKEND_TLS',
  'BACKEND_AUTH',
  'BACKEND_BUSY',
  'BACKEND_REDIRECT',
  'BACKEND_FAULT',
  'BACKEND_MALFORMED',
  'BACKEND_TOO_LARGE',
  'DEADLINE',
  // The bridge.
  /** Redis is away or full: a change cannot be stored, so it is not acknowledged. */
  'STORE_UNAVAILABLE',
  'CONFIGURATION',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Values that are safe to log: no subject, no credential, no URL with a query. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface BridgeErrorOptions {
  /** Worth trying again later; default: false. */
  readonly temporary?: boolean;
  readonly retryAfterMs?: number | undefined;
  /** Safe for logs and for the administrator's command line. */
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/**
 * Every failure that the bridge expects. Classified once, where the fact is known (the client that saw the response);
 * everything above branches on `code` and never on the text.
 *
 * `publicMessage` may be shown to any client: it names no host, no credential and no other mailbox.
 */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: ErrorCode;
  readonly publicMessage: string;
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, publicMessage: string, options: BridgeErrorOptions = {}) {
    super(`${code}: ${publicMessage}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.publicMessage = publicMessage;
    this.temporary = options.temporary ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
  }
}

/** Turns anything thrown into a BridgeError: a BridgeError stays itself, everything else is INTERNAL with its cause kept for the log. */
export function toBridgeError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown;
  return new BridgeError('INTERNAL', 'internal error', { cause: thrown });
}
