import { randomBytes, scrypt } from 'node:crypto';
import { LIMITS } from '../../core/limits.ts';
import { memoryOf } from '../../core/scrypt-hash.ts';
import type { ScryptHash } from '../../core/scrypt-hash.ts';

/** The salt of a new hash, and its length. */
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** scrypt of a password in UTF-8 (RFC 7914 §6), in Node's pool of threads and not on the event loop. */
export async function derive(password: string, { cost, blockSize, parallelism, salt }: Omit<ScryptHash, 'hash'>, length: number): Promise<Buffer> {
  // OpenSSL counts the blocks of all p beside the table, and a little of its own.
  const maxmem = memoryOf({ cost, blockSize }) + 128 * blockSize * (parallelism + 2) + 1024;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N: 2 ** cost, r: blockSize, p: parallelism, maxmem }, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}

/** A new hash of a password, with a salt of its own. @param cost N as a power of two */
export async function hashPassword(password: string, cost: number = LIMITS.scryptDefaultCost): Promise<ScryptHash> {
  const parameters = { cost, blockSize: 8, parallelism: 1, salt: randomBytes(SALT_BYTES) };
  return { ...parameters, hash: await derive(password, parameters, HASH_BYTES) };
}
