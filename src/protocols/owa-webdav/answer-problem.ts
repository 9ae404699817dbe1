import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';

/** What of an HTTP answer is looked at. */
export interface AnswerHead extends Pick<HttpAnswer, 'status' | 'headers' | 'body' | 'url'> {
  /** The server does accept these credentials: a 401 is about what was asked for (exchange.md §2.2: no rights). */
  readonly isLetIn?: boolean;
  /** How the bridge signs in there; decides what is to be done about a refusal. */
  readonly auth?: 'basic' | 'form' | 'ntlm';
}

/** What an answer that was not hoped for is about: the account (no other server would say anything else), the server, or what was asked for. */
export type ProblemAbout = 'account' | 'server' | 'place';

interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly about: ProblemAbout;
  readonly hint?: string;
  readonly temporary?: true;
}

/** Every way in which an OWA server was seen to say no, and what an administrator can do: exchange.md §2.4, §2.6, §7. */
const MEANINGS = {
  'logon-page': { code: 'BACKEND_AUTH', about: 'server', message: 'the server answers with its logon page', hint: 'set auth: form' },
  'logon-page-again': { code: 'BACKEND_AUTH', about: 'server', message: 'the server answers with its logon page', hint: 'check username and password in a browser' },
  'logon-timeout': { code: 'BACKEND_AUTH', about: 'server', message: 'the server says that the logon has timed out (440)', hint: 'set auth: form' },
  'logon-timeout-again': { code: 'BACKEND_AUTH', about: 'server', message: 'the server says that the logon has timed out (440)', hint: 'it forgets logons at once: look at its clock, and for a load balancer that sends every request to another server' },
  'no-right': { code: 'BACKEND_AUTH', about: 'place', message: 'the server lets the account in, but not there (401)', hint: 'give the account the right' },
  'ntlm-only': { code: 'BACKEND_AUTH', about: 'server', message: 'the server offers no Basic authentication', hint: 'set auth: ntlm, or switch Basic on for the virtual directory' },
  'basic-only': { code: 'BACKEND_AUTH', about: 'server', message: 'the server offers no NTLM', hint: 'set auth: basic, or switch integrated Windows authentication on for the virtual directory' },
  'other-scheme': { code: 'BACKEND_AUTH', about: 'server', message: 'the server offers no Basic authentication', hint: 'switch Basic or integrated Windows authentication on for the virtual directory' },
  'wrong-credentials': { code: 'BACKEND_AUTH', about: 'account', message: 'the server refuses the credentials', hint: 'check username and password' },
  'https-required': { code: 'BACKEND_AUTH', about: 'server', message: 'the server wants https (403.4)', hint: 'write https:// in the url' },
  'client-certificate': { code: 'BACKEND_AUTH', about: 'server', message: 'the server wants a certificate of the client (403.7)', hint: 'let the virtual directory ignore client certificates' },
  forbidden: { code: 'BACKEND_AUTH', about: 'place', message: 'the server forbids it (403)', hint: 'give the account the right' },
  'forbidden-by-http': { code: 'BACKEND_AUTH', about: 'place', message: 'the server forbids it (403)', hint: 'over http 403.4 means that it wants https; else give the account the right' },
  'query-too-long': { code: 'BACKEND_FAULT', about: 'server', message: 'the server finds the query too long (404.15)', hint: 'raise maxQueryString of request filtering for /public to 2048' },
  'escaped-twice': { code: 'BACKEND_FAULT', about: 'server', message: 'the server takes the + of SCHEDULE+ FREE BUSY for an attack (404.11)', hint: 'set allowDoubleEscaping="true" in request filtering for /public' },
  missing: { code: 'BACKEND_FAULT', about: 'place', message: 'the server has nothing there (404)', hint: 'is /public a virtual directory of this server? IIS also says so for long queries (404.15) and for %2B (404.11)' },
  busy: { code: 'BACKEND_BUSY', about: 'server', message: 'the calendar system is busy', temporary: true },
  'no-store': { code: 'BACKEND_FAULT', about: 'server', message: 'the calendar system failed', hint: 'a server without a public folder database answers so: name one that has it in `url`, which may be a list', temporary: true },
  failed: { code: 'BACKEND_FAULT', about: 'server', message: 'the calendar system failed', temporary: true },
  redirect: { code: 'BACKEND_REDIRECT', about: 'server', message: 'the calendar system redirects without saying where to', hint: 'check the url' },
  unexpected: { code: 'BACKEND_MALFORMED', about: 'server', message: 'the calendar system answers with an unexpected status', hint: 'is this an Exchange 2000, 2003 or 2007?' },
  'web-page': { code: 'BACKEND_MALFORMED', about: 'server', message: 'the calendar system answers with a web page', hint: 'the url must be the root of the server that has /public' },
} as const satisfies Readonly<Record<string, Meaning>>;

/** Which of the ways an answer is. */
export type AnswerKind = keyof typeof MEANINGS;

/**
 * Why an answer is not the one hoped for; undefined where it is.
 *
 * @param expected 200 for commands, 207 for PROPFIND
 */
export function problemOf(answer: AnswerHead, expected: 200 | 207): BridgeError | undefined {
  const kind = kindOf(answer, expected);
  return kind === undefined ? undefined : problem(kind, answer);
}

/** The error of that kind; `details.about` says what it is about. */
export function problem(kind: AnswerKind, answer: Pick<AnswerHead, 'status' | 'headers'>): BridgeError {
  const { code, message, about, hint, temporary }: Meaning = MEANINGS[kind];
  return new BridgeError(code, message, {
    ...(temporary === undefined ? {} : { temporary }),
    ...(code === 'BACKEND_BUSY' ? { retryAfterMs: retryAfterMs(answer.headers) } : {}),
    details: { status: answer.status, about, ...(hint === undefined ? {} : { hint }) },
  });
}

/** Which kind of refusal an answer is; undefined: the one hoped for. */
export function kindOf(answer: AnswerHead, expected: 200 | 207): AnswerKind | undefined {
  const { status, auth } = answer;
  if (isLogonPage(answer)) return auth === 'form' ? 'logon-page-again' : 'logon-page';
  if (status === 440) return auth === 'form' ? 'logon-timeout-again' : 'logon-timeout';
  if (status === 401) return unauthorized(answer);
  if (status === 403) return forbidden(answer);
  if (status === 404) return missing(answer);
  if (status === 429 || status === 503) return 'busy';
  if (status === 500) return 'no-store';
  if (status > 500 || willPass(status)) return 'failed';
  if (status >= 300 && status < 400) return 'redirect';
  if (status !== expected) return 'unexpected';
  return isHtml(answer) ? 'web-page' : undefined;
}

function unauthorized({ isLetIn, headers, auth }: AnswerHead): AnswerKind {
  if (isLetIn === true) return 'no-right';
  const offered = headers['www-authenticate'] ?? '';
  if (offered === '') return 'wrong-credentials';
  const hasBasic = /\bbasic\b/i.test(offered);
  const hasNtlm = /\b(?:ntlm|negotiate)\b/i.test(offered);
  if (auth === 'ntlm') return hasNtlm ? 'wrong-credentials' : hasBasic ? 'basic-only' : 'other-scheme';
  return hasBasic ? 'wrong-credentials' : hasNtlm ? 'ntlm-only' : 'other-scheme';
}

function forbidden(answer: AnswerHead): AnswerKind {
  const text = head(answer);
  if (/\b403[.;]7\b|client certificate/i.test(text)) return 'client-certificate';
  const isPlain = answer.url.protocol === 'http:';
  if (isPlain && /\b403[.;]4\b|secure channel|SSL (?:is )?required/i.test(text)) return 'https-required';
  return isPlain ? 'forbidden-by-http' : 'forbidden';
}

function missing(answer: AnswerHead): AnswerKind {
  const text = head(answer);
  if (/\b404\.15\b/.test(text)) return 'query-too-long';
  return /\b404\.11\b/.test(text) ? 'escaped-twice' : 'missing';
}

/** What an error of `problemOf` is about; undefined for others. */
export function problemAbout(error: BridgeError): ProblemAbout | undefined {
  const { about } = error.details;
  return about === 'account' || about === 'server' || about === 'place' ? about : undefined;
}

/** The same about the server as a whole: what was asked for is what every question needs. */
export function ofServer({ code, publicMessage, temporary, details }: BridgeError): BridgeError {
  return new BridgeError(code, publicMessage, { temporary, details: { ...details, about: 'server' } });
}

/** Statuses of the client's kind that say nothing about what was asked for: 408 (the request took too long), 425 (too early). */
export function willPass(status: number): boolean {
  return status === 408 || status === 425;
}

/** Whether there is no right to the thing itself. */
export function isForbidden({ status, isLetIn }: Pick<AnswerHead, 'status' | 'isLetIn'>): boolean {
  return status === 403 || (status === 401 && isLetIn === true);
}

export function isGone({ status }: Pick<AnswerHead, 'status'>): boolean {
  return status === 404 || status === 410;
}

/** Whether somebody shows us where to log on: by the final URL, by where it leads, or by a page with a password field. */
export function isLogonPage(answer: AnswerHead): boolean {
  if (isLogonLocation(answer.url.pathname)) return true;
  if (answer.status >= 300 && answer.status < 400 && isLogonLocation(answer.headers['location'] ?? '')) return true;
  return answer.status < 400 && isHtml(answer) && /owaauth\.dll|auth\.owa|type\s*=\s*["']?password/i.test(head(answer));
}

/** Whether a path or a Location is that of a logon form. */
export function isLogonLocation(location: string): boolean {
  return /^[^?#]*\/(?:owalogon\.asp|logon\.aspx)(?:$|[?#;/])/i.test(location);
}

/** Whether it is a web page, by its type or its first characters. */
export function isHtml(answer: AnswerHead): boolean {
  return /^\s*(?:text\/html|application\/xhtml)/i.test(answer.headers['content-type'] ?? '') || /^\uFEFF?\s*<(?:!doctype\s+html|html)/i.test(head(answer));
}

/** Logon pages name their target in the first lines; 2007's is built by script, with its address near the top. */
function head(answer: AnswerHead): string {
  return answer.body.subarray(0, LIMITS.answerHeadBytes).toString('utf8');
}
