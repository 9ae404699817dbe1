import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Whether a client that comes to `host` (as a URL has it: IPv6 in brackets) finds it in the certificate. */
export function namesHost(certificate: X509Certificate, host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  // checkIP throws on what is no IP address.
  return isIP(bare) === 0 ? certificate.checkHost(bare) !== undefined : certificate.checkIP(bare) !== undefined;
}

/** The names that a certificate has, for people. */
export function namesOf(certificate: X509Certificate): string {
  return (certificate.subjectAltName ?? certificate.subject).replaceAll('\n', ', ');
}

/** Of the domains, the names under which an Exchange without TargetAutodiscoverEpr looks for Autodiscover and which the certificate lacks. */
export function missingAutodiscoverNames(certificate: X509Certificate, domains: readonly string[]): readonly string[] {
  return domains.map((domain) => `autodiscover.${domain}`).filter((name) => !namesHost(certificate, name));
}
