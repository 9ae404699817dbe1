import { BridgeError } from '../../core/errors.ts';
import { charsetOf, retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { readXml, XmlError } from '../../platform/xml/read.ts';
import { decodeEnvelope } from '../soap/envelope.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { responseCodeError } from './response-code.ts';

/**
 * Classifies an HTTP answer, once for all operations, and reads its envelope; a Fault in it is the caller's to read, because
 * it comes with status 500 (Exchange) and with 200 (grommunio).
 *
 * @throws BridgeError BACKEND_AUTH (401, 440, and 403: an EWS access policy), BACKEND_BUSY (429, 503), BACKEND_REDIRECT,
 *   BACKEND_FAULT (every other status without an envelope), BACKEND_MALFORMED (200 with HTML or with half a document)
 */
export async function decodeAnswer(answer: Pick<HttpAnswer, 'status' | 'headers' | 'body'>): Promise<SoapEnvelope> {
  const { status, headers } = answer;
  const details = { status };
  if (status === 401 || status === 403 || status === 440) {
    throw new BridgeError('BACKEND_AUTH', 'the calendar system refuses the sign-in of the bridge', { details });
  }
  if (status === 429 || status === 503) {
    const busy = responseCodeError('ErrorServerBusy', retryAfterMs(headers));
    throw new BridgeError('BACKEND_BUSY', 'the calendar system is too busy', {
      temporary: true,
      details,
      retryAfterMs: busy.retryAfterMs,
    });
  }
  if (status >= 300 && status < 400) {
    throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects without saying where', { details });
  }
  if (status !== 200 && status !== 500) {
    throw new BridgeError('BACKEND_FAULT', 'the calendar system refused the request', { details, temporary: (status > 500 && status !== 501) || status === 408 || status === 425 });
  }
  try {
    return decodeEnvelope(await readXml(answer.body, { charset: charsetOf(headers['content-type']) }));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    if (status === 500) throw new BridgeError('BACKEND_FAULT', 'the calendar system failed', { details, temporary: true, cause: error });
    // The parser's own words may quote the document, and with it a subject: they stay in the cause.
    const seen = { ...details, looksLike: looksLike(answer.body) };
    throw new BridgeError('BACKEND_MALFORMED', 'the answer is not SOAP', { details: seen, cause: error });
  }
}

/** Enough to tell an administrator that a logon page answered. */
function looksLike(body: Buffer): string {
  const head = body.subarray(0, 300).toString('latin1');
  if (/^\s*<(?:!doctype\s+html|html)\b/i.test(head)) return 'HTML';
  return /^(?:\xef\xbb\xbf)?\s*</.test(head) ? 'XML' : body.length === 0 ? 'nothing' : 'something else';
}
