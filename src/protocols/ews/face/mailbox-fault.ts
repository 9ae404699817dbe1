import type { BridgeError, ErrorCode } from '../../../core/errors.ts';
import type { Asked } from '../../../freebusy/ask-mailboxes.ts';

/** ResponseCode and MessageText of one mailbox that has no answer. */
export interface MailboxFault {
  readonly code: string;
  readonly text: string;
}

type Words = (address: string) => MailboxFault;

/** Unknown, hidden from this client and asked back by their own home all look the same: nobody learns who exists. */
const NOT_FOUND: Words = (address) => ({ code: 'ErrorMailRecipientNotFound', text: `Unable to resolve e-mail address ${address} to an Active Directory object.` });
/** The mailbox's own system denies it to the bridge: its owner or administrator does, and may be asked. A stock Zimbra shows it as "no permission". */
const NO_ACCESS: Words = () => ({ code: 'ErrorNoFreeBusyAccess', text: 'The caller does not have access to free/busy data.' });
const NOT_GENERATED: Words = () => ({ code: 'ErrorFreeBusyGenerationFailed', text: 'Unable to generate free/busy data for the mailbox.' });
const FAR_SIDE: Words = () => ({ code: 'ErrorProxyRequestProcessingFailed', text: 'Unable to get free/busy data from the calendar system of the mailbox.' });
const BUSY: Words = () => ({ code: 'ErrorServerBusy', text: 'The calendar system of the mailbox cannot service this request right now. Try again later.' });
const TIMEOUT: Words = () => ({ code: 'ErrorTimeoutExpired', text: 'Unable to get free/busy data for the mailbox in time.' });

/** Every reason for which one mailbox has no answer. */
const WORDS: Readonly<Record<ErrorCode, Words>> = {
  INVALID_REQUEST: NOT_GENERATED,
  INVALID_WINDOW: NOT_GENERATED,
  TOO_MANY_MAILBOXES: NOT_GENERATED,
  WINDOW_TOO_LARGE: NOT_GENERATED,
  BODY_TOO_LARGE: NOT_GENERATED,
  AUTH_REQUIRED: NOT_FOUND,
  AUTH_FAILED: NOT_FOUND,
  AUTH_EXPIRED: NOT_FOUND,
  TOO_MANY_ATTEMPTS: BUSY,
  ACCESS_DENIED: NOT_FOUND,
  NOT_FOUND,
  UNSUPPORTED: NOT_GENERATED,
  MAILBOX_UNKNOWN: NOT_FOUND,
  MAILBOX_REFUSED: NO_ACCESS,
  LOOP: NOT_FOUND,
  NO_DATA: NOT_GENERATED,
  BACKEND_UNREACHABLE: FAR_SIDE,
  BACKEND_TLS: FAR_SIDE,
  BACKEND_AUTH: FAR_SIDE,
  BACKEND_BUSY: BUSY,
  BACKEND_REDIRECT: FAR_SIDE,
  BACKEND_FAULT: FAR_SIDE,
  BACKEND_MALFORMED: FAR_SIDE,
  BACKEND_TOO_LARGE: FAR_SIDE,
  DEADLINE: TIMEOUT,
  STORE_UNAVAILABLE: NOT_GENERATED,
  CONFIGURATION: NOT_GENERATED,
  INTERNAL: NOT_GENERATED,
};

/** What one mailbox without an answer is told. What is no address at all says so; what only cannot name a mailbox of ours is unknown. */
export function mailboxFault(asked: Asked, error: BridgeError): MailboxFault {
  const address = asked.text.slice(0, SHOWN_CHARACTERS);
  if (asked.mailbox === undefined && !address.includes('@')) return { code: 'ErrorInvalidSmtpAddress', text: `The e-mail address '${address}' is not a valid SMTP address.` };
  return WORDS[error.code](address);
}

/** An address is 254 at most; what is longer is none. */
const SHOWN_CHARACTERS = 260;
