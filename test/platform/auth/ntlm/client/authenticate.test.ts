import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAuthenticate } from '../../../../../src/platform/auth/ntlm/authenticate.ts';
import { decodeAvPairs, encodeAvPairs } from '../../../../../src/platform/auth/ntlm/av-pairs.ts';
import { ntlmAccount } from '../../../../../src/platform/auth/ntlm/client/account.ts';
import { answeredTargetInfo, encodeAuthenticate } from '../../../../../src/platform/auth/ntlm/client/authenticate.ts';
import { decodeChallenge } from '../../../../../src/platform/auth/ntlm/client/challenge.ts';
import { encodeNegotiate } from '../../../../../src/platform/auth/ntlm/client/negotiate.ts';
import { decodeNegotiate } from '../../../../../src/platform/auth/ntlm/negotiate.ts';
import { isIntact, isRightResponse, micOf, ntHash, proofOf, responseKey, sessionBaseKey } from '../../../../../src/platform/auth/ntlm/response.ts';

/** NEGOTIATE, CHALLENGE and AUTHENTICATE of a handshake that others made. */
function handshake(name: string): readonly [Buffer, Buffer, Buffer] {
  const text = readFileSync(new URL(`../../../../../fixtures/ntlm/authenticate/${name}/message`, import.meta.url), 'utf8');
  return text.trim().split('\n').map((line) => Buffer.from(line, 'base64')) as unknown as readonly [Buffer, Buffer, Buffer];
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const CLIENT_CHALLENGE = Buffer.alloc(8, 0xaa);
const [, SPEC_CHALLENGE] = handshake('ms-nlmp-4.2.4');
const [, WINDOWS_CHALLENGE] = handshake('windows-mic');
const OPTIONS = { negotiate: encodeNegotiate(), clientChallenge: CLIENT_CHALLENGE, time: Buffer.alloc(8), targetName: 'HTTP/Server' };

describe('a NEGOTIATE', () => {
  it('has 40 bytes with the version, no names, and the flags of Windows over HTTP', () => {
    const message = encodeNegotiate();
    expect(message.toString('hex')).toBe('4e544c4d53535000010000000782' + '08a2' + '00000000280000000000000028000000' + '0a00614a0000000f');
    expect(decodeNegotiate(message).flags >>> 0).toBe(0xa208_8207);
  });
});

describe('names', () => {
  it.each([
    ['CORP\\bridge', { domain: 'CORP', username: 'bridge' }],
    ['bridge@corp.example', { domain: '', username: 'bridge@corp.example' }],
    ['bridge', { domain: '', username: 'bridge' }],
    ['CORP\\brücke', { domain: 'CORP', username: 'brücke' }],
  ])('%s', (text, parts) => {
    expect(ntlmAccount(text, 'pw')).toEqual({ ...parts, password: 'pw' });
  });
});

describe('an AUTHENTICATE', () => {
  const account = { domain: 'Domain', username: 'User', password: 'Password' };

  it('has the LMv2 response of [MS-NLMP] 4.2.4.2.1 where the server does not say its time, and no MIC', () => {
    const made = encodeAuthenticate(account, { ...OPTIONS, challenge: decodeChallenge(SPEC_CHALLENGE) });
    const at = made.readUInt32LE(16);
    expect(made.subarray(at, at + 24).toString('hex')).toBe('86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa');
    const message = decodeAuthenticate(made);
    expect(message).toMatchObject({ username: 'User', domain: 'Domain', integrity: undefined });
    expect(isRightResponse(message.response!, responseKey(ntHash('Password'), 'User', 'Domain'), hex('0123456789abcdef'))).toBe(true);
  });

  it('carries the target info that Chromium makes of this one, and its proof', () => {
    const [, challenge, authenticate] = handshake('channel-bindings');
    const nt = authenticate.subarray(authenticate.readUInt32LE(24), authenticate.readUInt32LE(24) + authenticate.readUInt16LE(20));
    const info = answeredTargetInfo(decodeChallenge(challenge).targetInfo, { targetName: 'HTTP/Server', channelBindings: hex('6586e99d81c2fc984e47172fd4dd0310'), hasMic: true });
    expect(info.toString('hex')).toBe(nt.subarray(16 + 28, nt.length - 4).toString('hex'));
    expect(proofOf(responseKey(ntHash('Password'), 'User', 'Domain'), challenge.subarray(24, 32), nt.subarray(16))).toEqual(nt.subarray(0, 16));
  });

  it('has the MIC that Chromium and a script of its own make of these three messages', () => {
    for (const [name, password] of [['channel-bindings', 'Password'], ['windows-mic', 'Gröbaß-7!']] as const) {
      const [negotiate, challenge, authenticate] = handshake(name);
      const { username, domain, response } = decodeAuthenticate(authenticate);
      const blank = Buffer.from(authenticate).fill(0, 72, 88);
      const key = responseKey(ntHash(password), username, domain);
      expect([name, micOf(sessionBaseKey(key, response!.proof), negotiate, challenge, blank)]).toEqual([name, authenticate.subarray(72, 88)]);
    }
  });

  it("with the server's time: that time, 24 zeros for LM, a MIC, the target's name and the channel's bindings", () => {
    const umlauts = { domain: 'CORP', username: 'kim.Müller', password: 'Gröbaß-7!' };
    const challenge = decodeChallenge(WINDOWS_CHALLENGE);
    const made = encodeAuthenticate(umlauts, { ...OPTIONS, challenge, channelBindings: Buffer.alloc(16, 7) });
    const message = decodeAuthenticate(made);
    const key = responseKey(ntHash(umlauts.password), umlauts.username, umlauts.domain);
    expect(isRightResponse(message.response!, key, challenge.serverChallenge)).toBe(true);
    expect(message.integrity).toBeDefined();
    expect(isIntact(message, key, OPTIONS.negotiate, WINDOWS_CHALLENGE)).toBe(true);
    expect(isIntact(message, key, OPTIONS.negotiate, SPEC_CHALLENGE)).toBe(false);
    expect(new Date(message.response!.timestamp).toISOString()).toBe('2026-09-21T14:13:20.000Z');
    expect(made.subarray(88, 112)).toEqual(Buffer.alloc(24));
    const pairs = decodeAvPairs(message.response!.blob.subarray(28));
    expect(pairs.map(({ id }) => id)).toEqual([2, 1, 7, 6, 10, 9]);
    expect(pairs.at(-2)!.value).toEqual(Buffer.alloc(16, 7));
    expect(pairs.at(-1)!.value.toString('utf16le')).toBe('HTTP/Server');
  });

  it('offers nothing that the server did not take, and neither signing, sealing nor a key', () => {
    const greedy = Buffer.from(WINDOWS_CHALLENGE);
    greedy.writeUInt32LE(0xffff_ffff, 20);
    const flags = decodeAuthenticate(encodeAuthenticate(account, { ...OPTIONS, challenge: decodeChallenge(greedy) })).flags >>> 0;
    // Of all: what was offered, OEM left out, and TargetInfo.
    expect(flags.toString(16)).toBe((0xa208_8207 - 2 + 0x0080_0000).toString(16));
  });

  it('passes on what the server says of itself, but not what it says of channel and target', () => {
    const name = Buffer.from('x', 'utf16le');
    const said = decodeAvPairs(encodeAvPairs([{ id: 1, value: name }, { id: 9, value: name }, { id: 10, value: Buffer.alloc(16) }, { id: 6, value: hex('01000000') }, { id: 77, value: name }]));
    const pairs = decodeAvPairs(answeredTargetInfo(said, { targetName: 'HTTP/a', hasMic: true }));
    expect(pairs.map(({ id, value }) => [id, value.toString('hex')])).toEqual([[1, '7800'], [77, '7800'], [6, '03000000'], [9, Buffer.from('HTTP/a', 'utf16le').toString('hex')]]);
    expect(answeredTargetInfo([], { targetName: 'HTTP/a', channelBindings: Buffer.alloc(16) }).toString('hex')).toBe('00000000');
  });

  it('in OEM takes names of ASCII only', () => {
    const oem = Buffer.from(WINDOWS_CHALLENGE);
    oem.writeUInt32LE(((oem.readUInt32LE(20) & ~1) | 2) >>> 0, 20);
    const challenge = decodeChallenge(oem);
    expect(decodeAuthenticate(encodeAuthenticate(account, { ...OPTIONS, challenge }))).toMatchObject({ username: 'User', domain: 'Domain' });
    expect(() => encodeAuthenticate({ ...account, username: 'Müller' }, { ...OPTIONS, challenge })).toThrow(expect.objectContaining({ code: 'BACKEND_AUTH' }));
  });
});
