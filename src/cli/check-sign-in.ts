import { X509Certificate } from 'node:crypto';
import type { ClientConfig, Config } from '../config/config.ts';
import { DAY_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import { decodeScryptHash, memoryOf } from '../core/scrypt-hash.ts';
import { CERTIFICATE_WARNING_DAYS } from '../platform/network-probe.ts';

/** What stands in the way of each of a client's ways in. Asks nobody; its issuer: check-issuer.ts. */
export function checkSignIn(client: ClientConfig, config: Config, now: Instant): readonly ProbeFinding[] {
  return [
    ...(client.auth.includes('certificate') ? ofCertificate(client, config, now) : []),
    ...(client.auth.includes('bearer') ? ofToken(client) : []),
    ...(client.credentials?.passwordHash === undefined ? [] : ofHash(client.credentials.passwordHash.reveal())),
    ...ofFaces(client, config),
  ];
}

function ofCertificate({ auth, certificate }: ClientConfig, { listen, tls, behindProxy }: Config, now: Instant): readonly ProbeFinding[] {
  const step = 'certificate';
  const isOnly = auth.every((one) => one === 'certificate');
  const outcome = isOnly ? 'fail' : 'warn';
  if (behindProxy) return [{ step, outcome, text: 'cannot sign in by a certificate: the handshake ends at the proxy', advice: 'take behindProxy out, or give it another auth' }];
  if (!listen.some(({ protocol }) => protocol === 'https')) return [{ step, outcome, text: 'cannot sign in by a certificate: no listener is https', advice: 'listen on https with tls:, or give it another auth' }];
  const ends = (tls?.clientCa ?? []).map((pem) => Math.floor((Date.parse(new X509Certificate(pem).validTo) - now) / DAY_MS));
  if (ends.length === 0) return [{ step, outcome, text: 'nobody vouches for its certificate', advice: 'write tls: { clientCa } with the authorities (PEM) that have signed it' }];
  const advice = 'renew the authority, put the new one beside the old one in clientCa, then `reload`';
  if (ends.every((days) => days < 0)) return [{ step, outcome, text: 'every authority in tls.clientCa has ended', advice }];
  const next = Math.min(...ends.filter((days) => days >= 0));
  const mark = certificate?.fingerprint !== undefined ? 'its fingerprint: renew it here together with the certificate' : certificate?.commonName !== undefined ? `the common name ${certificate.commonName}` : `the alternative name ${certificate?.alternativeName ?? ''}`;
  const text = `known by ${mark}; an authority of tls.clientCa ends in ${next} ${next === 1 ? 'day' : 'days'}`;
  return [next < CERTIFICATE_WARNING_DAYS ? { step, outcome: 'warn', text, advice } : { step, outcome: 'ok', text }];
}

function ofToken({ token }: ClientConfig): readonly ProbeFinding[] {
  const claims = Object.entries(token?.claims ?? {}).map(([name, value]) => `${name} ${value}`);
  return [{ step: 'token', outcome: 'ok', text: `of ${token?.issuer ?? ''} with ${claims.join(' and ')}` }];
}

function ofHash(text: string): readonly ProbeFinding[] {
  const hash = decodeScryptHash(text);
  if (typeof hash === 'string') return [{ step: 'passwordHash', outcome: 'fail', text: hash, advice: 'make it anew with `freebusy-bridge hash-password`' }];
  const words = `scrypt, ln=${hash.cost}, ${memoryOf(hash) / 2 ** 20} MiB`;
  // OWASP's weakest row: N 2^17 with p 1, or the same work split up.
  const isWeak = 2 ** hash.cost * hash.blockSize * hash.parallelism < 2 ** LIMITS.scryptDefaultCost * 5;
  if (isWeak) return [{ step: 'passwordHash', outcome: 'warn', text: `${words}: cheap to guess`, advice: 'fine for a long random password; else make it anew with `freebusy-bridge hash-password`' }];
  return [{ step: 'passwordHash', outcome: 'ok', text: words }];
}

/** A client that only ways in are left to which no face has. */
function ofFaces({ auth, credentials, from }: ClientConfig, { systems, behindProxy }: Config): readonly ProbeFinding[] {
  const type = systems.find(({ name }) => name === from)?.type;
  const isModern = auth.length > 0 && auth.every((one) => one === 'bearer' || one === 'certificate');
  if (isModern && type === 'zimbra') return [{ step: 'sign-in', outcome: 'warn', text: 'a Zimbra brings neither a token nor a certificate', advice: 'write username, password and auth: [basic]' }];
  if (isModern && (type === 'exchange-ews' || type === 'exchange-webdav')) return [{ step: 'sign-in', outcome: 'warn', text: 'an Exchange brings neither a token nor a certificate to a foreign free/busy service', advice: 'write username, password and auth: [basic] or [ntlm]' }];
  if (credentials !== undefined && behindProxy && auth.length === 1 && auth[0] === 'ntlm') return [{ step: 'sign-in', outcome: 'fail', text: 'NTLM is not offered behind a proxy, and it has nothing else', advice: 'write auth: [basic], or let clients come directly' }];
  return [];
}
