import { describe, expect, it } from 'vitest';
import { md4 } from '../../../../src/platform/auth/ntlm/md4.ts';
import { rc4 } from '../../../../src/platform/auth/ntlm/rc4.ts';

describe('MD4 gives what RFC 1320 A.5 says', () => {
  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])('of %j', (text, digest) => {
    expect(md4(Buffer.from(text)).toString('hex')).toBe(digest);
  });

  it('of lengths around a block, where the padding takes another one', () => {
    // OpenSSL's legacy provider: `head -c N /dev/zero | openssl dgst -provider legacy -md4`.
    const lengths = Object.entries(AROUND_A_BLOCK).map(([length]) => [length, md4(Buffer.alloc(Number(length))).toString('hex')]);
    expect(Object.fromEntries(lengths)).toEqual(AROUND_A_BLOCK);
  });
});

const AROUND_A_BLOCK = {
  55: '2df5a83f688f18c0866c64173be82a8f',
  56: '7b9b4593cd9322ea492cf0bcdd84f0ae',
  57: '5dccb300d28e7ccc7519db5dd15e416a',
  63: '594697fc0810937e0e899a65911293b5',
  64: '2f6f7b10c5cadca6d5770f428c899ba7',
  65: '4fc27bbf517522311018663e59ced7a5',
  119: '8bf9d82d3cd1246ab64363d6da010259',
  120: '888e0376839fc84239dba15a308df398',
  128: 'f620fe08d59ed12ff6d1626c8205bae9',
  1000: '139981a0fa92dfd88c357a08b39ccc51',
};

describe('RC4 gives what is known of it', () => {
  it.each([
    ['Key', 'Plaintext', 'bbf316e8d940af0ad3'],
    ['Wiki', 'pedia', '1021bf0420'],
    ['Secret', 'Attack at dawn', '45a01f645fc35b383552544b9bf5'],
  ])('with the key %s', (key, text, expected) => {
    expect(rc4(Buffer.from(key), Buffer.from(text)).toString('hex')).toBe(expected);
  });

  it('as in RFC 6229 §2 for a key of 128 bits', () => {
    expect(rc4(Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex'), Buffer.alloc(32)).toString('hex')).toBe('9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c');
  });
});
