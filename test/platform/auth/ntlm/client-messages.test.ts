import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAuthenticate } from '../../../../src/platform/auth/ntlm/authenticate.ts';
import { decodeNegotiate } from '../../../../src/platform/auth/ntlm/negotiate.ts';
import { isIntact, isRightResponse, ntHash, responseKey, sessionBaseKey } from '../../../../src/platform/auth/ntlm/response.ts';

const FIXTURES = new URL('../../../../fixtures/ntlm/authenticate/', import.meta.url);

interface Expected {
  readonly password: string;
  readonly username: string;
  readonly domain: string;
  readonly responseKey: string;
  readonly proof: string;
  readonly sessionBaseKey: string;
  readonly timestamp: string;
  readonly mic: boolean;
}

interface Handshake {
  readonly negotiate: Buffer;
  readonly challenge: Buffer;
  readonly authenticate: Buffer;
  readonly expected: Expected;
}

function handshake(name: string): Handshake {
  const read = (file: string): string => readFileSync(new URL(`${name}/${file}`, FIXTURES), 'utf8');
  const [negotiate, challenge, authenticate] = read('message').trim().split('\n').map((line) => Buffer.from(line, 'base64')) as [Buffer, Buffer, Buffer];
  return { negotiate, challenge, authenticate, expected: JSON.parse(read('expected.json')) as Expected };
}

/** As a server judges it: `challenge[24..32]` is the server's challenge. False too for what cannot be read. */
function isTaken({ negotiate, challenge, authenticate }: Handshake, password: string): boolean {
  try {
    const message = decodeAuthenticate(authenticate);
    const key = responseKey(ntHash(password), message.username, message.domain);
    return message.response !== undefined && isRightResponse(message.response, key, challenge.subarray(24, 32)) && isIntact(message, key, negotiate, challenge);
  } catch (error) {
    expect(error).toMatchObject({ code: 'AUTH_FAILED' });
    return false;
  }
}

describe.each(readdirSync(FIXTURES))('%s', (name) => {
  const one = handshake(name);
  const { expected } = one;

  it('is read, and its keys are those computed elsewhere', () => {
    expect(decodeNegotiate(one.negotiate).flags >>> 0).toBe(one.negotiate.readUInt32LE(12));
    const message = decodeAuthenticate(one.authenticate);
    expect(message).toMatchObject({ username: expected.username, domain: expected.domain });
    expect(message.response?.proof.toString('hex')).toBe(expected.proof);
    expect(message.response?.hasMic).toBe(expected.mic);
    expect(message.integrity !== undefined).toBe(expected.mic);
    expect(new Date(message.response!.timestamp).toISOString()).toBe(expected.timestamp);
    const key = responseKey(ntHash(expected.password), message.username, message.domain);
    expect(key.toString('hex')).toBe(expected.responseKey);
    expect(sessionBaseKey(key, message.response!.proof).toString('hex')).toBe(expected.sessionBaseKey);
  });

  it('is taken with its password and no other', () => {
    expect(isTaken(one, expected.password)).toBe(true);
    for (const other of ['', `${expected.password} `, expected.password.toUpperCase(), expected.password.slice(1)]) expect(isTaken(one, other)).toBe(false);
  });

  it('answers its own challenge only', () => {
    for (let bit = 24 * 8; bit < 32 * 8; bit++) expect(isTaken({ ...one, challenge: flipped(one.challenge, bit) }, expected.password)).toBe(false);
  });


  it('is nothing when it breaks off anywhere', () => {
    for (let length = 0; length < one.authenticate.length; length++) {
      const cut = { ...one, authenticate: one.authenticate.subarray(0, length) };
      if (isTaken(cut, expected.password)) throw new Error(`cut to ${length} bytes it is taken`);
    }
  });
});

it.each(readdirSync(FIXTURES).filter((name) => handshake(name).expected.mic))('%s: the MIC vouches for every bit of all three messages', (name) => {
  const one = handshake(name);
  for (const part of ['negotiate', 'challenge', 'authenticate'] as const) {
    for (let bit = 0; bit < one[part].length * 8; bit++) {
      if (isTaken({ ...one, [part]: flipped(one[part], bit) }, one.expected.password)) throw new Error(`${part}: bit ${bit} may be changed`);
    }
  }
});

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
