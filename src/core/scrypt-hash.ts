import { LIMITS } from './limits.ts';

/** A password's scrypt hash (RFC 7914), as it stands in a configuration. */
export interface ScryptHash {
  /** N is 2 to the power of this. */
  readonly cost: number;
  /** r */
  readonly blockSize: number;
  /** p */
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Of one verification, in bytes: 128·N·r. */
export function memoryOf({ cost, blockSize }: Pick<ScryptHash, 'cost' | 'blockSize'>): number {
  return 128 * 2 ** cost * blockSize;
}

/**
 * Reads `$scrypt$ln=17,r=8,p=1$SALT$HASH`, the PHC string format with its parameters in this order and unpadded base64; Python's passlib writes the same.
 *
 * @returns what is wrong, in words that quote nothing of it, for anything else and for parameters that cost more than LIMITS allow
 */
export function decodeScryptHash(text: string): ScryptHash | string {
  const match = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{1,86})\$([A-Za-z0-9+/]{1,86})$/.exec(text);
  if (match === null) return 'should be what freebusy-bridge hash-password prints, beginning with $scrypt$';
  const [cost, blockSize, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])] as const;
  const [salt, hash] = [fromBase64(match[4]!), fromBase64(match[5]!)];
  if (!isIn(cost, LIMITS.scryptCost)) return `has ln outside ${words(LIMITS.scryptCost)}`;
  if (!isIn(blockSize, LIMITS.scryptBlockSize)) return `has r outside ${words(LIMITS.scryptBlockSize)}`;
  if (!isIn(parallelism, LIMITS.scryptParallelism)) return `has p outside ${words(LIMITS.scryptParallelism)}`;
  if (salt === undefined || !isIn(salt.length, LIMITS.scryptSaltBytes)) return `has a salt that is no base64 of ${words(LIMITS.scryptSaltBytes)} bytes`;
  if (hash === undefined || !isIn(hash.length, LIMITS.scryptHashBytes)) return `has a hash that is no base64 of ${words(LIMITS.scryptHashBytes)} bytes`;
  if (memoryOf({ cost, blockSize }) > LIMITS.scryptBytes) return `takes more than ${LIMITS.scryptBytes / 2 ** 20} MiB for every sign-in; lower ln or r`;
  if (2 ** cost * blockSize * parallelism > LIMITS.scryptWork) return 'takes seconds for every sign-in; lower ln, r or p';
  return { cost, blockSize, parallelism, salt, hash };
}

export function encodeScryptHash({ cost, blockSize, parallelism, salt, hash }: ScryptHash): string {
  return `$scrypt$ln=${cost},r=${blockSize},p=${parallelism}$${toBase64(salt)}$${toBase64(hash)}`;
}

function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Undefined for what no bytes are written as: one spelling for one hash. */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return toBase64(bytes) === text ? bytes : undefined;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function isIn(value: number, { min, max }: Range): boolean {
  return value >= min && value <= max;
}

function words({ min, max }: Range): string {
  return `${min} to ${max}`;
}
