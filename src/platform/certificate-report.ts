import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { LIMITS } from '../core/limits.ts';
import { renewedSince, shownChain } from './certificate-chain.ts';
import type { ShownChain } from './certificate-chain.ts';
import { codeOf } from './http-client/connection-error.ts';
import { ServerIdentityError, checkServerIdentity, countedNames, namesHost } from './server-identity.ts';
import type { NameCheck } from './server-identity.ts';
import { tlsTo } from './server-tls.ts';
import type { ServerTls } from './server-tls.ts';

/** What is the matter with a certificate, by the words that the original's troubleshooter has for it (presence.md, A81 and §A.12). */
export const CERTIFICATE_STATUS = {
  verified: 'Verified',
  'missing-from-chain': 'Certificate Missing From Chain',
  'cn-mismatch': 'Subject CN Mismatch',
  'bad-certificate': 'Bad Certificate',
  expired: 'Expired',
  'not-yet-valid': 'Not yet valid',
  'network-error': 'Network Error',
} as const;
export type CertificateCode = keyof typeof CERTIFICATE_STATUS;

/** What one address of the server showed. */
export interface AddressReport {
  /** IPv6 without brackets. */
  readonly address: string;
  readonly code: CertificateCode;
  /** OpenSSL's, TLS' or the system's own code (OpenSSL's words where Node has no code for it: a weak key or digest); undefined where it is verified. */
  readonly reason: string | undefined;
  /** Whether the names are right, whatever else is wrong; undefined where no certificate was seen. */
  readonly isNamed: boolean | undefined;
  /** The names that count. */
  readonly found: readonly string[];
  /** Subject of the trusted certificate that this server's was before it was renewed. */
  readonly renewed: string | undefined;
  /** Undefined where none was seen. */
  readonly shown: Omit<ShownChain, 'certificates'> | undefined;
}

export interface CertificateReport {
  readonly host: string;
  readonly port: number;
  /** Every address the name has, in the order of the name server; empty where there is none. */
  readonly addresses: readonly AddressReport[];
  /** Why the name has no address. */
  readonly unresolved: string | undefined;
  /** Addresses beyond LIMITS.certificateAddresses, which were not looked at. */
  readonly leftOut: number;
}

export interface CertificateQuestion extends ServerTls {
  /** A name, or an address with or without brackets. */
  readonly host: string;
  readonly port: number;
  readonly nameCheck: NameCheck;
  readonly signal: AbortSignal;
  /** Every address of a name; absent: as the machine does it. Throws an error with the system's code. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/**
 * Resolves the name and looks at the certificate of each address, all at the same time (presence.md, A12). Nothing is sent but the handshake. Never throws; over within
 * twice LIMITS.certificateTimeoutMs, or as soon as the signal fires.
 */
export async function reportCertificates(question: CertificateQuestion): Promise<CertificateReport> {
  const { port, resolve = ofTheMachine } = question;
  // Everybody listens to it, and nobody else's bound on listeners is for that.
  const signal = AbortSignal.any([question.signal]);
  setMaxListeners(0, signal);
  const host = question.host.replace(/^\[(.*)\]$/, '$1');
  const found = isIP(host) !== 0 ? { addresses: [host], unresolved: undefined } : await addressesOf(() => resolve(host), signal);
  const tried = found.addresses.slice(0, LIMITS.certificateAddresses);
  const addresses = await Promise.all(tried.map((address) => lookAt(address, { ...question, host, signal })));
  return { host, port, addresses, unresolved: found.unresolved, leftOut: found.addresses.length - tried.length };
}

async function ofTheMachine(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map((one) => one.address);
}

async function addressesOf(resolve: () => Promise<readonly string[]>, signal: AbortSignal): Promise<{ readonly addresses: readonly string[]; readonly unresolved: string | undefined }> {
  let over = (): void => undefined;
  // A look-up cannot be ended; it is not waited for.
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })), LIMITS.certificateTimeoutMs);
    const stop = (): void => reject(Object.assign(new Error('nobody waits any more'), { code: 'ABORT_ERR' }));
    over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    const all = await Promise.race([resolve(), late]);
    return all.length === 0 ? { addresses: [], unresolved: 'ENODATA' } : { addresses: [...new Set(all)], unresolved: undefined };
  } catch (error) {
    return { addresses: [], unresolved: codeOf(error) };
  } finally {
    over();
  }
}

/** One handshake, verified as every connection of ours; the certificate is read before its verdict, so that it can be shown whatever that is. */
async function lookAt(address: string, question: CertificateQuestion): Promise<AddressReport> {
  const { host, port, nameCheck, signal } = question;
  const isHost = checkServerIdentity(nameCheck);
  let shown: ShownChain | undefined;
  const handshake = new Promise<unknown>((resolve) => {
    const end = (outcome: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(outcome);
    };
    const socket = connect({
      host: address,
      port,
      ...tlsTo(question),
      // SNI takes names only.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      checkServerIdentity: (_asked, certificate) => isHost(host, certificate),
    });
    const coded = (code: string): Error => Object.assign(new Error(code), { code });
    const stop = (): void => end(coded('ABORT_ERR'));
    const timer = setTimeout(() => end(coded('ETIMEDOUT')), LIMITS.certificateTimeoutMs);
    // Node says `secure` at the end of the handshake and judges in its own listener for it; after that the certificate is gone. Without it the verdict stands alone.
    socket.prependOnceListener('secure', () => {
      try {
        shown = shownChain(socket.getPeerCertificate(true));
      } catch (thrown) {
        end(thrown);
      }
    });
    socket.once('secureConnect', () => end(undefined));
    socket.on('error', end);
    socket.once('close', () => end(coded('ECONNRESET')));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  // A port or an authority that is none throws before there is a connection.
  const error = await handshake.catch((thrown: unknown) => thrown);
  return judged(address, error, shown, question);
}

function judged(address: string, error: unknown, chain: ShownChain | undefined, { host, nameCheck, ca = [] }: CertificateQuestion): AddressReport {
  const found = chain === undefined ? (error instanceof ServerIdentityError ? error.found : []) : countedNames(chain.names, nameCheck);
  const isNamed = chain === undefined ? undefined : namesHost(chain.names, host, nameCheck);
  const reason = error === undefined ? undefined : reasonOf(error);
  const isUntrusted = reason !== undefined && reason !== 'ERR_TLS_CERT_ALTNAME_INVALID' && !OF_TIME.has(reason);
  const renewed = chain !== undefined && isUntrusted ? renewedSince(ca, chain) : undefined;
  const code = renewed === undefined ? codeFor(reason, chain !== undefined) : 'bad-certificate';
  return { address, code, reason, isNamed, found, renewed, shown: chain === undefined ? undefined : { names: chain.names, chain: chain.chain } };
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === 'UNSPECIFIED' && error instanceof Error ? error.message.slice(0, LIMITS.certificateNameCharacters) : code;
}

const OF_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

const MISSING = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
]);

/** Codes of OpenSSL's verification as Node gives them (doc/api/tls.md, X509 certificate error codes). */
function codeFor(reason: string | undefined, wasSeen: boolean): CertificateCode {
  if (reason === undefined) return 'verified';
  if (reason === 'ERR_TLS_CERT_ALTNAME_INVALID' || reason === 'HOSTNAME_MISMATCH') return 'cn-mismatch';
  if (reason === 'CERT_HAS_EXPIRED') return 'expired';
  if (reason === 'CERT_NOT_YET_VALID') return 'not-yet-valid';
  if (MISSING.has(reason)) return 'missing-from-chain';
  // Once the handshake is over, only the verdict on the certificate is left; or the connection broke in between.
  return wasSeen && !/^(?:E[A-Z]+|ABORT_ERR|ERR_SSL_.*)$/.test(reason) ? 'bad-certificate' : 'network-error';
}
