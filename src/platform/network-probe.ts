import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { DAY_MS } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import { codeOf } from './http-client/connection-error.ts';
import { tlsTo } from './server-tls.ts';
import type { ServerTls } from './server-tls.ts';
import { tlsTrouble } from './tls-trouble.ts';

/** One step on the way to a server; the steps after a failed one are not tried. */
export interface NetworkFinding {
  readonly step: 'DNS' | 'TCP' | 'TLS';
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly text: string;
  readonly advice?: string;
}

/** A certificate that ends within this time is worth a warning. */
export const CERTIFICATE_WARNING_DAYS = 21;

/**
 * Walks to the server of a URL: name, port, and for https the certificate with its chain. Never throws.
 *
 * @param tls of its system; with another `minTlsVersion` than the connections have, it would judge another handshake
 * @param resolve a name's address, for the connections; absent: as the machine does it
 */
export async function probeNetwork(url: URL, tls: ServerTls, resolve?: LookupFunction): Promise<readonly NetworkFinding[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const findings = [await probeName(host, resolve)];
  if (findings[0]!.outcome !== 'fail') findings.push(await probePort(host, port, resolve));
  if (findings.at(-1)!.outcome !== 'fail' && url.protocol === 'https:') findings.push(await probeCertificate(host, port, tls, resolve));
  return findings;
}

async function probeName(host: string, resolve: LookupFunction | undefined): Promise<NetworkFinding> {
  try {
    const addresses = resolve === undefined ? await lookup(host, { all: true }) : await resolved(host, resolve);
    return { step: 'DNS', outcome: 'ok', text: `${host} is ${addresses.map((one) => one.address).join(', ')}` };
  } catch (error) {
    return { step: 'DNS', outcome: 'fail', text: `${host}: ${codeOf(error)}`, advice: 'correct the host name in `url`, or the name server of this machine' };
  }
}

async function resolved(host: string, resolve: LookupFunction): Promise<readonly LookupAddress[]> {
  return new Promise((found, failed) => resolve(host, { all: true }, (error, addresses) => (error === null ? found(addresses as LookupAddress[]) : failed(error))));
}

async function probePort(host: string, port: number, resolve: LookupFunction | undefined): Promise<NetworkFinding> {
  const started = performance.now();
  return new Promise((found) => {
    const socket = connectTcp({ host, port, timeout: LIMITS.connectTimeoutMs, ...(resolve === undefined ? {} : { lookup: resolve }) });
    const finish = (finding: NetworkFinding): void => {
      socket.destroy();
      found(finding);
    };
    const fail = (why: string): void =>
      finish({ step: 'TCP', outcome: 'fail', text: `port ${port}: ${why}`, advice: 'is the server running, is the port right, does a firewall stand between?' });
    socket.once('connect', () => finish({ step: 'TCP', outcome: 'ok', text: `port ${port} answers in ${Math.round(performance.now() - started)} ms` }));
    socket.once('timeout', () => fail('no answer'));
    socket.once('error', (error) => fail(codeOf(error)));
  });
}

async function probeCertificate(host: string, port: number, tls: ServerTls, resolve: LookupFunction | undefined): Promise<NetworkFinding> {
  return new Promise((found) => {
    const socket = connectTls({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...tlsTo(tls),
      timeout: LIMITS.connectTimeoutMs,
      ...(resolve === undefined ? {} : { lookup: resolve }),
    });
    const finish = (finding: NetworkFinding): void => {
      socket.destroy();
      found(finding);
    };
    socket.once('secureConnect', () => finish(describeCertificate(socket.getPeerCertificate(), socket.getProtocol() ?? 'TLS')));
    socket.once('timeout', () => finish({ step: 'TLS', outcome: 'fail', text: 'no TLS handshake', advice: 'is this an https port?' }));
    socket.once('error', (error: Error) => finish({ step: 'TLS', outcome: 'fail', ...tlsTrouble(error) }));
  });
}

function describeCertificate(certificate: PeerCertificate, protocol: string): NetworkFinding {
  const daysLeft = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY_MS);
  const subject = [certificate.subject.CN].flat().join(', ');
  const text = `${protocol}, certificate of ${subject}, ends in ${daysLeft} days`;
  if (daysLeft > CERTIFICATE_WARNING_DAYS) return { step: 'TLS', outcome: 'ok', text };
  return { step: 'TLS', outcome: 'warn', text, advice: 'renew it on the server; the bridge needs no change as long as the authority stays' };
}
