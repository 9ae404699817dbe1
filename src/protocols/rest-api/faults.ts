import type { BridgeError, ErrorCode } from '../../core/errors.ts';

/** The status with which a whole request fails. Failures of one mailbox stand in the results of a 200. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  INVALID_WINDOW: 400,
  TOO_MANY_MAILBOXES: 400,
  WINDOW_TOO_LARGE: 400,
  BODY_TOO_LARGE: 413,
  AUTH_REQUIRED: 401,
  AUTH_FAILED: 401,
  AUTH_EXPIRED: 401,
  TOO_MANY_ATTEMPTS: 429,
  ACCESS_DENIED: 403,
  NOT_FOUND: 404,
  UNSUPPORTED: 501,
  MAILBOX_UNKNOWN: 404,
  MAILBOX_REFUSED: 404,
  LOOP: 508,
  NO_DATA: 503,
  BACKEND_UNREACHABLE: 503,
  BACKEND_TLS: 503,
  BACKEND_AUTH: 503,
  BACKEND_BUSY: 503,
  BACKEND_REDIRECT: 503,
  BACKEND_FAULT: 503,
  BACKEND_MALFORMED: 503,
  BACKEND_TOO_LARGE: 503,
  DEADLINE: 503,
  CONFIGURATION: 500,
  INTERNAL: 500,
};

/** `{"code", "message"}`: what a client is told of an error, in a result and as the body of a refusal. */
export function encodeError(error: BridgeError): { readonly code: ErrorCode; readonly message: string } {
  return { code: error.code, message: error.publicMessage };
}
