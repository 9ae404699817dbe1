import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { charsetOf, retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { XmlError, readXml } from '../../platform/xml/read.ts';
import { decodeEnvelope } from '../soap/envelope.ts';
import { decodeJsonReply } from './json-reply.ts';
import { decodePoxReply } from './pox-reply.ts';
import { unreadable } from './refused.ts';
import type { Reply } from './reply.ts';
import type { Dialect } from './service.ts';
import { decodeUserSettingsReply } from './user-settings-reply.ts';

type Answer = Pick<HttpAnswer, 'status' | 'headers' | 'body'>;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** `reason` of a host that has no such service; the most usual end of a try, and no trouble. */
export const NOTHING_THERE = 'nothing-there';

/**
 * Classifies an HTTP answer of any dialect but 401, which is about signing in.
 *
 * @throws BridgeError BACKEND_FAULT (nothing there, or the service's own words), BACKEND_AUTH (403), BACKEND_BUSY, BACKEND_REDIRECT (without a target),
 *   BACKEND_TOO_LARGE, BACKEND_MALFORMED (HTML, half a document, a DOCTYPE)
 */
export async function decodeAnswered(dialect: Dialect, answer: Answer): Promise<Reply> {
  const { status, headers, body } = answer;
  const details = { status };
  const url = headers['location'] ?? '';
  if (REDIRECTS.has(status) && url !== '') return { kind: 'url', url };
  if (status >= 300 && status < 400) throw new BridgeError('BACKEND_REDIRECT', 'Autodiscover redirects without saying where', { details });
  if (status === 403) throw new BridgeError('BACKEND_AUTH', 'Autodiscover refuses the sign-in of the bridge', { details });
  if (status === 429 || status === 503) throw new BridgeError('BACKEND_BUSY', 'Autodiscover is too busy', { temporary: true, details, retryAfterMs: retryAfterMs(headers) });
  if (body.length > LIMITS.autodiscoverAnswerBytes) throw new BridgeError('BACKEND_TOO_LARGE', 'the answer of Autodiscover is too large', { details: { ...details, limitBytes: LIMITS.autodiscoverAnswerBytes } });
  const isFault = (status === 500 && dialect === 'soap') || ((status === 400 || status === 404) && dialect === 'json');
  if (status !== 200 && !isFault) throw nothingThere(status);
  try {
    return await decodeBody(dialect, answer);
  } catch (error) {
    // A web server's own page.
    if (status !== 200 && error instanceof BridgeError && error.code === 'BACKEND_MALFORMED') throw nothingThere(status);
    throw error;
  }
}

async function decodeBody(dialect: Dialect, answer: Answer): Promise<Reply> {
  if (dialect === 'json') return decodeJsonReply(answer.body);
  const root = await read(answer);
  if (dialect === 'pox') return decodePoxReply(root);
  try {
    return decodeUserSettingsReply(decodeEnvelope(root));
  } catch (error) {
    if (error instanceof XmlError) throw unreadable('no SOAP', { status: answer.status }, error);
    throw error;
  }
}

async function read({ status, headers, body }: Answer): Promise<XmlElement> {
  try {
    return await readXml(body, { charset: charsetOf(headers['content-type']), maxNodes: LIMITS.autodiscoverAnswerNodes });
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    // The parser's own words may quote the document: they stay in the cause.
    const isPage = /^\s*<(?:!doctype\s+html|html)\b/i.test(body.subarray(0, 300).toString('latin1'));
    throw unreadable(isPage ? 'HTML' : 'no XML', { status }, error);
  }
}

function nothingThere(status: number): BridgeError {
  const isFailing = status >= 500 && status !== 501 && status !== 505;
  return new BridgeError('BACKEND_FAULT', isFailing ? 'Autodiscover failed' : 'there is no Autodiscover', { temporary: isFailing, details: { status, ...(isFailing ? {} : { reason: NOTHING_THERE }) } });
}
