import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeAuthenticate } from '../../../../../src/platform/auth/ntlm/client/authenticate.ts';
import { decodeChallenge } from '../../../../../src/platform/auth/ntlm/client/challenge.ts';
import { encodeNegotiate } from '../../../../../src/platform/auth/ntlm/client/negotiate.ts';
import { BridgeError } from '../../../../../src/core/errors.ts';

const FIXTURES = new URL('../../../../../fixtures/ntlm/authenticate/', import.meta.url);
const CHALLENGES = readdirSync(FIXTURES).map((name) => [name, Buffer.from(readFileSync(new URL(`${name}/message`, FIXTURES), 'utf8').split('\n')[1]!, 'base64')] as const);
const [, WHOLE] = CHALLENGES.find(([name]) => name === 'windows-mic')!;

/** Answered, or refused as it ought to be; never anything else. */
function answered(message: Buffer): boolean {
  try {
    encodeAuthenticate({ domain: 'CORP', username: 'bridge', password: 'pw' }, { challenge: decodeChallenge(message), negotiate: encodeNegotiate(), clientChallenge: Buffer.alloc(8), time: Buffer.alloc(8), targetName: 'HTTP/host', channelBindings: Buffer.alloc(16) });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code: 'BACKEND_AUTH', details: { hint: expect.any(String) as unknown } });
    return false;
  }
}

describe('a CHALLENGE', () => {
  it.each(CHALLENGES)('of %s is answered', (_name, message) => {
    expect(answered(message)).toBe(true);
  });

  it('that breaks off anywhere is refused', () => {
    for (let length = 0; length < WHOLE.length; length++) expect([length, answered(WHOLE.subarray(0, length))]).toEqual([length, false]);
  });

  it('with any byte changed is answered or refused, and nothing else happens', () => {
    for (let at = 0; at < WHOLE.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(WHOLE);
        changed[at] = value;
        answered(changed);
      }
    }
  });

  it.each([
    ['is another message', (m: Buffer) => m.writeUInt32LE(3, 8)],
    ['has another signature', (m: Buffer) => m.write('KERBEROS', 0)],
    ['knows neither Unicode nor OEM', (m: Buffer) => m.writeUInt32LE((m.readUInt32LE(20) & ~3) >>> 0, 20)],
    ['has a target beyond its end', (m: Buffer) => m.writeUInt32LE(0xffff_fff0, 16)],
    ['has TargetInfo beyond its end', (m: Buffer) => m.writeUInt16LE(0xffff, 40)],
    ['has TargetInfo inside its head', (m: Buffer) => m.writeUInt32LE(0, 44)],
    ['has a time of another length', (m: Buffer) => m.writeUInt16LE(4, m.length - 14)],
  ] as const)('that %s is refused', (_what, change) => {
    const changed = Buffer.from(WHOLE);
    change(changed);
    expect(answered(changed)).toBe(false);
  });

  it('of more than anybody sends is refused', () => {
    expect(answered(Buffer.concat([WHOLE, Buffer.alloc(6 * 1024)]))).toBe(false);
  });

  it('without TargetInfo, as of old servers, is answered', () => {
    const old = Buffer.from(WHOLE.subarray(0, 32));
    old.writeUInt32LE((old.readUInt32LE(20) & ~0x0080_0000) >>> 0, 20);
    old.fill(0, 12, 20);
    expect(answered(old)).toBe(true);
  });
});
