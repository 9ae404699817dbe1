import { createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type * as z from 'zod';
import type { TlsIdentity } from '../config.ts';
import { certificateFile, pemFile } from '../fields/pem.ts';
import { section } from '../fields/section.ts';
import { Secret } from '../secret.ts';
import type { Surroundings } from '../surroundings.ts';

/** `tls:` of the listeners: both files read, and proved to belong together. */
export function tlsIdentity(surroundings: Surroundings): z.ZodType<TlsIdentity> {
  const shape = { certificate: pemFile('the certificate chain', surroundings), key: pemFile('the private key', surroundings), clientCa: certificateFile(surroundings).optional() };
  return section(shape).transform(({ certificate, key, clientCa }, ctx): TlsIdentity => {
    const refusal = refusedPair(certificate, key);
    if (refusal !== undefined) ctx.issues.push({ code: 'custom', path: [refusal.at], message: refusal.message, input: undefined });
    return { certificate, key: new Secret(key), clientCa };
  });
}

/** Why a certificate and a key are no pair; undefined where they are. OpenSSL's own texts are left out: they change between versions, and the key is near. */
export function refusedPair(cert: string, key: string): { at: 'certificate' | 'key'; message: string } | undefined {
  if (!accepts(() => createPrivateKey(key))) {
    return { at: 'key', message: 'the file holds no private key that can be read without a passphrase' };
  }
  if (!accepts(() => createSecureContext({ cert }))) {
    return { at: 'certificate', message: 'the file holds no certificate chain that can be read' };
  }
  if (!accepts(() => createSecureContext({ cert, key }))) return { at: 'key', message: 'the key does not belong to the certificate' };
  return undefined;
}

function accepts(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false; // The caller says which of the three failed; that is the whole reason.
  }
}
