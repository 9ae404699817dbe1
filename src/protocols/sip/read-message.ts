import { LIMITS } from '../../core/limits.ts';
import type { SipHeader, SipMessage } from './message.ts';
import { LONG_NAMES, TOKEN } from './names.ts';

/** What came is no SIP message. */
export class SipSyntaxError extends Error {
  override readonly name = 'SipSyntaxError';
}

/** Start line and headers of a message whose body is not read yet. */
export interface SipHead {
  /** The message with these octets as its body. */
  withBody(body: Uint8Array): SipMessage;
  /** Undefined where there is no Content-Length. */
  readonly contentLength: number | undefined;
}

/**
 * Reads start line and header lines (RFC 3261 §7, §25.1), up to and without the empty line: compact names become long ones, all lower case, folded lines one. Strict about everything that could
 * make two readers disagree: bare CR or LF, control characters, a blank in a name, several Content-Lengths.
 *
 * @throws SipSyntaxError
 */
export function readHead(bytes: Uint8Array): SipHead {
  if (bytes.length > LIMITS.sipHeadBytes) throw new SipSyntaxError('the head is too large');
  const [start = '', ...rest] = linesOf(decoded(bytes));
  const headers = rest.map(headerOfLine);
  const contentLength = contentLengthOf(headers);
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(start);
  if (response !== null) {
    const [, status, reason = ''] = response;
    return { contentLength, withBody: (body) => ({ kind: 'response', status: Number(status), reason, headers, body }) };
  }
  const [, method = '', uri = ''] = /^(\S+) (\S+) SIP\/2\.0$/i.exec(start) ?? [];
  if (!TOKEN.test(method)) throw new SipSyntaxError('the first line is none of SIP');
  return { contentLength, withBody: (body) => ({ kind: 'request', method, uri, headers, body }) };
}

/**
 * Reads a datagram (RFC 3261 §18.3): what follows the body is dropped, a body that falls short is an error, without Content-Length the body is the rest.
 *
 * @throws SipSyntaxError
 */
export function readDatagram(bytes: Uint8Array): SipMessage {
  if (bytes.length > LIMITS.sipMessageBytes) throw new SipSyntaxError('the message is too large');
  const end = endOfHead(bytes, 0);
  if (end < 0) throw new SipSyntaxError('the head does not end');
  const head = readHead(bytes.subarray(0, end));
  const body = bytes.subarray(end + END_OF_HEAD.length);
  if (head.contentLength !== undefined && head.contentLength > body.length) throw new SipSyntaxError('the body falls short of its length');
  return head.withBody(body.subarray(0, head.contentLength ?? body.length));
}

/** Where the empty line after the headers begins (at the CRLF before it), looked for from `from` on; -1 where it has not come. */
export function endOfHead(bytes: Uint8Array, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(END_OF_HEAD, from);
}

export const END_OF_HEAD = Buffer.from('\r\n\r\n');

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SipSyntaxError('not valid UTF-8');
  }
}

/** Lines with their folds undone (RFC 3261 §7.3.1). */
function linesOf(text: string): readonly string[] {
  const unfolded = text.replace(/[ \t]*\r\n[ \t]+/g, ' ');
  const lines = unfolded.split('\r\n');
  if (lines.length > LIMITS.sipHeaders + 1) throw new SipSyntaxError('too many header lines');
  // A tab is white space; every other control character, a lone CR or LF among them, is refused.
  if (lines.some((line) => /[\x00-\x08\x0a-\x1f\x7f]/.test(line))) throw new SipSyntaxError('a control character in the head');
  return lines;
}

function headerOfLine(line: string): SipHeader {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).replace(/[ \t]+$/, '').toLowerCase();
  if (!TOKEN.test(name)) throw new SipSyntaxError('a header line without a name');
  return { name: LONG_NAMES.get(name) ?? name, value: line.slice(colon + 1).trim() };
}

function contentLengthOf(headers: readonly SipHeader[]): number | undefined {
  const lengths = headers.filter((one) => one.name === 'content-length').map((one) => one.value);
  if (lengths.length === 0) return undefined;
  if (lengths.length > 1 || !/^\d{1,9}$/.test(lengths[0]!)) throw new SipSyntaxError('no single Content-Length');
  return Number(lengths[0]);
}
