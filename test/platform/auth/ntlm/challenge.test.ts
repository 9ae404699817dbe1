import { describe, expect, it } from 'vitest';
import { encodeChallenge } from '../../../../src/platform/auth/ntlm/challenge.ts';

const NOW = Date.UTC(2026, 8, 21, 14, 13, 20);
const SERVER_CHALLENGE = Buffer.from('a1b2c3d4e5f60718', 'hex');
const made = (flags: number): Buffer => encodeChallenge({ flags }, SERVER_CHALLENGE, NOW);
const utf16 = (text: string): string => Buffer.from(text, 'utf16le').toString('hex');

/** What Windows, curl, ews-javascript-api and Apache's HttpClient offer (fixtures/ntlm/authenticate). */
const OFFERS = { windows: 0xa208_8207, curl: 0x0008_8206, httpClient: 0xa208_8201, everything: 0xffff_ffff } as const;

describe('a CHALLENGE', () => {
  it('is laid out as [MS-NLMP] 2.2.1.2 says', () => {
    // Signature, type, target name (30 bytes at 56), flags, challenge, reserved, target info (84 bytes at 86), version, then both.
    const name = utf16('FREEBUSY-BRIDGE');
    expect(made(OFFERS.windows).toString('hex')).toBe(
      `4e544c4d53535000${'02000000'}${'1e001e0038000000'}${'05828aa2'}a1b2c3d4e5f607180000000000000000${'5400540056000000'}${'0601b11d0000000f'}` +
        `${name}02001e00${name}01001e00${name}070008000040b95ad349dd0100000000`,
    );
  });

  it('names its target for clients that ask for none, because HttpClient falls back to NTLMv1 otherwise', () => {
    const message = made(OFFERS.httpClient);
    expect(message.readUInt16LE(12)).toBe(30);
    expect(message.readUInt32LE(20) & 0x4).toBe(0x4);
  });

  it('is in OEM for clients that know nothing else; pairs are Unicode always', () => {
    const message = made(OFFERS.curl);
    expect(message.readUInt32LE(20) & 0x3).toBe(0x2);
    expect(message.subarray(56, 71).toString('latin1')).toBe('FREEBUSY-BRIDGE');
    expect(message.subarray(71).toString('hex')).toContain(utf16('FREEBUSY-BRIDGE'));
  });

  it('agrees to neither signing, sealing nor a key of its own, nor to LM, whatever is offered', () => {
    const flags = made(OFFERS.everything).readUInt32LE(20);
    for (const never of [0x2, 0x10, 0x20, 0x80, 0x800, 0x4000_0000]) expect(flags & never).toBe(0);
    // What Windows' own policies insist on: extended session security and 128 bits.
    expect(flags & 0x2008_0000).toBe(0x2008_0000);
  });

  it('offers nothing that the client did not, beside what it needs for NTLMv2', () => {
    expect(made(0x1).readUInt32LE(20)).toBe(0x0082_0205);
    expect(made(0x1).subarray(48, 56)).toEqual(Buffer.alloc(8));
  });
});
