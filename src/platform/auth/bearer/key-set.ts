import { createHash } from 'node:crypto';
import { createLocalJWKSet } from 'jose';
import type { JWK } from 'jose';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';

/** The keys with which an issuer signs, as it publishes them: a JWK set (RFC 7517 §5). */
export interface KeySet {
  /** The same for the same keys. */
  readonly version: string;
  /** What `check` says of each: its type and, where it has them, algorithm and id. */
  readonly keys: readonly { readonly type: string; readonly algorithm: string | undefined; readonly id: string | undefined }[];
  /** Finds the key for a token's header; jose's own. */
  readonly find: ReturnType<typeof createLocalJWKSet>;
  /** Whether a key has this id; for undefined, whether there is any. */
  has(id: string | undefined): boolean;
}

/** Of a symmetric key nobody could publish a half. */
const TYPES: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);

/**
 * What cannot verify a signature is left out: keys for encryption, symmetric ones, whatever is no key, and a private one, which its issuer must not have published.
 *
 * @param document read from JSON
 * @throws BridgeError BACKEND_MALFORMED for what is no JWK set, has no such key, or more than LIMITS.issuerKeys
 */
export function decodeKeySet(document: unknown): KeySet {
  const list = typeof document === 'object' && document !== null ? (document as { readonly keys?: unknown }).keys : undefined;
  if (!Array.isArray(list)) throw malformed('answers with something that is no JWK set (an object with `keys`)');
  if (list.length > LIMITS.issuerKeys) throw malformed(`has more than ${LIMITS.issuerKeys} keys`);
  const keys = (list as readonly unknown[]).filter(isForVerifying);
  if (keys.length === 0) throw malformed('has no public key to verify signatures with');
  return {
    version: createHash('sha256').update(JSON.stringify(keys)).digest('base64'),
    keys: keys.map(({ kty, crv, alg, kid }) => ({ type: crv === undefined ? kty! : `${kty!} ${crv}`, algorithm: alg, id: kid })),
    find: createLocalJWKSet({ keys: [...keys] }),
    has: (id) => id === undefined || keys.some(({ kid }) => kid === id),
  };
}

function isForVerifying(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null) return false;
  const key = value as Readonly<Record<string, unknown>>;
  const isText = ['kid', 'alg', 'crv'].every((name) => key[name] === undefined || typeof key[name] === 'string');
  return TYPES.has(key['kty']) && isText && key['d'] === undefined && (key['use'] === undefined || key['use'] === 'sig');
}

function malformed(what: string): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', `the issuer of tokens ${what}`);
}
