import { createHmac, timingSafeEqual } from 'node:crypto';
import { SECOND_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';

/** What an `X-Signature` header says, not yet believed. */
export interface Signature {
  /** As sent, because it is part of what is signed; decimal digits. */
  readonly time: string;
  /** HMAC-SHA256 each, 32 bytes, at least one: a sender that changes its secret may sign with the old and the new one. */
  readonly codes: readonly Buffer[];
}

/**
 * Reads `t=<unix seconds>,v1=<64 hex digits>`, in any order, with several v1; items of later versions (`v2=…`) are passed over.
 * Undefined for anything else, two times included: that is how Node joins a header that was sent twice.
 */
export function decodeSignature(header: string): Signature | undefined {
  if (header.length > LIMITS.signatureCharacters) return undefined;
  const items = header.split(',').map((item) => /^ *([a-z]+\d*)=([0-9A-Za-z+/=_-]+) *$/.exec(item));
  const times: string[] = [];
  const codes: Buffer[] = [];
  for (const item of items) {
    const [, name = '', value = ''] = item ?? [];
    if (name === 't' && /^\d{1,15}$/.test(value)) times.push(value);
    else if (name === 'v1' && /^[0-9a-f]{64}$/i.test(value)) codes.push(Buffer.from(value, 'hex'));
    else if (name === 'v1' || !/^v\d+$/.test(name)) return undefined;
  }
  const [time, ...more] = times;
  return time === undefined || more.length > 0 || codes.length === 0 ? undefined : { time, codes };
}

/** Whether the time of signing is within LIMITS.notifyGraceMs of ours, before or after. */
export function isFresh({ time }: Signature, now: Instant): boolean {
  return Math.abs(Number(time) * SECOND_MS - now) <= LIMITS.notifyGraceMs;
}

/** Makes the header's value for a body: `t=<unix seconds>,v1=<64 hex digits>`. The body is signed as it is sent, in UTF-8. */
export function encodeSignature(body: string, secret: string, now: Instant): string {
  const time = String(Math.floor(now / SECOND_MS));
  return `t=${time},v1=${codeOf(time, body, secret).toString('hex')}`;
}

/** Whether one of the codes is the HMAC-SHA256, by `secret` in UTF-8, of `time`, `.` and the body's bytes. Takes as long whichever of them it is, or none. */
export function isSigned({ time, codes }: Signature, body: Buffer, secret: string): boolean {
  const expected = codeOf(time, body, secret);
  return codes.map((code) => timingSafeEqual(code, expected)).includes(true);
}

function codeOf(time: string, body: Buffer | string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest();
}
