import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { DAY_MS } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import { codeOf } from './http-client/connection-error.ts';

/** One step on the way to a server; the steps after a failed one are not tried. */
export interface NetworkFinding {
  readonly step: 'DNS' | 'TCP' | 'TLS';
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly text: string;
  readonly advice?: string;
}

/** A certificate that ends within this time is worth a warning. */
export const CERTIFICATE_WARNING_DAYS = 21;

/** Walks to the server of a URL: name, port, and for https the certificate with its chain. Never throws. */
export async function probeNetwork(url: URL, ca: readonly string[] | undefined): Promise<readonly NetworkFinding[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const findings = [await probeName(host)];
  if (findings[0]!.outcome !== 'fail') findings.push(await probePort(host, port));
  if (findings.at(-1)!.outcome !== 'fail' && url.protocol === 'https:') findings.push(await probeCertificate(host, port, ca));
  return findings;
}

async function probeName(host: string): Promise<NetworkFinding> {
  try {
    const addresses = await lookup(host, { all: true });
    return { step: 'DNS', outcome: 'ok', text: `${host} is ${addresses.map((one) => one.address).join(', ')}` };
  } catch (error) {
    return { step: 'DNS', outcome: 'fail', text: `${host}: ${codeOf(error)}`, advice: 'correct the host name in `url`, or the name server of this machine' };
  }
}

async function probePort(host: string, port: number): Promise<NetworkFinding> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: LIMITS.connectTimeoutMs });
    const finish = (finding: NetworkFinding): void => {
      socket.destroy();
      resolve(finding);
    };
    const fail = (why: string): void =>
      finish({ step: 'TCP', outcome: 'fail', text: `port ${port}: ${why}`, advice: 'is the server running, is the port right, does a firewall stand between?' });
    socket.once('connect', () => finish({ step: 'TCP', outcome: 'ok', text: `port ${port} answers in ${Math.round(performance.now() - started)} ms` }));
    socket.once('timeout', () => fail('no answer'));
    socket.once('error', (error) => fail(codeOf(error)));
  });
}

async function probeCertificate(host: string, port: number, ca: readonly string[] | undefined): Promise<NetworkFinding> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), timeout: LIMITS.connectTimeoutMs, ...(ca === undefined ? {} : { ca: [...ca] }) });
    const finish = (finding: NetworkFinding): void => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('secureConnect', () => finish(describeCertificate(socket.getPeerCertificate(), socket.getProtocol() ?? 'TLS')));
    socket.once('timeout', () => finish({ step: 'TLS', outcome: 'fail', text: 'no TLS handshake', advice: 'is this an https port?' }));
    socket.once('error', (error) => finish({ step: 'TLS', outcome: 'fail', text: codeOf(error), advice: TLS_ADVICE[codeOf(error)] ?? 'the certificate or the TLS versions do not agree; give its authority as tls.ca' }));
  });
}

function describeCertificate(certificate: PeerCertificate, protocol: string): NetworkFinding {
  const daysLeft = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY_MS);
  const subject = [certificate.subject.CN].flat().join(', ');
  const text = `${protocol}, certificate of ${subject}, ends in ${daysLeft} days`;
  if (daysLeft > CERTIFICATE_WARNING_DAYS) return { step: 'TLS', outcome: 'ok', text };
  return { step: 'TLS', outcome: 'warn', text, advice: 'renew it on the server; the bridge needs no change as long as the authority stays' };
}

const TLS_ADVICE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'renew the certificate on the server',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet, or a clock is wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use a host name in `url` that the certificate names',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'give the self-signed certificate itself as tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'give the root certificate of your authority as tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server sends no intermediate certificate, or its authority is not in tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'give the root certificate of your authority as tls.ca',
  EPROTO: 'is this an https port?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'this port does not speak TLS: http://, or another port?',
};
