import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import { SECOND_MS } from '../../../core/clock.ts';
import type { Instant } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { KeySet } from './key-set.ts';

/** Only those with two halves (RFC 7518 §3.1, RFC 8037, RFC 9864): with HMAC everybody who can verify a token could make one, and `none` is nothing. */
export const TOKEN_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const;

export type Claims = Readonly<Record<string, unknown>>;

/** What a token says, not yet believed. */
export interface ReadToken {
  readonly text: string;
  /** Which key it says it is signed with. */
  readonly keyId: string | undefined;
  readonly issuer: string;
  readonly claims: Claims;
}

/** What became of verifying a token. */
export type Verdict =
  | { readonly kind: 'right'; readonly claims: Claims; /** When it ends. */ readonly expires: Instant }
  /** Signed by the issuer, and over: no guess of anybody's. */
  | { readonly kind: 'expired' }
  /** For the log: nothing of it is the token's own but what its issuer has signed. */
  | { readonly kind: 'wrong'; readonly reason: string };

/** Access tokens are `at+jwt` (RFC 9068 §2.1), or JWT as most still say; anything else (`logout+jwt`, `dpop+jwt`) is for something else. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'application/jwt', 'at+jwt', 'application/at+jwt']);

/**
 * Reads a JWT in compact form (RFC 7519 §7.2, steps 1 to 6) without verifying anything. Of a name that stands twice in its JSON the last one counts (RFC 7519 §4).
 *
 * @returns what is wrong, for the log, where it is none that could be verified
 */
export function readToken(text: string): ReadToken | string {
  if (text.length > LIMITS.bearerTokenCharacters) return `the token is longer than ${LIMITS.bearerTokenCharacters} characters`;
  const parts = text.split('.').length;
  if (parts === 5) return 'the token is encrypted; only signed ones are taken';
  if (parts !== 3) return 'the token is no JWT; opaque ones cannot be checked: have the issuer make JWTs for this audience';
  try {
    const { alg, kid, typ } = decodeProtectedHeader(text) as Claims;
    const claims = decodeJwt(text);
    if (!(TOKEN_ALGORITHMS as readonly unknown[]).includes(alg)) return `the token's algorithm is none of ${TOKEN_ALGORITHMS.join(', ')}`;
    if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase()))) return 'the token is no access token: its typ is neither JWT nor at+jwt';
    if (kid !== undefined && typeof kid !== 'string') return 'the token cannot be read';
    return typeof claims.iss === 'string' ? { text, keyId: kid, issuer: claims.iss, claims } : 'the token does not say who issued it (iss)';
  } catch {
    return 'the token cannot be read'; // jose's reason may quote it.
  }
}

/** Signature by one of the issuer's keys, issuer, audience and times (RFC 7519 §7.2; RFC 9068 §4). Signatures are verified in Node's pool of threads. */
export async function verifyToken({ text }: ReadToken, keys: KeySet, { issuer, audience, now }: { readonly issuer: string; readonly audience: readonly string[]; readonly now: Instant }): Promise<Verdict> {
  const options: JWTVerifyOptions = {
    algorithms: [...TOKEN_ALGORITHMS],
    issuer,
    audience: [...audience],
    requiredClaims: ['exp'],
    clockTolerance: LIMITS.tokenClockSkewMs / SECOND_MS,
    currentDate: new Date(now),
  };
  try {
    return judged(await signedClaims(text, keys, options), now);
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { kind: 'expired' };
    return { kind: 'wrong', reason: reasonOf(error, audience) };
  }
}

/** A token without a key id may be any key's of its kind. */
async function signedClaims(text: string, keys: KeySet, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(text, keys.find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(text, key, options)).payload;
      } catch (inner) {
        if (!(inner instanceof errors.JWSSignatureVerificationFailed)) throw inner;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function judged(claims: JWTPayload, now: Instant): Verdict {
  const { exp, iat } = claims;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return { kind: 'wrong', reason: 'the token does not say when it ends (exp)' };
  if (iat !== undefined && iat * SECOND_MS > now + LIMITS.tokenClockSkewMs) return { kind: 'wrong', reason: 'the token was issued in the future: one of the clocks is wrong' };
  // Bound to a key of the client's (RFC 8705, RFC 9449), whose possession it would have to prove: as a mere bearer it may have been stolen.
  if (claims['cnf'] !== undefined) return { kind: 'wrong', reason: 'the token is bound to a key of its client (cnf), which is not supported' };
  return { kind: 'right', claims, expires: exp * SECOND_MS + LIMITS.tokenClockSkewMs };
}

function reasonOf(error: unknown, audience: readonly string[]): string {
  if (error instanceof errors.JWKSNoMatchingKey) return 'the token is signed with a key that its issuer does not have';
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'the token cannot be read, or its key does not fit';
  switch (error.claim) {
    case 'aud':
      if (error.payload['aud'] === undefined) return 'the token does not say for whom it is (aud)';
      return `the token is for ${shownValue(error.payload['aud']) ?? 'somebody else'} (aud), not for ${audience.join(' or ')}`;
    case 'nbf':
      return 'the token does not hold yet (nbf): one of the clocks is wrong';
    default:
      return `the token's ${error.claim} is missing or wrong`;
  }
}

/** What a token's issuer wrote into it, as far as it is plain: it stands in the log for whoever sets a client up. */
export function shownValue(value: unknown): string | undefined {
  const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : '';
  return /^[\w.:/@ -]{1,200}$/.test(text) ? text : undefined;
}
