import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Authentication } from '../../platform/http-client/authentication.ts';
import { charsetOf, retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { readXml, XmlError } from '../../platform/xml/read.ts';
import { decodeEnvelope } from '../soap/envelope.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { decodeFaultError } from './response-message.ts';

type Answer = Pick<HttpAnswer, 'status' | 'headers' | 'body' | 'refusal'>;

/** What a status means that comes without SOAP, and what an administrator does about it. */
interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly temporary?: true;
  readonly hint?: string;
}

const SIGN_IN = 'the calendar system refuses the sign-in of the bridge';
const URL_HINT = 'url must be https://…/EWS/Exchange.asmx of a server that has the EWS virtual directory';
const FAULT = { code: 'BACKEND_FAULT', message: 'the calendar system refused the request' } as const;
const BUSY: Meaning = { code: 'BACKEND_BUSY', message: 'the calendar system is too busy', temporary: true, hint: 'raise the throttling policy of the account (New-ThrottlingPolicy -EwsMaxConcurrency …), or name more accounts' };

/**
 * By status (exchange.md §3.7). One table for all operations; what is not here is BACKEND_FAULT, temporary from 502 on. Where the meaning depends on
 * the body or on the way of signing in, `refinedHint` says more.
 */
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  400: { ...FAULT, hint: 'a proxy or IIS finds the request itself wrong: see whether something in between rewrites it' },
  401: { code: 'BACKEND_AUTH', message: SIGN_IN },
  403: { code: 'BACKEND_AUTH', message: SIGN_IN, hint: 'check EwsApplicationAccessPolicy, EwsAllowList and EwsEnabled of the organisation and of the account (Get-OrganizationConfig, Get-CASMailbox); the name to allow is freebusy-bridge' },
  404: { ...FAULT, hint: URL_HINT },
  405: { ...FAULT, hint: URL_HINT },
  407: { ...FAULT, hint: 'a proxy in between wants a sign-in of its own: let the bridge reach the server without it' },
  408: { ...FAULT, temporary: true },
  413: { ...FAULT, message: 'the request is too large for the calendar system', hint: 'raise maxAllowedContentLength of IIS, or the limit of the proxy in between' },
  425: { ...FAULT, temporary: true },
  429: BUSY,
  // Outlook on the web's "log in again": form-based authentication stands before EWS.
  440: { code: 'BACKEND_AUTH', message: SIGN_IN, hint: 'a form logon stands before EWS: let /EWS/ through to Exchange without it' },
  // Exchange Online: the account is blocked, or must sign in another way first (conditional access).
  456: { code: 'BACKEND_AUTH', message: SIGN_IN, hint: 'the sign-in of the account is blocked: look at its sign-in log, and at conditional access; Exchange Online takes only auth: oauth' },
  500: { code: 'BACKEND_FAULT', message: 'the calendar system failed', temporary: true, hint: 'look into the application log of the server: EWS itself could not start' },
  501: { ...FAULT, hint: URL_HINT },
  502: { ...FAULT, temporary: true, hint: 'the proxy or load balancer does not reach the Exchange behind it' },
  // IIS itself, where the application pool has stopped, says so in the same way.
  503: { ...BUSY, hint: 'is the application pool of EWS running (MSExchangeServicesAppPool)? If it is, raise the throttling policy of the account (New-ThrottlingPolicy -EwsMaxConcurrency …), or name more accounts' },
  504: { ...FAULT, temporary: true, hint: 'the proxy or load balancer waited for the Exchange behind it in vain' },
};

const REDIRECT: Meaning = { code: 'BACKEND_REDIRECT', message: 'the calendar system redirects without saying where', hint: 'put the endpoint itself into url; a redirect to /owa/ means that a logon page stands before EWS' };

/** A body beside which no SOAP is looked for: whoever answers so has not let us through to EWS. */
const NEVER_SOAP: ReadonlySet<number> = new Set([401, 403, 407, 440, 456]);

/**
 * Classifies an HTTP answer, once for all operations, and reads its envelope; a Fault in it is the caller's to read, because
 * it comes with status 500 (Exchange) and with 200 (grommunio), and behind some proxies with others.
 *
 * @param kind how we signed in, for the advice
 * @throws BridgeError BACKEND_AUTH (401, 403, 440, 456), BACKEND_BUSY (429, 503), BACKEND_REDIRECT,
 *   BACKEND_FAULT (every other status without an envelope), BACKEND_MALFORMED (200 with HTML or with half a document)
 */
export async function decodeAnswer(answer: Answer, kind?: Authentication['kind']): Promise<SoapEnvelope> {
  const { status, headers } = answer;
  if (status === 200) return readEnvelope(answer);
  if (answer.refusal !== undefined) throw answer.refusal;
  const envelope = mayBeSoap(answer) ? await readEnvelope(answer).catch(ignoreUnreadable) : undefined;
  if (envelope !== undefined && (status === 500 || envelope.fault !== undefined) && status !== 429 && status !== 503) return envelope;
  const meaning = BY_STATUS[status] ?? (status >= 300 && status < 400 ? REDIRECT : { ...FAULT, ...(status > 500 ? { temporary: true as const } : {}) });
  const hint = refinedHint(answer, kind) ?? meaning.hint;
  const isTooLarge = status === 413 || hasSubStatus(answer, '404.13');
  const waitMs = meaning.code === 'BACKEND_BUSY' ? (backOffIn(envelope) ?? retryAfterMs(headers)) : undefined;
  throw new BridgeError(meaning.code, meaning.message, {
    temporary: meaning.temporary ?? false,
    details: { status, ...(hint === undefined ? {} : { hint }), ...(envelope === undefined ? {} : { isSoap: true }), ...(isTooLarge ? { isTooLarge } : {}) },
    ...(waitMs === undefined ? {} : { retryAfterMs: Math.min(waitMs, LIMITS.ewsLongestBackOffMs) }),
  });
}

/** @throws BridgeError BACKEND_MALFORMED */
async function readEnvelope({ status, headers, body }: Answer): Promise<SoapEnvelope> {
  try {
    return decodeEnvelope(await readXml(body, { charset: charsetOf(headers['content-type']) }));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const seen = looksLike(body);
    // The parser's own words may quote the document, and with it a subject: they stay in the cause.
    throw new BridgeError('BACKEND_MALFORMED', 'the answer is not SOAP', { details: { status, looksLike: seen, hint: MALFORMED_HINTS[seen] }, cause: error });
  }
}

const MALFORMED_HINTS = {
  HTML: 'a page answers where EWS should, a logon page or one of a proxy: see that url ends in /EWS/Exchange.asmx, and let /EWS/ through to Exchange without a form logon',
  XML: 'the answer broke off, or another service answers there: check that url ends in /EWS/Exchange.asmx',
  nothing: 'an empty answer: something in between swallows it, or EWS is not installed there',
  'something else': 'check that url ends in /EWS/Exchange.asmx and that no proxy answers there',
} as const;

function ignoreUnreadable(error: unknown): undefined {
  if (!(error instanceof BridgeError)) throw error;
  return undefined;
}

function mayBeSoap({ status, body }: Answer): boolean {
  return status >= 400 && !NEVER_SOAP.has(status) && looksLike(body) !== 'HTML' && body.length > 0;
}

function backOffIn(envelope: SoapEnvelope | undefined): number | undefined {
  return envelope?.fault === undefined ? undefined : decodeFaultError(envelope.fault).retryAfterMs;
}

/** Advice that depends on more than the status. */
function refinedHint(answer: Answer, kind: Authentication['kind'] | undefined): string | undefined {
  if (answer.status === 401) return signInHint(answer.headers['www-authenticate'] ?? '', kind);
  if (hasSubStatus(answer, '404.13')) return BY_STATUS[413]!.hint;
  if (hasSubStatus(answer, '403.4')) return 'the server wants TLS: url must begin with https';
  if (hasSubStatus(answer, '403.7')) return 'the server wants a client certificate for /EWS/: set its SSL settings to ignore';
  return undefined;
}

/** By what the server offers in its 401 (RFC 9110 §11.6.1). */
function signInHint(offered: string, kind: Authentication['kind'] | undefined): string {
  const schemes = ['Basic', 'NTLM', 'Negotiate', 'Bearer'].filter((one) => new RegExp(`(?:^|[\\s,])${one}(?:[\\s,]|$)`, 'i').test(offered));
  const list = schemes.length === 0 ? 'no way of signing in that we know' : schemes.join(', ');
  const takes = (...wanted: readonly string[]): boolean => wanted.some((one) => schemes.includes(one));
  if (kind === 'basic' && !takes('Basic') && schemes.length > 0) {
    const other = takes('NTLM', 'Negotiate') ? 'auth: ntlm' : 'auth: oauth';
    return `the server offers ${list}: set ${other}, or enable Basic on the EWS virtual directory (Set-WebServicesVirtualDirectory -BasicAuthentication $true)`;
  }
  if (kind === 'ntlm' && !takes('NTLM', 'Negotiate')) return `the server offers ${list}: set ${takes('Bearer') && !takes('Basic') ? 'auth: oauth' : 'auth: basic'}, or enable Windows authentication on the EWS virtual directory`;
  if (kind === 'ntlm') return `check username and password; the server offers ${list}; behind a proxy that ends TLS, Extended Protection refuses NTLM (Set-WebServicesVirtualDirectory -ExtendedProtectionTokenChecking)`;
  if (kind === 'bearer' && !takes('Bearer')) return `the server offers ${list}: it does not take tokens (Enable modern authentication: Set-OrganizationConfig -OAuth2ClientProfileEnabled $true), or set another auth`;
  if (kind === 'bearer') return 'the token is refused: check scope, tenant and the permission full_access_as_app, and that impersonate names a mailbox';
  return 'check username and password, that Basic is enabled on the EWS virtual directory, and that EwsApplicationAccessPolicy lets us in';
}

/** IIS writes its sub-status into the page (`HTTP Error 404.13 - Not Found`). */
function hasSubStatus({ status, body }: Answer, subStatus: string): boolean {
  if (!subStatus.startsWith(`${status}.`)) return false;
  return new RegExp(`\\b${subStatus.replace('.', '\\.')}(?!\\d)`).test(body.subarray(0, LIMITS.answerHeadBytes).toString('latin1'));
}

/** Enough to tell an administrator that a logon page answered. */
function looksLike(body: Buffer): keyof typeof MALFORMED_HINTS {
  const head = body.subarray(0, 300).toString('latin1');
  if (/^\s*<(?:!doctype\s+html|html)\b/i.test(head)) return 'HTML';
  return /^(?:\xef\xbb\xbf)?\s*</.test(head) ? 'XML' : body.length === 0 ? 'nothing' : 'something else';
}
