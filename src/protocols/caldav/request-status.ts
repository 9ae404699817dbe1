import type { ErrorCode } from '../../core/errors.ts';

/** What is said of one attendee (RFC 5546 §3.6): the calendar follows a success only. */
export type RequestStatus = '2.0;Success' | '3.7;Invalid calendar user' | '5.1;Service unavailable';

const NOBODY = '3.7;Invalid calendar user';
const AWAY = '5.1;Service unavailable';

/** Of an attendee for whom there is no answer. An unknown mailbox and one that the client may not ask about look the same; everything else may pass. */
export const REQUEST_STATUS_OF: Readonly<Record<ErrorCode, RequestStatus>> = {
  MAILBOX_UNKNOWN: NOBODY,
  MAILBOX_REFUSED: NOBODY,
  NOT_FOUND: NOBODY,
  ACCESS_DENIED: NOBODY,
  INVALID_REQUEST: AWAY,
  INVALID_WINDOW: AWAY,
  TOO_MANY_MAILBOXES: AWAY,
  WINDOW_TOO_LARGE: AWAY,
  BODY_TOO_LARGE: AWAY,
  AUTH_REQUIRED: AWAY,
  AUTH_FAILED: AWAY,
  AUTH_EXPIRED: AWAY,
  TOO_MANY_ATTEMPTS: AWAY,
  UNSUPPORTED: AWAY,
  LOOP: AWAY,
  NO_DATA: AWAY,
  BACKEND_UNREACHABLE: AWAY,
  BACKEND_TLS: AWAY,
  BACKEND_AUTH: AWAY,
  BACKEND_BUSY: AWAY,
  BACKEND_REDIRECT: AWAY,
  BACKEND_FAULT: AWAY,
  BACKEND_MALFORMED: AWAY,
  BACKEND_TOO_LARGE: AWAY,
  DEADLINE: AWAY,
  STORE_UNAVAILABLE: AWAY,
  CONFIGURATION: AWAY,
  INTERNAL: AWAY,
};
