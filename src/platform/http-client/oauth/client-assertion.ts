import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../../core/clock.ts';
import { SECOND_MS } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';

/** PEM texts: of the certificate that the issuer knows (the first one is ours), and of its key without a passphrase. */
export interface CertificateCredential {
  readonly certificate: string;
  readonly key: string;
}

/** Signs that we are who the issuer has a certificate of (RFC 7523 §2.2, as Entra and AD FS want it). */
export class AssertionSigner {
  readonly #key: KeyObject;
  readonly #thumbprints: { readonly x5t: string; readonly 'x5t#S256': string };
  /** Signature algorithms that its key can do, the better one first. AD FS takes RS256 only. */
  readonly algorithms: readonly [string, ...string[]];

  /** @throws BridgeError CONFIGURATION where certificate or key cannot be read, or are not a pair */
  constructor({ certificate, key }: CertificateCredential) {
    const { read, secret } = pairOf(certificate, key);
    this.#key = secret;
    const thumbprint = (hash: string): string => createHash(hash).update(read.raw).digest('base64url');
    this.#thumbprints = { x5t: thumbprint('sha1'), 'x5t#S256': thumbprint('sha256') };
    this.algorithms = algorithmsOf(secret);
  }

  /** An assertion for one request. */
  async sign(algorithm: string, clientId: string, audience: string, clock: Clock): Promise<string> {
    const now = Math.floor(clock.now() / SECOND_MS);
    return new SignJWT()
      .setProtectedHeader({ typ: 'JWT', alg: algorithm, ...this.#thumbprints })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + LIMITS.assertionLifeMs / SECOND_MS)
      .sign(this.#key);
  }
}

function pairOf(certificate: string, key: string): { readonly read: X509Certificate; readonly secret: KeyObject } {
  try {
    const read = new X509Certificate(certificate);
    const secret = createPrivateKey(key);
    if (read.checkPrivateKey(secret)) return { read, secret };
  } catch (error) {
    throw unusable('certificate or key of the token request cannot be read', error);
  }
  throw unusable('certificate and key of the token request are not a pair');
}

function algorithmsOf(key: KeyObject): readonly [string, ...string[]] {
  if (key.asymmetricKeyType === 'rsa') return ['PS256', 'RS256'];
  const byCurve: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
  const algorithm = byCurve[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm === undefined) throw unusable('the key of the token request is of a kind that tokens cannot be signed with');
  return [algorithm];
}

function unusable(message: string, cause?: unknown): BridgeError {
  return new BridgeError('CONFIGURATION', message, { cause, details: { hint: 'PEM, an RSA key or one of P-256, without a passphrase: `openssl pkey -in KEY -noout` reads it' } });
}
