import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { charsetOf, retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { childText, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { XmlError, readXml } from '../../platform/xml/read.ts';
import { decodeEnvelope } from '../soap/envelope.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { decodeFault } from '../soap/fault.ts';
import { UNKNOWN_DOCUMENT } from './names.ts';

/** What came of one request. */
export interface ZimbraExchange {
  readonly response: XmlElement | undefined;
  /** The server's clock, as its Date header says. */
  readonly date: string | undefined;
}

/**
 * Reads a Zimbra server's answer: the element inside the Body. Faults come with status 500 (zimbra.md §1.1), a proxy before it
 * answers in HTML.
 *
 * @throws BridgeError BACKEND_AUTH (with `details.fault` where Zimbra said why), BACKEND_BUSY, BACKEND_FAULT, BACKEND_REDIRECT, BACKEND_MALFORMED
 */
export async function readZimbraAnswer(answer: HttpAnswer): Promise<XmlElement | undefined> {
  const { status } = answer;
  if (status !== 200 && status !== 500) throw refusedByStatus(answer);
  let envelope: SoapEnvelope;
  try {
    envelope = decodeEnvelope(await readXml(answer.body, { charset: charsetOf(answer.headers['content-type']) }));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    if (status === 500) throw new BridgeError('BACKEND_FAULT', 'the calendar system failed', { temporary: true, details: { status }, cause: error });
    throw new BridgeError('BACKEND_MALFORMED', 'the answer is no SOAP', { details: { status }, cause: error });
  }
  if (envelope.fault !== undefined) throw errorOfFault(envelope.fault);
  if (status === 500) throw new BridgeError('BACKEND_FAULT', 'the calendar system failed', { temporary: true, details: { status } });
  return envelope.body.children[0];
}

/** Zimbra's codes by what they mean to us (zimbra.md §1.5); every other one is BACKEND_FAULT. */
const CODE_OF_FAULT: Readonly<Record<string, ErrorCode>> = {
  'service.AUTH_REQUIRED': 'BACKEND_AUTH',
  'service.AUTH_EXPIRED': 'BACKEND_AUTH',
  'service.PERM_DENIED': 'BACKEND_AUTH',
  'account.AUTH_FAILED': 'BACKEND_AUTH',
  'account.ACCOUNT_INACTIVE': 'BACKEND_AUTH',
  'account.CHANGE_PASSWORD': 'BACKEND_AUTH',
  'account.MAINTENANCE_MODE': 'BACKEND_BUSY',
  'service.TEMPORARILY_UNAVAILABLE': 'BACKEND_BUSY',
  'service.WRONG_HOST': 'BACKEND_BUSY',
  'service.PROXY_ERROR': 'BACKEND_BUSY',
  'service.RESOURCE_UNREACHABLE': 'BACKEND_BUSY',
};

const MESSAGE: Partial<Record<ErrorCode, string>> = {
  BACKEND_AUTH: 'the calendar system refuses our account',
  BACKEND_BUSY: 'the calendar system is busy',
};

function errorOfFault(element: XmlElement): BridgeError {
  const fault = decodeFault(element);
  const said = childText(descend(fault.detail, 'Error'), 'Code') ?? '';
  // The reason's text may quote an account or a token; the code does not.
  const known = /^[a-z]{1,20}\.[A-Z_]{1,60}$/.test(said) ? said : 'unreadable';
  const code = Object.hasOwn(CODE_OF_FAULT, known) ? CODE_OF_FAULT[known]! : 'BACKEND_FAULT';
  const temporary = code === 'BACKEND_BUSY' || (code === 'BACKEND_FAULT' && fault.code !== 'Sender' && fault.code !== 'Client');
  const lost = LOST_PLACE.test(fault.reason) ? { lostPlace: true } : {};
  return new BridgeError(code, MESSAGE[code] ?? 'the calendar system failed', { temporary, details: { fault: known, ...lost } });
}

/** How Zimbra says, under codes that mean anything, that a WaitSet's sequence cannot be taken up again (RedoLog gone, CommitId unreadable). */
const LOST_PLACE = /unable to sync to commit id|invalid commitid/i;

function refusedByStatus({ status, headers }: HttpAnswer): BridgeError {
  const details = { status };
  if (status === 401 || status === 403) return new BridgeError('BACKEND_AUTH', 'the calendar system refuses our account', { details });
  if (status === 429 || (status >= 502 && status <= 504)) {
    throw new BridgeError('BACKEND_BUSY', 'the calendar system is busy', { temporary: true, details, retryAfterMs: retryAfterMs(headers) });
  }
  if (status >= 300 && status < 400) return new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects nowhere', { details });
  return new BridgeError('BACKEND_FAULT', 'the calendar system failed', { temporary: status >= 500, details });
}

/** Whether Zimbra says that the token, not the account, is no good any more: signing in again may help. */
export function isTokenRefusal(error: unknown): boolean {
  const fault = error instanceof BridgeError ? error.details['fault'] : undefined;
  return fault === 'service.AUTH_REQUIRED' || fault === 'service.AUTH_EXPIRED';
}

/** Whether the server does not have the operation at all. */
export function isUnknownOperation(error: unknown): boolean {
  return error instanceof BridgeError && error.details['fault'] === UNKNOWN_DOCUMENT;
}
