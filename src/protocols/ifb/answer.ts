import { BridgeError } from '../../core/errors.ts';
import { retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import { challengesOf, schemesOf } from '../../platform/http-client/authenticate-challenges.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { decodeFreeBusyReply } from '../icalendar/free-busy-reply.ts';
import type { FreeBusyReply } from '../icalendar/free-busy-reply.ts';

/** What came of one GET. */
export interface IfbFetched {
  readonly reply: FreeBusyReply;
  readonly status: number;
  /** The server's clock, as its Date header says. */
  readonly date: string | undefined;
}

/**
 * Reads what a server said about one mailbox.
 *
 * @throws BridgeError MAILBOX_UNKNOWN (404, 410), NO_DATA (200 without a VFREEBUSY), MAILBOX_REFUSED (403), BACKEND_AUTH (401, 407), BACKEND_BUSY (429, 503),
 * BACKEND_REDIRECT, BACKEND_FAULT, BACKEND_MALFORMED, BACKEND_TOO_LARGE
 */
export async function readIfbAnswer(answer: HttpAnswer): Promise<FreeBusyReply> {
  const { status } = answer;
  const details = { status };
  if (status === 200) return decodeFreeBusyReply(new TextDecoder('utf-8').decode(answer.body));
  if (status === 404 || status === 410) throw new BridgeError('MAILBOX_UNKNOWN', 'the calendar system does not know the mailbox', { details });
  if (status === 403) throw new BridgeError('MAILBOX_REFUSED', 'the calendar system does not show this mailbox', { details });
  if (status === 401 || status === 407) {
    throw new BridgeError('BACKEND_AUTH', 'the calendar system refuses our credentials', { details: { ...details, offers: schemesOf(challengesOf(answer.headers['www-authenticate'])) } });
  }
  if (status === 429 || status === 503) {
    throw new BridgeError('BACKEND_BUSY', 'the calendar system is busy', { temporary: true, details, retryAfterMs: retryAfterMs(answer.headers) });
  }
  if (status >= 200 && status < 300) throw new BridgeError('NO_DATA', 'the answer holds no free/busy', { details });
  if (status >= 300 && status < 400) throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects nowhere', { details });
  throw new BridgeError('BACKEND_FAULT', 'the calendar system failed', { temporary: status >= 500, details });
}
