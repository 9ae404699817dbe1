import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import { serverNamesOf } from './server-identity.ts';
import type { ServerNames } from './server-identity.ts';

/** One certificate as a report shows it; texts are cut to bounds and free of control characters. */
export interface CertificateFacts {
  /** `CN=ews1.corp.example, O=Corp`; empty where there is none. */
  readonly subject: string;
  readonly issuer: string;
  readonly validFrom: Instant;
  readonly validTo: Instant;
  /** Hexadecimal. */
  readonly serial: string;
  readonly fingerprint256: string;
}

/** What a server showed. */
export interface ShownChain {
  readonly names: ServerNames;
  /** Leaf first; at most LIMITS.certificateChain. What the server did not send and we trust may stand at its end. */
  readonly chain: readonly CertificateFacts[];
  /** The certificates themselves, in the same order. */
  readonly certificates: readonly X509Certificate[];
}

/** Undefined where the server showed none, or one that cannot be read. Never throws. */
export function shownChain(leaf: Partial<DetailedPeerCertificate> | undefined): ShownChain | undefined {
  const certificates: X509Certificate[] = [];
  const seen = new Set<string>();
  for (let one = leaf; one?.raw !== undefined && certificates.length < LIMITS.certificateChain; one = one.issuerCertificate) {
    const certificate = readCertificate(one.raw);
    // The last of a chain is its own issuer, or nobody's.
    if (certificate === undefined || seen.has(certificate.fingerprint256)) break;
    seen.add(certificate.fingerprint256);
    certificates.push(certificate);
  }
  if (leaf === undefined || certificates.length === 0) return undefined;
  const { common, dns, addresses } = serverNamesOf(leaf);
  return { names: { common: bounded(common), dns: bounded(dns), addresses: bounded(addresses) }, chain: certificates.map(factsOf), certificates };
}

function bounded(names: readonly string[]): readonly string[] {
  return names.slice(0, LIMITS.certificateNames).map(shownText);
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  const { subject, issuer, serialNumber, fingerprint256, validFrom, validTo } = certificate;
  return { subject: oneLine(subject), issuer: oneLine(issuer), validFrom: Date.parse(validFrom), validTo: Date.parse(validTo), serial: serialNumber.slice(0, 64), fingerprint256 };
}

/** Node gives a name's parts most general first, each on its line, and nothing at all for an empty name. */
function oneLine(name: string | undefined): string {
  return shownText((name ?? '').split('\n').reverse().join(', '));
}

function shownText(text: string): string {
  const cut = text.length > LIMITS.certificateNameCharacters ? `${text.slice(0, LIMITS.certificateNameCharacters)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}

function readCertificate(data: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    return undefined; // OpenSSL's reason is a number that helps nobody.
  }
}

/**
 * The trusted certificate that was renewed: the chain holds one of the same subject with another key, or one that claims to be issued by it and is signed neither by its
 * key nor by another of the chain. Its subject; undefined where there is none.
 */
export function renewedSince(trusted: readonly string[], { certificates }: ShownChain): string | undefined {
  for (const pem of trusted) {
    const old = readCertificate(pem);
    const key = old === undefined ? undefined : keyOf(old);
    // Nameless ones are all of the same subject.
    if (old === undefined || key === undefined || (old.subject ?? '') === '') continue;
    const isOther = (one: X509Certificate): boolean => one.subject === old.subject && keyOf(one)?.equals(key) === false;
    const isStrangers = (one: X509Certificate): boolean => one.issuer === old.subject && ![old, ...certificates].some((issuer) => issuer.subject === one.issuer && isSignedBy(one, issuer));
    if (certificates.some((one) => isOther(one) || isStrangers(one))) return oneLine(old.subject);
  }
  return undefined;
}

function keyOf(certificate: X509Certificate): Buffer | undefined {
  try {
    return certificate.publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    return undefined; // A kind of key that OpenSSL does not know: nobody can compare it.
  }
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false; // A kind of key or signature that OpenSSL does not know.
  }
}
