import { X509Certificate } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { Router } from 'express';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { toBridgeError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';
import type { CertificateMark } from '../../../src/platform/auth/certificate-names.ts';
import { ClientSignIn } from '../../../src/platform/auth/client-sign-in.ts';
import type { ClientAccount, ClientSignInOptions } from '../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import { Listener } from '../../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { scopeOf } from '../../../src/platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../../src/platform/http-server/status-of.ts';
import { CertificateWorkshop } from '../certificate-workshop.ts';
import type { Made } from '../certificate-workshop.ts';
import { basic, MovableClock, requester } from './signing-in.ts';

const workshop = new CertificateWorkshop();
afterAll(() => workshop.remove());

const authority = workshop.make({ subject: '/CN=Clients', isAuthority: true });
const other = workshop.make({ subject: '/CN=Others', isAuthority: true });
const server = workshop.make({ subject: '/CN=bridge', by: authority, names: 'IP:127.0.0.1' });
const zimbra = workshop.make({ subject: '/O=Corp/CN=zimbra.corp.example', by: authority, names: 'DNS:Zimbra.corp.example,email:Ops@corp.example' });

const account = (name: string, certificate: CertificateMark, more: Partial<ClientAccount> = {}): ClientAccount => ({ requester: requester(name), certificate, auth: ['certificate'], ...more });
const BY_NAME = account('by-name', { commonName: 'zimbra.corp.example' });

interface Served {
  readonly url: URL;
  readonly clock: MovableClock;
  readonly reasons: (string | undefined)[];
  /** As a reload does. `clientCa` undefined: nobody is asked for a certificate any more. */
  reload(accounts: readonly ClientAccount[], clientCa: readonly string[] | undefined): void;
}

/** @param authorities null: nobody is asked for a certificate */
async function serve(accounts: readonly ClientAccount[], authorities: readonly string[] | null = [authority.certificate], more: Partial<ClientSignInOptions> = {}): Promise<Served> {
  const clientCa = authorities ?? undefined;
  const clock = new MovableClock();
  clock.at = Date.now();
  const failures = new FailureMemory(clock);
  const reasons: (string | undefined)[] = [];
  const appOf = (list: readonly ClientAccount[], ca: readonly string[] | undefined) => {
    const signIn = new ClientSignIn({ accounts: list, failures, tokenKey: Buffer.alloc(32, 7), clock, metrics: noMetrics, clientCa: ca, ...more });
    const router = Router();
    router.use(async (request, response) => {
      try {
        response.send((await signIn.fromRequest(request)).name);
      } catch (thrown) {
        const error = toBridgeError(thrown);
        reasons.push(scopeOf(request).fields.reason);
        response.status(STATUS_OF[error.code]).send(error.code);
      }
    });
    return createApp({ trustedProxies: more.trustedProxies ?? [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger: silentLogger, metrics: noMetrics });
  };
  const identity = (ca: readonly string[] | undefined) => ({ certificate: server.certificate, key: server.key, clientCa: ca });
  const listener = await Listener.open(new URL('https://127.0.0.1:0'), identity(clientCa), appOf(accounts, clientCa), silentLogger);
  onTestFinished(() => listener.close(0));
  return {
    url: new URL(listener.url),
    clock,
    reasons,
    reload: (list, ca) => {
      listener.setHandler(appOf(list, ca));
      listener.setCertificate(identity(ca));
    },
  };
}

/** One connection; the handshake is over. */
async function open({ url }: Served, made: Made | undefined, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: Number(url.port), ca: authority.certificate, ...(made === undefined ? {} : { cert: made.certificate, key: made.key }), ...more });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

/** What the face says to a request on this connection. */
async function ask(socket: Socket, headers: readonly string[] = []): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const [head = '', body] = text.split('\r\n\r\n');
      if (body === undefined || body.length < Number(/^content-length: (\d+)/im.exec(head)?.[1])) return;
      socket.off('data', take).off('error', reject);
      resolve(body);
    };
    socket.on('data', take).once('error', reject);
    socket.write([`GET / HTTP/1.1`, 'Host: bridge', ...headers, '', ''].join('\r\n'));
  });
}

const once = async (served: Served, made: Made | undefined, more?: ConnectionOptions): Promise<string> => ask(await open(served, made, more));

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a certificate, over %s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  it.each<[string, CertificateMark]>([
    ['its fingerprint', { fingerprint: new X509Certificate(zimbra.certificate).fingerprint256.replace(/:/g, '').toLowerCase() }],
    ['its common name', { commonName: 'zimbra.corp.example' }],
    ['its DNS name', { alternativeName: 'zimbra.corp.example' }],
    ['its mail address', { alternativeName: 'ops@corp.example' }],
  ])('makes a client known by %s, for every request on the connection', async (_what, mark) => {
    const served = await serve([account('nobody', { commonName: 'other' }), account('the client', mark)]);
    const socket = await open(served, zimbra, only);
    for (let n = 0; n < 3; n++) expect(await ask(socket)).toBe('the client');
    expect(await once(served, undefined, only)).toBe('AUTH_REQUIRED');
  });

  it('stays with a session that is resumed, and nobody becomes known by resuming without one', async () => {
    const served = await serve([BY_NAME]);
    const resumed = async (made: Made | undefined): Promise<[boolean, string]> => {
      const first = await open(served, made, only);
      // With TLS 1.3 it comes behind the handshake.
      const came = new Promise<Buffer>((resolve) => (version === 'TLSv1.2' ? resolve(first.getSession()!) : first.once('session', resolve)));
      await ask(first);
      const session = await came;
      first.destroy();
      const second = await open(served, made, { ...only, session });
      return [second.isSessionReused(), await ask(second)];
    };
    expect(await resumed(zimbra)).toEqual([true, 'by-name']);
    expect(await resumed(undefined)).toEqual([true, 'AUTH_REQUIRED']);
    expect(await resumed(workshop.make({ subject: '/CN=zimbra.corp.example', by: other }))).toEqual([true, 'AUTH_REQUIRED']);
  });

  it('that nobody vouches for, has ended, or is made for something else is as none, and the log says why', async () => {
    const served = await serve([BY_NAME]);
    const subject = '/CN=zimbra.corp.example';
    expect(await once(served, workshop.make({ subject, by: authority, days: [-10, -1] }), only)).toBe('AUTH_REQUIRED');
    expect(await once(served, workshop.make({ subject, by: authority, days: [1, 10] }), only)).toBe('AUTH_REQUIRED');
    expect(await once(served, workshop.make({ subject, by: other }), only)).toBe('AUTH_REQUIRED');
    expect(await once(served, workshop.make({ subject }), only)).toBe('AUTH_REQUIRED');
    expect(await once(served, workshop.make({ subject, by: authority, names: 'DNS:x.example\nextendedKeyUsage=serverAuth' }), only)).toBe('AUTH_REQUIRED');
    expect(served.reasons).toEqual([
      "the client's certificate is not accepted (CERT_HAS_EXPIRED)",
      "the client's certificate is not accepted (CERT_NOT_YET_VALID)",
      "the client's certificate is not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
      "the client's certificate is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)",
      "the client's certificate is not accepted (INVALID_PURPOSE)",
    ]);
  });
});

describe('a certificate', () => {
  it.each<[string, string, string | undefined, CertificateMark]>([
    ['two common names', '/CN=zimbra.corp.example/CN=evil', undefined, { commonName: 'zimbra.corp.example' }],
    ['another case of the common name', '/CN=ZIMBRA.corp.example', undefined, { commonName: 'zimbra.corp.example' }],
    ['a common name with a name in it', '/CN=evil\\nCN=zimbra.corp.example', undefined, { commonName: 'zimbra.corp.example' }],
    ['the name as its organisation', '/O=zimbra.corp.example/CN=evil', undefined, { commonName: 'zimbra.corp.example' }],
    ['no subject', '/O=x', 'DNS:y.example', { commonName: 'zimbra.corp.example' }],
    ['a wildcard', '/CN=x', 'DNS:*.corp.example', { alternativeName: 'zimbra.corp.example' }],
    ['the name as a URI', '/CN=x', 'URI:zimbra.corp.example', { alternativeName: 'zimbra.corp.example' }],
    ['the name as its common name', '/CN=zimbra.corp.example', undefined, { alternativeName: 'zimbra.corp.example' }],
    ['a longer name', '/CN=x', 'DNS:zimbra.corp.example.evil.example', { alternativeName: 'zimbra.corp.example' }],
    ['another fingerprint', '/CN=x', undefined, { fingerprint: 'ab'.repeat(32) }],
    ['no mark to be known by', '/CN=x', 'DNS:x.example', {}],
  ])('with %s is nobody\'s', async (_what, subject, names, mark) => {
    const served = await serve([account('the client', mark)]);
    expect(await once(served, workshop.make({ subject, by: authority, ...(names === undefined ? {} : { names }) }))).toBe('AUTH_REQUIRED');
    expect(served.reasons).toEqual(['no client has this certificate']);
  });

  it('of an authority below the trusted one counts when it brings that one along', async () => {
    const served = await serve([BY_NAME]);
    const below = workshop.make({ subject: '/CN=Below', by: authority, isAuthority: true });
    const made = workshop.make({ subject: '/CN=zimbra.corp.example', by: below });
    expect(await once(served, { ...made, certificate: made.certificate + below.certificate })).toBe('by-name');
    expect(await once(served, made)).toBe('AUTH_REQUIRED');
  });

  it('ends while its connection is open, and a moment of the future is none either', async () => {
    const served = await serve([BY_NAME]);
    const socket = await open(served, zimbra);
    expect(await ask(socket)).toBe('by-name');
    served.clock.at += 101 * 86_400_000;
    expect(await ask(socket)).toBe('AUTH_REQUIRED');
    expect(served.reasons).toEqual(["the client's certificate has ended"]);
  });

  it('counts beside other ways in only where it is the request\'s only one', async () => {
    const credentials = { username: 'zimbra', password: 'pw' };
    const either = account('either', { commonName: 'zimbra.corp.example' }, { auth: ['certificate', 'basic'], credentials });
    const served = await serve([either]);
    const socket = await open(served, zimbra);
    expect(await ask(socket)).toBe('either');
    expect(await ask(socket, [`Authorization: ${basic('zimbra', 'wrong')}`])).toBe('AUTH_FAILED');
    expect(await ask(socket, ['Authorization: Bearer abc'])).toBe('AUTH_FAILED');
    expect(await ask(await open(served, undefined), [`Authorization: ${basic('zimbra', 'pw')}`])).toBe('either');
    served.reload([{ ...either, auth: ['certificate'] }], [authority.certificate]);
    expect(await ask(await open(served, zimbra), [`Authorization: ${basic('zimbra', 'pw')}`])).toBe('AUTH_FAILED');
    served.reload([{ ...either, auth: ['basic'] }], [authority.certificate]);
    expect(await once(served, zimbra)).toBe('AUTH_REQUIRED');
  });

  it('of somebody who passes requests on is not the client\'s', async () => {
    const served = await serve([BY_NAME]);
    const socket = await open(served, zimbra);
    for (const header of ['X-Forwarded-For: 192.0.2.1', 'Via: 1.1 proxy', 'Forwarded: for=192.0.2.1']) expect([header, await ask(socket, [header])]).toEqual([header, 'AUTH_REQUIRED']);
    expect(await once(await serve([BY_NAME], [authority.certificate], { trustedProxies: ['127.0.0.1'] }), zimbra)).toBe('AUTH_REQUIRED');
    expect(await once(await serve([BY_NAME], [authority.certificate], { behindProxy: true }), zimbra)).toBe('AUTH_REQUIRED');
  });

  it('is good from the client\'s addresses only', async () => {
    expect(await once(await serve([account('far', { commonName: 'zimbra.corp.example' }, { addresses: new AddressSet(['192.0.2.0/24']) })]), zimbra)).toBe('AUTH_REQUIRED');
  });

  it('is not asked for where nobody vouches for any', async () => {
    const served = await serve([BY_NAME], null);
    expect(await once(served, zimbra)).toBe('AUTH_REQUIRED');
    expect(served.reasons).toEqual([undefined]);
  });
});

describe('a reload', () => {
  it('asks for certificates from now on, and stops asking', async () => {
    const served = await serve([BY_NAME], null);
    const before = await open(served, zimbra);
    served.reload([BY_NAME], [authority.certificate]);
    expect(await once(served, zimbra)).toBe('by-name');
    // Nobody asked when this one was made.
    expect(await ask(before)).toBe('AUTH_REQUIRED');
    served.reload([BY_NAME], undefined);
    expect(await once(served, zimbra)).toBe('AUTH_REQUIRED');
  });

  it('to other authorities: who was vouched for by the old ones has to connect anew, and sessions of before are no way round', async () => {
    const served = await serve([BY_NAME]);
    const renewed = workshop.make({ subject: '/CN=zimbra.corp.example', by: other });
    const kept = await open(served, zimbra);
    let session: Buffer | undefined;
    kept.on('session', (one: Buffer) => (session = one));
    expect(await ask(kept)).toBe('by-name');
    served.reload([BY_NAME], [other.certificate]);
    expect(await ask(kept)).toBe('AUTH_REQUIRED');
    expect(served.reasons).toEqual(["the client's certificate was vouched for by authorities of an earlier configuration; it may connect anew"]);
    expect(session).toBeDefined();
    const again = await open(served, zimbra, { session });
    expect([again.isSessionReused(), await ask(again)]).toEqual([false, 'AUTH_REQUIRED']);
    expect(await once(served, renewed)).toBe('by-name');
    // Both at once, while clients change over.
    served.reload([BY_NAME], [authority.certificate, other.certificate]);
    expect([await once(served, zimbra), await once(served, renewed)]).toEqual(['by-name', 'by-name']);
  });

  it('in the middle of a handshake leaves it with the authorities that it began with', async () => {
    const served = await serve([BY_NAME]);
    const raw = connectTcp({ host: '127.0.0.1', port: Number(served.url.port) });
    onTestFinished(() => void raw.destroy());
    await new Promise((resolve) => raw.once('connect', resolve));
    // The server has taken the connection when it answers another one that came later.
    await once(served, undefined);
    served.reload([BY_NAME], [other.certificate]);
    const socket = connect({ socket: raw, host: '127.0.0.1', ca: authority.certificate, cert: zimbra.certificate, key: zimbra.key });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(await ask(socket)).toBe('AUTH_REQUIRED');
    expect(served.reasons.at(-1)).toMatch(/earlier configuration/);
  });

  it('to other clients looks at certificates anew on connections that are open', async () => {
    const served = await serve([BY_NAME]);
    const socket = await open(served, zimbra);
    expect(await ask(socket)).toBe('by-name');
    served.reload([account('renamed', { alternativeName: 'ops@corp.example' })], [authority.certificate]);
    expect(await ask(socket)).toBe('renamed');
    served.reload([], [authority.certificate]);
    expect(await ask(socket)).toBe('AUTH_REQUIRED');
  });
});
