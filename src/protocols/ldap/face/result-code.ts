import type { BridgeError, ErrorCode } from '../../../core/errors.ts';
import { RESULT } from '../names.ts';
import type { ResultCode } from '../names.ts';
import type { Result } from './result-message.ts';

/** Total over ErrorCode. Those about calendars and their systems cannot come up here; if one does, the fault is ours. */
export const RESULT_CODE_OF: Readonly<Record<ErrorCode, ResultCode>> = {
  INVALID_REQUEST: RESULT.protocolError,
  INVALID_WINDOW: RESULT.other,
  TOO_MANY_MAILBOXES: RESULT.adminLimitExceeded,
  WINDOW_TOO_LARGE: RESULT.other,
  BODY_TOO_LARGE: RESULT.adminLimitExceeded,
  // Before a bind. Active Directory says operationsError and OpenLDAP insufficientAccess; clients take both for "sign in".
  AUTH_REQUIRED: RESULT.insufficientAccessRights,
  AUTH_FAILED: RESULT.invalidCredentials,
  AUTH_EXPIRED: RESULT.invalidCredentials,
  TOO_MANY_ATTEMPTS: RESULT.busy,
  ACCESS_DENIED: RESULT.insufficientAccessRights,
  NOT_FOUND: RESULT.noSuchObject,
  UNSUPPORTED: RESULT.unwillingToPerform,
  MAILBOX_UNKNOWN: RESULT.noSuchObject,
  MAILBOX_REFUSED: RESULT.insufficientAccessRights,
  LOOP: RESULT.other,
  NO_DATA: RESULT.other,
  BACKEND_UNREACHABLE: RESULT.unavailable,
  BACKEND_TLS: RESULT.unavailable,
  BACKEND_AUTH: RESULT.unavailable,
  BACKEND_BUSY: RESULT.busy,
  BACKEND_REDIRECT: RESULT.unavailable,
  BACKEND_FAULT: RESULT.unavailable,
  BACKEND_MALFORMED: RESULT.unavailable,
  BACKEND_TOO_LARGE: RESULT.unavailable,
  DEADLINE: RESULT.timeLimitExceeded,
  STORE_UNAVAILABLE: RESULT.unavailable,
  CONFIGURATION: RESULT.other,
  INTERNAL: RESULT.other,
};

/** The result with which an operation ends that failed. */
export function resultOf({ code, publicMessage }: BridgeError): Result {
  return { code: RESULT_CODE_OF[code], message: publicMessage };
}
