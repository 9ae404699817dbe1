import type { BridgeError, ErrorCode } from '../../../core/errors.ts';

/**
 * What follows from an error of a subscription (presence.md §B.3):
 *
 * - `resubscribe`: it is gone; a new one from the last watermark on, then the calendar is read again
 * - `begin-anew`: the same without the watermark, which is no good
 * - `hold-back`: Exchange grants no more of them; nothing new for a while, the rest is polled
 * - `alone`: the mailbox must not stand in one request or stream with others
 * - `wait`: the server as a whole is busy or away; everything waits, as long as it asks for
 * - `sign-in`: our credentials are refused; everything waits for minutes, or the account is locked
 * - `mailbox`: it is about this mailbox; tried again slowly, and said
 * - `other-way`: the server does not know this way of telling; the next one is tried
 * - `retry`: it may pass; this subscription is tried again with growing pauses
 */
export type ErrorAction = 'resubscribe' | 'begin-anew' | 'hold-back' | 'alone' | 'wait' | 'sign-in' | 'mailbox' | 'other-way' | 'retry';

/** By ResponseCode. */
const BY_RESPONSE_CODE: ReadonlyMap<string, ErrorAction> = new Map<string, ErrorAction>([
  ['ErrorSubscriptionNotFound', 'resubscribe'],
  ['ErrorExpiredSubscription', 'resubscribe'],
  ['ErrorInvalidSubscription', 'resubscribe'],
  ['ErrorSubscriptionUnsubscribed', 'resubscribe'],
  ['ErrorInvalidPullSubscriptionId', 'resubscribe'],
  ['ErrorReadEventsFailed', 'resubscribe'],
  // Another connection has taken the ids over: an older one of ours, or a second bridge.
  ['ErrorNewEventStreamConnectionOpened', 'retry'],
  ['ErrorInvalidWatermark', 'begin-anew'],
  ['ErrorEventNotFound', 'begin-anew'],
  ['ErrorMissedNotificationEvents', 'begin-anew'],
  ['ErrorExceededSubscriptionCount', 'hold-back'],
  ['ErrorExceededConnectionCount', 'hold-back'],
  ['ErrorProxyRequestNotAllowed', 'alone'],
  ['ErrorServerBusy', 'wait'],
  ['ErrorTooManyObjectsOpened', 'wait'],
  ['ErrorADUnavailable', 'wait'],
  ['ErrorImpersonateUserDenied', 'mailbox'],
  ['ErrorImpersonationDenied', 'mailbox'],
  ['ErrorImpersonationFailed', 'mailbox'],
  ['ErrorInvalidExchangeImpersonationHeaderData', 'mailbox'],
  ['ErrorNonExistentMailbox', 'mailbox'],
  ['ErrorNonPrimarySmtpAddress', 'mailbox'],
  ['ErrorMailboxStoreUnavailable', 'mailbox'],
  ['ErrorMailboxMoveInProgress', 'mailbox'],
  ['ErrorMailboxFailover', 'mailbox'],
  ['ErrorMailboxLogonFailed', 'mailbox'],
  ['ErrorAccessDenied', 'mailbox'],
  ['ErrorSubscriptionAccessDenied', 'mailbox'],
  ['ErrorSubscriptionDelegateAccessNotSupported', 'mailbox'],
  ['ErrorFolderNotFound', 'mailbox'],
  ['ErrorCannotFindUser', 'mailbox'],
  ['ErrorInvalidRequest', 'other-way'],
  ['ErrorSchemaValidation', 'other-way'],
  ['ErrorInvalidServerVersion', 'other-way'],
  ['ErrorInvalidSubscriptionRequest', 'other-way'],
  ['ErrorInvalidPushSubscriptionUrl', 'other-way'],
  ['ErrorInvalidOperation', 'other-way'],
  ['ErrorNotImplemented', 'other-way'],
  ['ErrorUnsupportedTypeForConversion', 'other-way'],
]);

/** Where there is no ResponseCode, or one that is not above. Total. */
const BY_CODE: Readonly<Record<ErrorCode, ErrorAction>> = {
  BACKEND_AUTH: 'sign-in',
  BACKEND_BUSY: 'wait',
  BACKEND_UNREACHABLE: 'wait',
  BACKEND_TLS: 'wait',
  BACKEND_REDIRECT: 'wait',
  DEADLINE: 'wait',
  // Half an answer, or one without end: the connection is bad, not the subscription.
  BACKEND_MALFORMED: 'retry',
  BACKEND_TOO_LARGE: 'retry',
  BACKEND_FAULT: 'retry',
  NO_DATA: 'retry',
  INTERNAL: 'retry',
  LOOP: 'retry',
  STORE_UNAVAILABLE: 'retry',
  MAILBOX_UNKNOWN: 'mailbox',
  MAILBOX_REFUSED: 'mailbox',
  ACCESS_DENIED: 'mailbox',
  NOT_FOUND: 'mailbox',
  UNSUPPORTED: 'other-way',
  CONFIGURATION: 'other-way',
  INVALID_REQUEST: 'other-way',
  INVALID_WINDOW: 'retry',
  TOO_MANY_MAILBOXES: 'retry',
  WINDOW_TOO_LARGE: 'retry',
  BODY_TOO_LARGE: 'retry',
  AUTH_REQUIRED: 'sign-in',
  AUTH_FAILED: 'sign-in',
  AUTH_EXPIRED: 'sign-in',
  TOO_MANY_ATTEMPTS: 'wait',
};

/**
 * A Fault that gives no code of Exchange's (`Client`, `Server`, nothing: grommunio), an operation that IIS or a proxy does not let through
 * (404, 405, 501): the server does not know what we ask.
 */
function isUnheardOf({ code, temporary, details }: BridgeError): boolean {
  const named = details['responseCode'];
  return code === 'BACKEND_FAULT' && !temporary && (typeof named === 'string' ? !named.startsWith('Error') : details['status'] !== undefined);
}

/** What is done about it. */
export function actionFor(error: BridgeError): ErrorAction {
  const responseCode = error.details['responseCode'];
  const known = typeof responseCode === 'string' ? BY_RESPONSE_CODE.get(responseCode) : undefined;
  return known ?? (isUnheardOf(error) ? 'other-way' : BY_CODE[error.code]);
}
