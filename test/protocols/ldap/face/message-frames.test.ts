import { describe, expect, it } from 'vitest';
import { BerReader, berHeader } from '../../../../src/protocols/ldap/ber-read.ts';
import { BerWriter } from '../../../../src/protocols/ldap/ber-write.ts';
import { MessageFrames } from '../../../../src/protocols/ldap/face/message-frames.ts';

describe('frames of messages', () => {
  it.each([
    ['four gigabytes', '3084ffffffff', /BODY_TOO_LARGE/],
    ['one octet more than allowed', '308203e5', /BODY_TOO_LARGE/],
    ['a length in five octets', '30850000000005', /INVALID_REQUEST/],
    ['an indefinite length', '3080', /INVALID_REQUEST/],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n').toString('hex'), /INVALID_REQUEST/],
    ['TLS', '16030100', /INVALID_REQUEST/],
  ])('%s is refused before anything is kept for it', (_what, hex, refusal) => {
    expect(() => new MessageFrames().take(Buffer.from(hex, 'hex'), 1_000)).toThrow(refusal);
  });

  it('just what is allowed is not', () => {
    const frames = new MessageFrames();
    const message = Buffer.concat([Buffer.from('308203e4', 'hex'), Buffer.alloc(996)]);
    expect(frames.take(message.subarray(0, 500), 1_000)).toEqual({ taken: 500 });
    expect(frames.take(Buffer.concat([message.subarray(500), Buffer.of(0x30)]), 1_000)).toEqual({ taken: 500, message });
  });
});

describe('BER', () => {
  /** X.690 §8.3.2 and §8.1.3, and what `openssl asn1parse -genstr INTEGER:…` makes. */
  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [2 ** 31 - 1, '02047fffffff'],
    [-(2 ** 31), '020480000000'],
  ])('the integer %d', (value, hex) => {
    const writer = new BerWriter(1);
    writer.integer(2, value);
    expect(writer.finish().toString('hex')).toBe(hex);
    expect(new BerReader(Buffer.from(hex, 'hex')).expect(2).integer()).toBe(value);
  });

  it.each([0, 127, 128, 255, 256, 65_535, 65_536])('%d octets have the shortest length', (length) => {
    const writer = new BerWriter(1);
    const outer = writer.open(0x30);
    writer.text(4, 'x'.repeat(length));
    writer.close(outer);
    const bytes = writer.finish();
    const header = berHeader(bytes)!;
    expect(header.headerBytes + header.contentBytes).toBe(bytes.length);
    const size = length < 128 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 4;
    expect(header.contentBytes).toBe(1 + size + length);
    expect(new BerReader(bytes).expect(0x30).expect(4).text()).toBe('x'.repeat(length));
  });

  it('an element that is longer than what holds it, and an integer of five octets, are refused', () => {
    expect(() => new BerReader(Buffer.from('3003040561', 'hex')).expect(0x30).element()).toThrow(/INVALID_REQUEST/);
    expect(() => new BerReader(Buffer.from('02050100000000', 'hex')).expect(2).integer()).toThrow(/INVALID_REQUEST/);
    expect(() => new BerReader(Buffer.from('1f8101', 'hex')).element()).toThrow(/INVALID_REQUEST/);
  });
});
