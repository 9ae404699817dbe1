import { describe, expect, it } from 'vitest';
import { decodeScryptHash, encodeScryptHash } from '../../../src/core/scrypt-hash.ts';
import { derive, hashPassword } from '../../../src/platform/auth/scrypt.ts';

describe('scrypt', () => {
  // RFC 7914 §12; its fourth vector takes 1 GiB.
  it.each([
    ['', '', 4, 1, 1, '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906'],
    ['password', 'NaCl', 10, 8, 16, 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640'],
    ['pleaseletmein', 'SodiumChloride', 14, 8, 1, '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887'],
  ])('of %j with the salt %j is what RFC 7914 says', async (password, salt, cost, blockSize, parallelism, expected) => {
    expect((await derive(password, { cost, blockSize, parallelism, salt: Buffer.from(salt) }, 64)).toString('hex')).toBe(expected);
  });

  it.each([[17, 8, 1], [18, 8, 1], [14, 32, 16]])('takes the memory that ln=%i,r=%i,p=%i needs', async (cost, blockSize, parallelism) => {
    expect(await derive('x', { cost, blockSize, parallelism, salt: Buffer.alloc(16) }, 32)).toHaveLength(32);
  });

  it('makes a hash with a salt of its own each time', async () => {
    const [one, other] = [await hashPassword('pä:ß', 14), await hashPassword('pä:ß', 14)];
    expect(one.salt.equals(other.salt)).toBe(false);
    expect(decodeScryptHash(encodeScryptHash(one))).toEqual(one);
    expect((await derive('pä:ß', one, 32)).equals(one.hash)).toBe(true);
  });
});
