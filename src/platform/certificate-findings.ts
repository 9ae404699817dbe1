import { isIP } from 'node:net';
import { DAY_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { CertificateFacts } from './certificate-chain.ts';
import { CERTIFICATE_STATUS } from './certificate-report.ts';
import type { AddressReport, CertificateReport } from './certificate-report.ts';
import { handshakeAdvice } from './tls-trouble.ts';

/** The report in an administrator's words: a line for the name, a line for every address. */
export function findingsOfCertificates(report: CertificateReport, now: Instant = Date.now()): readonly ProbeFinding[] {
  const { host, addresses, unresolved, leftOut } = report;
  if (unresolved !== undefined) return [{ step: 'DNS', outcome: 'fail', text: `${host}: ${unresolved}`, advice: 'correct the host name, or the name server of this machine; without any, give the IP address, and dns: none' }];
  const all = addresses.map((one) => one.address).join(', ');
  const resolved: readonly ProbeFinding[] =
    leftOut > 0
      ? [{ step: 'DNS', outcome: 'warn', text: `${host} is ${all} and ${leftOut} more, which were not looked at`, advice: `give the gateway a name with at most ${LIMITS.certificateAddresses} addresses` }]
      : isIP(host) === 0
        ? [{ step: 'DNS', outcome: 'ok', text: `${host} is ${all}` }]
        : [];
  return [...resolved, ...addresses.map((one) => findingOf(one, report, now))];
}

function findingOf(one: AddressReport, report: CertificateReport, now: Instant): ProbeFinding {
  const step = 'certificate';
  const status = `${one.address}: ${CERTIFICATE_STATUS[one.code]}`;
  const [leaf] = one.shown?.chain ?? [];
  if (one.code === 'verified') {
    const soonest = soonestOf(one.shown?.chain ?? []);
    const text = leaf === undefined ? status : `${status}: ${describe(leaf, one)}`;
    if (soonest === undefined || soonest.validTo - now > LIMITS.certificateWarningMs) return { step, outcome: 'ok', text };
    const what = soonest === leaf ? 'it' : nameOf(soonest);
    return { step, outcome: 'warn', text: `${text}; ${what} ends in ${Math.max(0, Math.floor((soonest.validTo - now) / DAY_MS))} days`, advice: what === 'it' ? 'renew the certificate on the server; the bridge needs no change as long as the authority stays' : `have ${what} renewed by its authority, and replace it on the server, or under tls.ca where it stands there` };
  }
  const { what, advice } = troubleOf(one, report, now);
  const others = one.code !== 'cn-mismatch' && one.isNamed === false ? `; besides, ${mismatch(one, report)}` : '';
  return { step, outcome: 'fail', text: `${status}: ${what}${others}`, advice };
}

function troubleOf(one: AddressReport, report: CertificateReport, now: Instant): { readonly what: string; readonly advice: string } {
  const chain = one.shown?.chain ?? [];
  const [leaf] = chain;
  const reason = one.reason ?? 'UNKNOWN';
  const shown = leaf === undefined ? reason : `${describe(leaf, one)} (${reason})`;
  switch (one.code) {
    case 'cn-mismatch':
      return { what: mismatch(one, report), advice: nameAdvice(one, report) };
    case 'missing-from-chain':
      return { what: shown, advice: chainAdvice(reason, chain.at(-1)) };
    case 'bad-certificate':
      return one.renewed === undefined
        ? { what: shown, advice: 'replace the certificate on the server by one with a key of 2048 bits (RSA) or 256 bits (EC) and a SHA-256 signature, issued for a server' }
        : { what: `${shown}; the certificate ${quoted(one.renewed)} under tls.ca has another key: it was renewed on the server`, advice: `compare its fingerprint with the server's own (${leaf?.fingerprint256 ?? 'none seen'}), then put the new certificate, or that of its authority, into the file under tls.ca and reload` };
    case 'expired': {
      const ended = chain.find(({ validTo }) => validTo < now) ?? leaf;
      return { what: ended === undefined ? reason : `${nameOf(ended)} ended on ${day(ended.validTo)}`, advice: 'renew that certificate on the server; until then nothing of this gateway is read' };
    }
    case 'not-yet-valid': {
      const early = chain.find(({ validFrom }) => validFrom > now) ?? leaf;
      return { what: early === undefined ? reason : `${nameOf(early)} begins on ${day(early.validFrom)}`, advice: 'set the clocks of both machines; if they are right, the certificate was issued too early' };
    }
    case 'network-error':
    case 'verified':
      return { what: `port ${report.port}: ${reason}`, advice: networkAdvice(reason) };
  }
}

function mismatch({ found }: AddressReport, { host }: CertificateReport): string {
  const shown = found.length === 0 ? 'no name at all' : `${found.slice(0, 10).join(', ')}${found.length > 10 ? ` and ${found.length - 10} more` : ''}`;
  return `expected ${host}, found ${shown}`;
}

function nameAdvice({ found, shown }: AddressReport, { host }: CertificateReport): string {
  const isCommonRight = shown?.names.common.some((one) => one.toLowerCase() === host.toLowerCase()) === true && !found.includes(host);
  if (isCommonRight) return 'the common name is right, but a certificate with alternative names counts by these: have the name added to them, or set nameCheck: cn-only';
  if (isIP(host) !== 0) return 'give the host name that the certificate has; where there is no name server, regenerate the certificate on the Exchange server with the IP address as its common name (CN)';
  return 'give the name that the certificate has, or renew the certificate on the server with this name';
}

function chainAdvice(reason: string, last: CertificateFacts | undefined): string {
  const at = 'the file under tls.ca';
  if (reason === 'DEPTH_ZERO_SELF_SIGNED_CERT') return `the certificate is signed by itself: compare its fingerprint with the server's own (${last?.fingerprint256 ?? 'none seen'}) and put it into ${at}`;
  if (last !== undefined && last.issuer === last.subject) return `put the root certificate ${quoted(last.subject)} into ${at}`;
  return `the certificate of the issuer${last === undefined ? '' : ` ${quoted(last.issuer)}`} is missing: let the server send its intermediate certificates, and put the root certificate into ${at}`;
}

function networkAdvice(reason: string): string {
  if (reason === 'ERR_SSL_WRONG_VERSION_NUMBER' || reason === 'EPROTO') return 'this port does not speak TLS: another port?';
  if (reason.startsWith('ERR_SSL_') || reason.startsWith('ERR_TLS_')) return handshakeAdvice(reason) ?? 'TLS versions or ciphers do not agree: the server should speak TLS 1.2 or later';
  return 'is the server running, is the port right, does a firewall stand between?';
}

/** The chain holds together until the first of them ends. */
function soonestOf(chain: readonly CertificateFacts[]): CertificateFacts | undefined {
  return chain.reduce<CertificateFacts | undefined>((least, one) => (least === undefined || one.validTo < least.validTo ? one : least), undefined);
}

function describe(leaf: CertificateFacts, { found }: AddressReport): string {
  const names = found.length === 0 ? '' : `, for ${found.slice(0, 5).join(', ')}${found.length > 5 ? ` and ${found.length - 5} more` : ''}`;
  return `${nameOf(leaf)}${names}, issued by ${leaf.issuer === leaf.subject ? 'itself' : leaf.issuer}, until ${day(leaf.validTo)}, serial ${leaf.serial}`;
}

function nameOf({ subject }: CertificateFacts): string {
  return subject === '' ? 'a certificate without subject' : subject;
}

function day(instant: Instant): string {
  return Number.isNaN(instant) ? 'an unreadable date' : new Date(instant).toISOString().slice(0, 10);
}

function quoted(text: string): string {
  return `"${text}"`;
}
