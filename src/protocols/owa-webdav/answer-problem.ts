import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';

/** What of an HTTP answer is looked at. */
export interface AnswerHead extends Pick<HttpAnswer, 'status' | 'headers' | 'body' | 'url'> {
  /** The server does accept these credentials: a 401 is about what was asked for (exchange.md §2.2: no rights). */
  readonly isLetIn?: boolean;
}

/**
 * Why an answer is not the one hoped for; undefined where it is. One branch for each way in which an OWA server was seen to
 * say no: exchange.md §2.4, §2.6, §7.
 *
 * @param expected 200 for commands, 207 for PROPFIND
 */
export function problemOf(answer: AnswerHead, expected: 200 | 207): BridgeError | undefined {
  const { status, headers } = answer;
  if (isLogonPage(answer)) return problem('BACKEND_AUTH', 'the server answers with its logon page', answer, 'set auth: form, or check the credentials');
  if (status === 440) return problem('BACKEND_AUTH', 'the server says that the logon has timed out (440)', answer, 'set auth: form');
  if (status === 401 && answer.isLetIn === true) return problem('BACKEND_AUTH', 'the server lets the account in, but not there (401)', answer, 'give the account the right');
  if (status === 401) {
    const offered = headers['www-authenticate'] ?? '';
    const lacksBasic = offered !== '' && !/\bbasic\b/i.test(offered);
    return lacksBasic
      ? problem('BACKEND_AUTH', 'the server offers no Basic authentication', answer, 'switch Basic on for the virtual directory, or set auth: form')
      : problem('BACKEND_AUTH', 'the server refuses the credentials', answer, 'check username and password');
  }
  if (status === 403) return problem('BACKEND_AUTH', 'the server forbids it (403)', answer, 'over http 403.4 means that it wants https; else give the account the right');
  if (status === 404) {
    return problem('BACKEND_FAULT', 'the server has nothing there (404)', answer, 'is /public a virtual directory of this server? IIS also says so for long queries (404.15) and for %2B (404.11)');
  }
  if (status === 429 || status === 503) return new BridgeError('BACKEND_BUSY', 'the calendar system is busy', { temporary: true, retryAfterMs: retryAfterMs(headers), details: { status } });
  if (status >= 500 || willPass(status)) return new BridgeError('BACKEND_FAULT', 'the calendar system failed', { temporary: true, details: { status } });
  if (status >= 300 && status < 400) return problem('BACKEND_REDIRECT', 'the calendar system redirects without saying where to', answer, 'check the url');
  if (status !== expected) return problem('BACKEND_MALFORMED', 'the calendar system answers with an unexpected status', answer, 'is this an Exchange 2000, 2003 or 2007?');
  if (isHtml(answer)) return problem('BACKEND_MALFORMED', 'the calendar system answers with a web page', answer, 'the url must be the root of the server that has /public');
  return undefined;
}

/** Statuses of the client's kind that say nothing about what was asked for: 408 (the request took too long), 425 (too early). */
export function willPass(status: number): boolean {
  return status === 408 || status === 425;
}

/** Whether somebody shows us where to log on: by the final URL, or by a page with a password field. */
export function isLogonPage(answer: AnswerHead): boolean {
  if (isLogonLocation(answer.url.pathname)) return true;
  return answer.status < 400 && isHtml(answer) && /owaauth\.dll|auth\.owa|type\s*=\s*["']?password/i.test(head(answer));
}

/** Whether a path or a Location is that of a logon form. */
export function isLogonLocation(location: string): boolean {
  return /\/(?:owalogon\.asp|logon\.aspx)(?:$|[?#;/])/i.test(location);
}

/** Whether it is a web page, by its type or its first characters. */
export function isHtml(answer: AnswerHead): boolean {
  return /^\s*(?:text\/html|application\/xhtml)/i.test(answer.headers['content-type'] ?? '') || /^\uFEFF?\s*<(?:!doctype\s+html|html)/i.test(head(answer));
}

/** Logon pages name their target in the first lines; 2007's is built by script, with its address near the top. */
function head(answer: AnswerHead): string {
  return answer.body.subarray(0, LIMITS.answerHeadBytes).toString('utf8');
}

function problem(code: ErrorCode, message: string, answer: AnswerHead, hint: string): BridgeError {
  return new BridgeError(code, message, { details: { status: answer.status, hint } });
}
