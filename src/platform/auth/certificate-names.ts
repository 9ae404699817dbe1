import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { Instant } from '../../core/clock.ts';

/** What a client's certificate is known by; one of them. */
export interface CertificateMark {
  /** SHA-256 of the certificate, lower-case hex without colons. */
  readonly fingerprint?: string | undefined;
  /** Its only common name, as it stands. */
  readonly commonName?: string | undefined;
  /** A DNS name or a mail address among its alternative names, lower case. */
  readonly alternativeName?: string | undefined;
}

/** What a certificate says of its owner. */
export interface CertificateNames {
  readonly fingerprint: string;
  readonly commonNames: readonly string[];
  /** DNS names and mail addresses, lower case; a wildcard stands as it is and for nothing else. */
  readonly alternativeNames: readonly string[];
  readonly validFrom: Instant;
  readonly validTo: Instant;
}

export function namesOfCertificate(certificate: X509Certificate): CertificateNames {
  const { subject } = certificate.toLegacyObject() as Partial<Pick<PeerCertificate, 'subject'>>;
  return {
    fingerprint: certificate.fingerprint256.replace(/:/g, '').toLowerCase(),
    // Without any subject Node gives null.
    commonNames: [(subject as PeerCertificate['subject'] | null | undefined)?.CN ?? []].flat(),
    alternativeNames: alternativeNames(certificate.subjectAltName ?? ''),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  };
}

/** Whether the certificate is the one that is meant. */
export function isMarked({ fingerprint, commonNames, alternativeNames }: CertificateNames, mark: CertificateMark): boolean {
  if (mark.fingerprint !== undefined) return fingerprint === mark.fingerprint;
  // Of two common names nobody knows which one its authority has looked at.
  if (mark.commonName !== undefined) return commonNames.length === 1 && commonNames[0] === mark.commonName;
  return mark.alternativeName !== undefined && alternativeNames.includes(mark.alternativeName);
}

/** Of Node's text (`DNS:a.example, email:a@b.example`); a value with anything odd in it stands in JSON's quotes there, and is no name of a client. */
function alternativeNames(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|, )([A-Za-z][A-Za-z ]*):(?:"(?:[^"\\]|\\.)*"|([^",]*))(?=, |$)/g)].flatMap(([, kind, plain]) => ((kind === 'DNS' || kind === 'email') && plain !== undefined ? [plain.toLowerCase()] : []));
}
