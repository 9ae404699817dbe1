import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAuthenticate } from '../../../../src/platform/auth/ntlm/authenticate.ts';
import { decodeAvPairs, encodeAvPairs } from '../../../../src/platform/auth/ntlm/av-pairs.ts';
import { decodeNegotiate } from '../../../../src/platform/auth/ntlm/negotiate.ts';

const handshake = (name: string): readonly Buffer[] =>
  readFileSync(new URL(`../../../../fixtures/ntlm/authenticate/${name}/message`, import.meta.url), 'utf8').trim().split('\n').map((line) => Buffer.from(line, 'base64'));
const [NEGOTIATE, CHALLENGE, AUTHENTICATE] = handshake('windows-mic') as [Buffer, Buffer, Buffer];

const changed = (message: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(message);
  change(copy);
  return copy;
};
const codeOf = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('AUTHENTICATE messages that are none', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a signature alone', AUTHENTICATE.subarray(0, 8)],
    ['another signature', changed(AUTHENTICATE, (copy) => copy.write('NTLMSSQ\0', 0, 'latin1'))],
    ['a NEGOTIATE', NEGOTIATE],
    ['a CHALLENGE sent back', CHALLENGE],
    ['type 0', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(0, 8))],
    ['type 0x01000003', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(0x0100_0003, 8))],
    ['52 bytes, as before there were flags', AUTHENTICATE.subarray(0, 52)],
    ['a name of 65,535 bytes', changed(AUTHENTICATE, (copy) => copy.writeUInt16LE(0xffff, 36))],
    ['a response that begins at 4 GB', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(0xffff_ffff, 24))],
    ['an offset whose sum with the length passes 2³²', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(0xffff_fff0, 40))],
    ['a response inside the fixed part', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(0, 24))],
    ['a name that begins in the MIC', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(72, 40))],
    ['a name that ends one byte late', changed(AUTHENTICATE, (copy) => copy.writeUInt32LE(copy.length - copy.readUInt16LE(36) + 1, 40))],
    ['half a character of UTF-16', changed(AUTHENTICATE, (copy) => copy.writeUInt16LE(copy.readUInt16LE(36) - 1, 36))],
    ['a response of 47 bytes', changed(AUTHENTICATE, (copy) => copy.writeUInt16LE(47, 20))],
    ['a response of version 2', changed(AUTHENTICATE, (copy) => copy.writeUInt8(2, copy.readUInt32LE(24) + 16))],
    ['pairs that nothing closes', changed(AUTHENTICATE, (copy) => copy.writeUInt16LE(0xffff, copy.readUInt32LE(24) + 16 + 28 + 2))],
  ])('%s', (_what, message) => {
    expect(codeOf(() => decodeAuthenticate(message))).toBe('AUTH_FAILED');
  });

  it('a response of NTLMv1, of LM alone and of nobody are no response', () => {
    const withLength = (length: number): Buffer => changed(AUTHENTICATE, (copy) => copy.writeUInt16LE(length, 20));
    for (const length of [0, 1, 16, 24]) expect(decodeAuthenticate(withLength(length)).response).toBeUndefined();
    expect(decodeAuthenticate(changed(AUTHENTICATE, (copy) => copy.writeUInt32LE((copy.readUInt32LE(60) | 0x800) >>> 0, 60))).response).toBeUndefined();
  });

  it('random bytes after the signature are refused or read, never anything else', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) & 0xff;
    for (let round = 0; round < 5_000; round++) {
      const message = changed(AUTHENTICATE, (copy) => {
        for (let at = 12; at < copy.length; at++) if (random() < 16) copy[at] = random();
      });
      const outcome = codeOf(() => decodeAuthenticate(message));
      if (outcome !== 'AUTH_FAILED') expect(outcome).toHaveProperty('username');
    }
  });
});

describe('NEGOTIATE messages', () => {
  it('are taken at 16, 32 and 40 bytes', () => {
    for (const length of [16, 32, 40]) expect(decodeNegotiate(NEGOTIATE.subarray(0, length))).toHaveProperty('flags');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['15 bytes', NEGOTIATE.subarray(0, 15)],
    ['an AUTHENTICATE', AUTHENTICATE],
    ['neither Unicode nor OEM', changed(NEGOTIATE, (copy) => copy.writeUInt32LE(0xa208_8200, 12))],
    ['a domain beyond the end', changed(NEGOTIATE, (copy) => void (copy.writeUInt32LE(0x1001, 12), copy.writeUInt16LE(1, 16), copy.writeUInt32LE(40, 20)))],
    ['a workstation of 4 GB', changed(NEGOTIATE, (copy) => void (copy.writeUInt32LE(0x2001, 12), copy.writeUInt16LE(0xffff, 24), copy.writeUInt32LE(0xffff_ffff, 28)))],
    ['a domain promised in 16 bytes', changed(NEGOTIATE.subarray(0, 16), (copy) => copy.writeUInt32LE(0x1001, 12))],
  ])('refused: %s', (_what, message) => {
    expect(codeOf(() => decodeNegotiate(message))).toBe('AUTH_FAILED');
  });
});

describe('AV pairs', () => {
  it('are read up to their end, whatever follows', () => {
    const bytes = Buffer.from('0600040002000000' + '0000ffff' + 'ffffffff', 'hex');
    expect(decodeAvPairs(bytes)).toEqual([{ id: 6, value: Buffer.from('02000000', 'hex') }]);
  });

  it.each(['', '00', '000000', '0600', '06000400020000', '0600000006000000', '0100ffff00000000'])('%j have no end', (hex) => {
    expect(codeOf(() => decodeAvPairs(Buffer.from(hex, 'hex')))).toBe('AUTH_FAILED');
  });

  it('ten thousand empty ones are read once', () => {
    const pairs = Array.from({ length: 10_000 }, () => ({ id: 3, value: Buffer.alloc(0) }));
    expect(decodeAvPairs(encodeAvPairs(pairs))).toHaveLength(10_000);
  });
});
