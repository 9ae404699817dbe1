import { charsetOf } from '../../../platform/http-client/answer-headers.ts';

/**
 * The charset of a body for `readXml`: what Content-Type says. UTF-16 without a byte order mark is told by where the zeros of the first `<` are,
 * because `charset=utf-16` leaves open which half comes first (RFC 2781 §4.3 says big-endian, Windows writes the other).
 */
export function requestCharset(contentType: string | undefined, body: Uint8Array): string | undefined {
  const named = charsetOf(contentType)?.toLowerCase();
  if (named !== undefined && named !== 'utf-16') return named;
  if (body[0] === 0 && body[1] === LESS_THAN) return 'utf-16be';
  if (body[0] === LESS_THAN && body[1] === 0) return 'utf-16le';
  return named;
}

const LESS_THAN = 0x3c;
