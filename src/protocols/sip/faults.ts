import { SECOND_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { connectionError } from '../../platform/http-client/connection-error.ts';
import { deltaSeconds } from './header-value.ts';
import { headerOf } from './message.ts';
import type { SipResponse } from './message.ts';

interface Judgement {
  readonly code: ErrorCode;
  readonly text: string;
  readonly advice: string;
  readonly temporary?: boolean;
}

/**
 * A response that is no success as an error; total. CONFIGURATION where the server takes no presence at all, the rest is about the mailbox. What a 401, 407, 412 or 423 means is tried before.
 */
export function responseFailure(response: SipResponse): BridgeError {
  const { status } = response;
  const { code, text, advice, temporary = false } = STATUSES[status] ?? byClass(status);
  const seconds = deltaSeconds(headerOf(response, 'retry-after'));
  const fault = response.reason.replace(/[\p{C}\s]+/gu, ' ').trim().slice(0, FAULT_CHARACTERS);
  return new BridgeError(code, text, { temporary, ...(seconds === undefined ? {} : { retryAfterMs: seconds * SECOND_MS }), details: { status, ...(fault === '' ? {} : { fault }), advice } });
}

const FAULT_CHARACTERS = 200;

const NO_PRESENCE: Judgement = { code: 'CONFIGURATION', text: 'the server takes no presence publications', advice: 'let it handle PUBLISH with Event: presence (Kamailio: presence and presence_xml), or give another server' };
const UNKNOWN: Judgement = { code: 'MAILBOX_UNKNOWN', text: 'the presence server does not know the user', advice: 'give the user the mail address as its SIP address there' };
const REFUSED: Judgement = { code: 'MAILBOX_REFUSED', text: 'the presence server does not let us publish for the user', advice: 'let the bridge’s account or address publish for others' };
const BUSY: Judgement = { code: 'BACKEND_BUSY', text: 'the presence server is busy', advice: 'try again later', temporary: true };
const SILENT: Judgement = { code: 'BACKEND_UNREACHABLE', text: 'the presence server reaches nobody who answers', advice: 'see the log of the server', temporary: true };
const LOOPS: Judgement = { code: 'BACKEND_FAULT', text: 'the presence server sends publications in a circle', advice: 'let it handle PUBLISH for the domain itself' };
const LOST: Judgement = { code: 'BACKEND_FAULT', text: 'the presence server does not know its own entity tags', advice: 'do several servers without a common store stand behind the address?', temporary: true };

const STATUSES: Readonly<Record<number, Judgement | undefined>> = {
  401: { code: 'BACKEND_AUTH', text: 'the presence server wants a sign-in', advice: 'check username and password' },
  403: REFUSED,
  404: UNKNOWN,
  405: NO_PRESENCE,
  407: { code: 'BACKEND_AUTH', text: 'a proxy wants a sign-in', advice: 'check username and password' },
  408: SILENT,
  410: UNKNOWN,
  412: LOST,
  415: { code: 'CONFIGURATION', text: 'the server takes no PIDF documents', advice: 'let it take application/pidf+xml' },
  480: SILENT,
  482: LOOPS,
  483: LOOPS,
  484: UNKNOWN,
  485: UNKNOWN,
  486: BUSY,
  489: NO_PRESENCE,
  491: BUSY,
  500: { code: 'BACKEND_FAULT', text: 'the presence server failed', advice: 'see the log of the server', temporary: true },
  501: NO_PRESENCE,
  503: BUSY,
  504: SILENT,
  513: { code: 'BACKEND_FAULT', text: 'the presence server takes no message of that size', advice: 'let it take messages of 4 KB' },
  600: BUSY,
  603: REFUSED,
  604: UNKNOWN,
};

function byClass(status: number): Judgement {
  if (status < 200) return { code: 'BACKEND_MALFORMED', text: 'the presence server answered with a provisional response only', advice: 'see the log of the server', temporary: true };
  if (status < 300) return { code: 'BACKEND_MALFORMED', text: 'the presence server’s answer lacks what it must have', advice: 'see the log of the server', temporary: true };
  if (status < 400) return { code: 'BACKEND_REDIRECT', text: 'the presence server refers to another server', advice: 'give that server' };
  if (status >= 500 && status < 600) return { code: 'BACKEND_FAULT', text: 'the presence server failed', advice: 'see the log of the server', temporary: true };
  return { code: 'BACKEND_FAULT', text: 'the presence server refused', advice: 'see the log of the server' };
}

/** Classifies what a socket, DNS or TLS threw; `details.reason` is its code. */
export function connectionFailure(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown;
  const { code, details } = connectionError(thrown);
  const reason = String(details['reason']);
  if (reason === 'ABORT_ERR') return new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: thrown });
  if (code === 'BACKEND_TLS') return new BridgeError('BACKEND_TLS', 'the presence server could not be trusted', { cause: thrown, details });
  return new BridgeError('BACKEND_UNREACHABLE', 'the presence server cannot be reached', { temporary: true, cause: thrown, details });
}

/** Timer F fired (RFC 3261 §17.1.2.2). */
export function noAnswer(): BridgeError {
  return new BridgeError('BACKEND_UNREACHABLE', 'the presence server does not answer', { temporary: true, details: { reason: 'ETIMEDOUT' } });
}
