import { describe, expect, it } from 'vitest';
import { decodeScryptHash, encodeScryptHash, memoryOf } from '../../src/core/scrypt-hash.ts';

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA';
const HASH = 'TJjr/Ypqj6yzRCZLwjlYnPlYFyEmiNsyuqLvPZ8ZUNg';
const words = (parameters: string, salt = SALT, hash = HASH): string => `$scrypt$${parameters}$${salt}$${hash}`;

describe('the words of a hash', () => {
  it('are read and written as they stand', () => {
    const text = words('ln=17,r=8,p=1');
    const hash = decodeScryptHash(text);
    expect(hash).toMatchObject({ cost: 17, blockSize: 8, parallelism: 1, salt: Buffer.from('saltsaltsaltsalt') });
    expect(encodeScryptHash(hash as Exclude<typeof hash, string>)).toBe(text);
    expect(memoryOf({ cost: 17, blockSize: 8 })).toBe(128 * 2 ** 20);
  });

  it.each(['ln=14,r=8,p=1', 'ln=18,r=8,p=4', 'ln=20,r=2,p=4', 'ln=14,r=32,p=16'])('may cost %s', (parameters) => {
    expect(decodeScryptHash(words(parameters))).toEqual(expect.any(Object));
  });

  it.each([
    ['ln=13,r=8,p=1', 'has ln outside 14 to 20'],
    ['ln=21,r=1,p=1', 'has ln outside 14 to 20'],
    ['ln=99,r=8,p=1', 'has ln outside 14 to 20'],
    ['ln=17,r=33,p=1', 'has r outside 1 to 32'],
    ['ln=17,r=8,p=17', 'has p outside 1 to 16'],
    ['ln=20,r=8,p=1', 'takes more than 256 MiB for every sign-in; lower ln or r'],
    ['ln=18,r=16,p=1', 'takes more than 256 MiB for every sign-in; lower ln or r'],
    ['ln=18,r=8,p=16', 'takes seconds for every sign-in; lower ln, r or p'],
  ])('that cost %s are refused: it %s', (parameters, mistake) => {
    expect(decodeScryptHash(words(parameters))).toBe(mistake);
  });

  it.each([
    ['no salt', words('ln=17,r=8,p=1', '')],
    ['a salt of seven bytes', words('ln=17,r=8,p=1', 'c2FsdHNhbA')],
    ['a salt that is written in another way than its bytes are', words('ln=17,r=8,p=1', 'c2FsdHNhbHRzYWx0c2FsdB')],
    ['a padded salt', words('ln=17,r=8,p=1', `${SALT}==`)],
    ['a hash of one byte', words('ln=17,r=8,p=1', SALT, 'TA')],
    ['a hash in base64url', words('ln=17,r=8,p=1', SALT, HASH.replace('/', '_'))],
    ['parameters in another order', words('r=8,ln=17,p=1')],
    ['a parameter too few', words('ln=17,r=8')],
    ['a leading zero', words('ln=017,r=8,p=1')],
    ['another algorithm', words('ln=17,r=8,p=1').replace('scrypt', 'argon2id')],
    ['something behind it', `${words('ln=17,r=8,p=1')}$`],
    ['a line behind it', `${words('ln=17,r=8,p=1')}\n`],
    ['no hash at all', 'swordfish'],
    ['nothing', ''],
  ])('with %s are none, and nothing of them is quoted', (_what, text) => {
    const mistake = decodeScryptHash(text);
    expect(mistake).toEqual(expect.stringMatching(/^(?:should be what freebusy-bridge hash-password prints|has )/));
    expect(mistake).not.toMatch(/swordfish|c2Fsd|TJjr/);
  });
});
