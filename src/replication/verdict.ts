import type { BridgeError, ErrorCode } from '../core/errors.ts';

/**
 * What becomes of a mailbox whose turn failed.
 *
 * - `retry`: it will pass; tried again for ever, with growing pauses.
 * - `doubtful`: it may pass; tried a few times, then failed.
 * - `block`: the server refuses us as a whole, and more of the same may lock the account: nobody is tried for a while.
 * - `stop`: it stays as it is until the mailbox changes or an administrator says so.
 */
export type Verdict = 'retry' | 'doubtful' | 'block' | 'stop';

/** Of an error that is not `temporary`. */
const VERDICTS: Readonly<Record<ErrorCode, Verdict>> = {
  INVALID_REQUEST: 'stop',
  INVALID_WINDOW: 'stop',
  TOO_MANY_MAILBOXES: 'stop',
  WINDOW_TOO_LARGE: 'stop',
  BODY_TOO_LARGE: 'stop',
  AUTH_REQUIRED: 'stop',
  AUTH_FAILED: 'stop',
  AUTH_EXPIRED: 'stop',
  TOO_MANY_ATTEMPTS: 'stop',
  ACCESS_DENIED: 'stop',
  NOT_FOUND: 'stop',
  UNSUPPORTED: 'stop',
  MAILBOX_UNKNOWN: 'stop',
  MAILBOX_REFUSED: 'stop',
  LOOP: 'stop',
  NO_DATA: 'stop',
  BACKEND_UNREACHABLE: 'retry',
  BACKEND_TLS: 'block',
  BACKEND_AUTH: 'block',
  BACKEND_BUSY: 'retry',
  BACKEND_REDIRECT: 'block',
  BACKEND_FAULT: 'stop',
  BACKEND_MALFORMED: 'doubtful',
  BACKEND_TOO_LARGE: 'doubtful',
  DEADLINE: 'retry',
  STORE_UNAVAILABLE: 'retry',
  CONFIGURATION: 'block',
  INTERNAL: 'doubtful',
};

/** Which it is. A refusal of us as a whole blocks even where it calls itself temporary; a 403 is about one message, not about the account. */
export function verdictOf(error: BridgeError): Verdict {
  const verdict = VERDICTS[error.code];
  const isAboutOneMessage = error.code === 'BACKEND_AUTH' && error.details['status'] === 403;
  if (verdict === 'block' && !isAboutOneMessage) return 'block';
  if (error.temporary) return 'retry';
  return isAboutOneMessage ? 'stop' : verdict;
}
