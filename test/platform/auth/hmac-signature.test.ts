import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeSignature, encodeSignature, isFresh, isSigned } from '../../../src/platform/auth/hmac-signature.ts';

const SECRET = 'whsec-äöü-0123456789abcdef';
const BODY = Buffer.from('{"mailboxes":["kim@zimbra.example"]}');
/** printf '%s.%s' 1795255200 '{"mailboxes":["kim@zimbra.example"]}' | openssl dgst -sha256 -hmac 'whsec-äöü-0123456789abcdef' (OpenSSL 3.0) */
const OPENSSL = '871197a51fcf73be043b956fb47f9b1aaf4279348de0ce5782bf1731c381b32a';
const T = 1_795_255_200;
const OTHER = '0'.repeat(64);

const read = (header: string) => {
  const signature = decodeSignature(header);
  if (signature === undefined) throw new Error('not read');
  return signature;
};

describe('a signature', () => {
  it('is what openssl makes of time, full stop and body', () => {
    expect(isSigned(read(`t=${T},v1=${OPENSSL}`), BODY, SECRET)).toBe(true);
    expect(isSigned(read(`t=${T},v1=${OPENSSL.toUpperCase()}`), BODY, SECRET)).toBe(true);
  });

  it('is made as openssl makes it, the time in whole seconds', () => {
    expect(encodeSignature(BODY.toString(), SECRET, T * 1000 + 999)).toBe(`t=${T},v1=${OPENSSL}`);
  });

  it('covers every byte of the body, also those that are no text', () => {
    for (const body of [Buffer.from([0xff, 0x00, 0x0a, 0x80]), Buffer.alloc(0), Buffer.alloc(1024 * 1024, 7)]) {
      const code = createHmac('sha256', SECRET).update(Buffer.concat([Buffer.from(`${T}.`), body])).digest('hex');
      expect(isSigned(read(`t=${T},v1=${code}`), body, SECRET)).toBe(true);
      expect(isSigned(read(`t=${T},v1=${code}`), Buffer.concat([body, Buffer.from(' ')]), SECRET)).toBe(false);
    }
  });

  it.each([
    ['another body', `t=${T},v1=${OPENSSL}`, Buffer.from('{"mailboxes":["eve@zimbra.example"]}'), SECRET],
    ['another time', `t=${T + 1},v1=${OPENSSL}`, BODY, SECRET],
    ['the same time spelled otherwise', `t=0${T},v1=${OPENSSL}`, BODY, SECRET],
    ['another secret', `t=${T},v1=${OPENSSL}`, BODY, `${SECRET} `],
    ['an empty secret', `t=${T},v1=${OPENSSL}`, BODY, ''],
    ['one digit', `t=${T},v1=${OPENSSL.slice(0, 63)}b`, BODY, SECRET],
    ['the point shifted between time and body', `t=179525520,v1=${createHmac('sha256', SECRET).update('1795255200.x').digest('hex')}`, Buffer.from('0.x'), SECRET],
  ])('is wrong with %s', (_what, header, body, secret) => {
    expect(isSigned(read(header), body, secret)).toBe(false);
  });

  it('may stand among others while a secret is being changed, in any order', () => {
    for (const header of [`t=${T},v1=${OTHER},v1=${OPENSSL}`, `v1=${OPENSSL},v1=${OTHER},t=${T}`, `t=${T}, v1=${OPENSSL}, v2=bmV3ZXI=`]) {
      expect(isSigned(read(header), BODY, SECRET)).toBe(true);
    }
    expect(isSigned(read(`t=${T},v1=${OTHER},v1=${OTHER}`), BODY, SECRET)).toBe(false);
  });

  it.each([
    '',
    't=',
    `t=${T}`,
    `v1=${OPENSSL}`,
    `t=${T},v0=${OPENSSL}`,
    `t=${T},v2=${OPENSSL}`,
    `t=${T};v1=${OPENSSL}`,
    `t=${T},v1=${OPENSSL},`,
    `t=${T},v1=${OPENSSL.slice(1)}`,
    `t=${T},v1=${OPENSSL}00`,
    `t=${T},v1=${OPENSSL.slice(1)}g`,
    `t=${T},v1=0x${OPENSSL.slice(2)}`,
    `t=${T},v1=`,
    `t=${T},v1=${OPENSSL},v1=short`,
    `t=${T},t=${T},v1=${OPENSSL}`,
    `t=-${T},v1=${OPENSSL}`,
    `t=${T}.0,v1=${OPENSSL}`,
    `t=1e9,v1=${OPENSSL}`,
    `t=0x6b,v1=${OPENSSL}`,
    `t=Infinity,v1=${OPENSSL}`,
    `t=${'9'.repeat(16)},v1=${OPENSSL}`,
    `T=${T},V1=${OPENSSL}`,
    `t=${T},v1=${OPENSSL},key=1`,
    `t=${T},v1=${OPENSSL}\u0000`,
    `sha256=${OPENSSL}`,
    `t=${T},${`v1=${OPENSSL},`.repeat(20)}v1=${OPENSSL}`,
  ])('is not read from %s', (header) => {
    expect(decodeSignature(header)).toBeUndefined();
  });

  it('counts for five minutes before and after, in seconds', () => {
    const signature = read(`t=${T},v1=${OPENSSL}`);
    const minutes = (n: number): number => T * 1000 + n * 60_000;
    expect([-5, 0, 5].map((n) => isFresh(signature, minutes(n)))).toEqual([true, true, true]);
    expect([minutes(5) + 1, minutes(-5) - 1, minutes(-60), 0].map((now) => isFresh(signature, now))).toEqual([false, false, false, false]);
    // Milliseconds where seconds belong.
    expect(isFresh(read(`t=${T}000,v1=${OPENSSL}`), T * 1000)).toBe(false);
  });

  it('is read in no time, whatever the header', () => {
    const began = performance.now();
    for (const header of [','.repeat(60_000), `${'v1='.repeat(20_000)}`, `${' '.repeat(60_000)}t=1`, `t=${' '.repeat(1_000)}`]) expect(decodeSignature(header)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(200);
  });
});
