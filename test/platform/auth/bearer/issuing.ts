import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { JWTHeaderParameters } from 'jose';
import { decodeKeySet } from '../../../../src/platform/auth/bearer/key-set.ts';
import type { KeySet } from '../../../../src/platform/auth/bearer/key-set.ts';
import { MovableClock } from '../signing-in.ts';

export const ISSUER = 'https://login.corp.example/tenant';
export const AUDIENCE = 'api://freebusy-bridge';
export const NOW = new MovableClock().at;
const SECONDS = NOW / 1000;

/** A key of an issuer's. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function signingKey(alg: string, kid: string | undefined = `key-${alg}`): SigningKey {
  const { privateKey } = keyPair(alg);
  return { alg, kid, privateKey, jwk: { ...createPublicKey(privateKey).export({ format: 'jwk' }), ...(kid === undefined ? {} : { kid }), use: 'sig' } };
}

function keyPair(alg: string): { readonly privateKey: KeyObject } {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  if (alg.startsWith('ES')) return generateKeyPairSync('ec', { namedCurve: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg]! });
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

export function keySet(...keys: readonly SigningKey[]): KeySet {
  return decodeKeySet({ keys: keys.map(({ jwk }) => jwk) });
}

/** A right token of a client, but for what is changed; undefined takes a claim out. */
export async function token(key: SigningKey, claims: Readonly<Record<string, unknown>> = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
  const all = { iss: ISSUER, aud: AUDIENCE, sub: 'desk', azp: 'client-1', iat: SECONDS - 10, exp: SECONDS + 600, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: key.alg, typ: 'at+jwt', ...(key.kid === undefined ? {} : { kid: key.kid }), ...header }).sign(key.privateKey);
}

export const seconds = (offset: number): number => SECONDS + offset;

/** A JWS part. */
export const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
