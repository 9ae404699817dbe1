import { createServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { HttpClient } from '../../../src/platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../../src/platform/http-client/http-client.ts';
import { probeNetwork } from '../../../src/platform/network-probe.ts';
import { CertificateWorkshop } from '../certificate-workshop.ts';
import type { Made, Order } from '../certificate-workshop.ts';
import { get, Opened } from './servers.ts';

/** Certificates of calendar systems, right and wrong: which are taken, and what `check` tells about the others. Each host name leads to loopback here. */

const HOST = 'ews.corp.example';
const opened = new Opened();
const workshop = new CertificateWorkshop();
let root: Made;
let middle: Made;
let stranger: Made;
beforeAll(() => {
  root = workshop.make({ subject: '/O=Corp/CN=Corp Root', isAuthority: true });
  middle = workshop.make({ subject: '/O=Corp/CN=Corp Issuing', by: root, isAuthority: true });
  stranger = workshop.make({ subject: '/O=Else/CN=Other Root', isAuthority: true });
});
afterAll(() => workshop.remove());
afterEach(() => opened.close());

const leaf = (order: Partial<Order> = {}): Made => workshop.make({ subject: '/CN=server', by: root, names: `DNS:${HOST}`, ...order });

class TlsServer {
  #server: ReturnType<typeof createServer> | undefined;
  port = 0;
  reached = 0;

  /** Starts it, on the same port as before. */
  async start(chain: readonly Made[], options: ServerOptions = {}): Promise<void> {
    this.#server = createServer({ cert: chain.map((one) => one.certificate).join(''), key: chain[0]!.key, ...options }, (_request, response) => {
      this.reached += 1;
      response.end('calendar');
    });
    this.#server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function serve(chain: readonly Made[], options: ServerOptions = {}): Promise<TlsServer> {
  const server = new TlsServer();
  await server.start(chain, options);
  opened.add(() => server.stop());
  return server;
}

/** Leads every host to loopback, name and SNI as they would be. */
const toLoopback: NonNullable<HttpClientOptions['interceptors']>[number] = (dispatch) => (options, handler) => {
  const { host, port } = new URL(String(options.origin));
  return dispatch({ ...options, origin: `https://127.0.0.1:${port}`, headers: { ...(options.headers as Record<string, string>), host } }, handler);
};
const resolve: LookupFunction = (_host, options, found) => (options.all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4));

function clientWith(...authorities: readonly Made[]): HttpClient {
  const client = new HttpClient({ ca: authorities.map((one) => one.certificate), interceptors: [toLoopback] });
  opened.add(() => client.close());
  return client;
}

/** `taken`, or OpenSSL's and Node's reason for which it is not. */
async function outcome(client: HttpClient, { port }: TlsServer, host = HOST): Promise<unknown> {
  try {
    return (await client.request(get(new URL(`https://${host}:${port}/`)))).body.toString() === 'calendar' ? 'taken' : 'something else';
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code: 'BACKEND_TLS', temporary: false });
    return (error as BridgeError).details['reason'];
  }
}

async function told(server: TlsServer, authorities: readonly Made[], host = HOST): Promise<string> {
  const { outcome: end, text, advice } = (await probeNetwork(new URL(`https://${host}:${server.port}/`), { ca: authorities.map((one) => one.certificate) }, resolve)).at(-1)!;
  return `${end} ${text}: ${advice ?? ''}`;
}

describe('a certificate is taken', () => {
  it.each<[string, () => readonly Made[], string, (() => readonly Made[])?]>([
    ['with the name', () => [leaf()], HOST],
    ['with the name in another case, among others', () => [leaf({ names: 'DNS:a.example,DNS:EWS.Corp.Example' })], HOST],
    ['with the address', () => [leaf({ names: 'IP:127.0.0.1' })], '127.0.0.1'],
    ['with a wildcard of one level', () => [leaf({ names: 'DNS:*.corp.example' })], HOST],
    ['with its intermediate', () => [leaf({ by: middle }), middle], HOST],
    ['signed by itself, and trusted itself', () => [self()], HOST, () => [self()]],
    ['with a common name and no alternative ones, as Exchange 2003 has', () => [leaf({ subject: `/CN=${HOST}`, names: 'email:admin@corp.example' })], HOST],
    ['of one of two authorities', () => [leaf()], HOST, () => [stranger, root]],
    ['without its intermediate, which stands under tls.ca beside the root', () => [leaf({ by: middle })], HOST, () => [root, middle]],
  ])('%s', async (_name, chain, host, authorities = () => [root]) => {
    const server = await serve(chain());
    expect(await outcome(clientWith(...authorities()), server, host)).toBe('taken');
    expect(await told(server, authorities(), host)).toMatch(/^ok TLSv1\.3, certificate of /);
  });
});

let itself: Made | undefined;
const self = (): Made => (itself ??= workshop.make({ subject: `/CN=${HOST}`, names: `DNS:${HOST}` }));

describe('a certificate is refused, nothing is sent, and check says what to do', () => {
  const old: ServerOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
  const weak: ServerOptions = { ciphers: 'DEFAULT:@SECLEVEL=0' };
  it.each<[string, () => readonly Made[], { readonly host?: string; readonly options?: ServerOptions; readonly trust?: () => readonly Made[] }, RegExp, RegExp]>([
    ['that has ended', () => [leaf({ days: [-10, -1] })], {}, /CERT_HAS_EXPIRED/, /renew the certificate/],
    ['that begins tomorrow', () => [leaf({ days: [1, 10] })], {}, /CERT_NOT_YET_VALID/, /clocks/],
    ['for another name', () => [leaf({ names: 'DNS:mail.corp.example,DNS:owa.corp.example' })], {}, /ALTNAME/, /for mail\.corp\.example, owa\.corp\.example, not for ews\.corp\.example.*host name in `url`/],
    ['for another address', () => [leaf({ names: 'IP:192.0.2.7' })], { host: '127.0.0.1' }, /ALTNAME/, /for 192\.0\.2\.7, not for 127\.0\.0\.1/],
    ['with a wildcard two levels up', () => [leaf({ names: 'DNS:*.corp.example' })], { host: 'a.ews.corp.example' }, /ALTNAME/, /one label/],
    ['with a wildcard for the domain itself', () => [leaf({ names: 'DNS:*.corp.example' })], { host: 'corp.example' }, /ALTNAME/, /not for corp\.example/],
    ['with the right common name, and others as alternative names', () => [leaf({ subject: `/CN=${HOST}`, names: 'DNS:mail.corp.example' })], {}, /ALTNAME/, /for mail\.corp\.example, not for/],
    ['of another authority', () => [leaf({ by: stranger })], {}, /UNABLE_TO_VERIFY_LEAF_SIGNATURE/, /tls\.ca/],
    ['of another authority, shown with it', () => [leaf({ by: stranger }), stranger], {}, /SELF_SIGNED_CERT_IN_CHAIN/, /root certificate that is not trusted.*tls\.ca/],
    ['signed by itself', () => [self()], {}, /DEPTH_ZERO_SELF_SIGNED_CERT/, /signed by itself.*fingerprint/],
    ['without its intermediate', () => [leaf({ by: middle })], {}, /UNABLE_TO_VERIFY_LEAF_SIGNATURE/, /send its intermediate/],
    ['with an intermediate that has ended', () => [leaf({ by: ended() }), ended()], {}, /CERT_HAS_EXPIRED/, /its authority/],
    ['signed by a certificate that is no authority', () => [leaf({ by: leafAsAuthority() }), leafAsAuthority()], {}, /INVALID_(?:CA|PURPOSE)|UNABLE_TO/, /./],
    ['with a key of 768 bits', () => [leaf({ key: ['rsa:768'] })], { options: weak }, /UNSPECIFIED|KEY_TOO_SMALL/, /2048 bits/],
    ['signed with SHA-1', () => [leaf({ digest: 'sha1' })], { options: weak }, /UNSPECIFIED|MD_TOO_WEAK/, /SHA-256/],
    ['over TLS 1.0 and 1.1 only', () => [leaf()], { options: old }, /PROTOCOL|VERSION/, /TLS 1\.2/],
    ['over ciphers that encrypt nothing', () => [leaf({ key: ['rsa:2048'] })], { options: { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' } }, /HANDSHAKE_FAILURE/, /no cipher/],
    ['of an authority whose namesake is trusted', () => [leaf({ by: namesake() })], {}, /CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY_LEAF_SIGNATURE/, /tls\.ca/],
  ])('%s', async (_name, chain, { host = HOST, options = {}, trust = () => [root] }, reason, advice) => {
    const server = await serve(chain(), options);
    expect(await outcome(clientWith(...trust()), server, host)).toMatch(reason);
    expect(server.reached).toBe(0);
    const words = await told(server, trust(), host);
    expect(words).toMatch(/^fail/);
    expect(words).toMatch(advice);
  });

  let endedOne: Made | undefined;
  const ended = (): Made => (endedOne ??= workshop.make({ subject: '/CN=Ended Issuing', by: root, isAuthority: true, days: [-10, -1] }));
  let falseOne: Made | undefined;
  const leafAsAuthority = (): Made => (falseOne ??= leaf({ subject: '/CN=No Authority' }));
  let otherOne: Made | undefined;
  const namesake = (): Made => (otherOne ??= workshop.make({ subject: '/O=Corp/CN=Corp Root', isAuthority: true }));

  it('whatever the environment says of verifying', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const server = await serve([self()]);
      expect(await outcome(clientWith(root), server)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
      expect(await told(server, [root])).toMatch(/^fail/);
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });
});

describe('a certificate that was renewed', () => {
  it('with another key by the same authority is taken at once, by a client that has connections too', async () => {
    const server = await serve([leaf()]);
    const client = clientWith(root);
    await Promise.all([outcome(client, server), outcome(client, server), outcome(client, server)]);
    await server.stop();
    await server.start([leaf()]);
    expect(await outcome(client, server)).toBe('taken');
    expect(await told(server, [root])).toMatch(/^ok/);
  });

  it('by another authority is refused until the configuration names it', async () => {
    const server = await serve([leaf()]);
    const client = clientWith(root);
    expect(await outcome(client, server)).toBe('taken');
    await server.stop();
    await server.start([leaf({ by: stranger })]);
    expect(await outcome(client, server)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(server.reached).toBe(1);
    expect(await outcome(clientWith(root, stranger), server)).toBe('taken');
  });

  it('for another name is refused, though the pool has resumed sessions of the one before', async () => {
    const ticketKeys = Buffer.alloc(48, 7);
    const server = await serve([leaf()], { ticketKeys });
    const client = clientWith(root);
    expect(await outcome(client, server)).toBe('taken');
    await server.stop();
    await server.start([leaf({ names: 'DNS:other.corp.example' })]);
    expect(await outcome(client, server)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });
});

describe('several systems at once', () => {
  it('with authorities of their own trust nobody else’s', async () => {
    const [ours, theirs] = [await serve([leaf()]), await serve([leaf({ by: stranger })])];
    const [first, second] = [clientWith(root), clientWith(stranger)];
    const all = await Promise.all([outcome(first, ours), outcome(second, theirs), outcome(first, theirs), outcome(second, ours)]);
    expect(all).toEqual(['taken', 'taken', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });
});

describe('a system whose tls.minVersion is lowered', () => {
  const level0 = 'DEFAULT:@SECLEVEL=0';
  const lowered = (minTlsVersion: NonNullable<HttpClientOptions['minTlsVersion']>, ...authorities: readonly Made[]): HttpClient => {
    const client = new HttpClient({ ca: authorities.map((one) => one.certificate), minTlsVersion, interceptors: [toLoopback] });
    opened.add(() => client.close());
    return client;
  };
  const ends = (version: 'TLSv1' | 'TLSv1.1'): ServerOptions => ({ minVersion: 'TLSv1', maxVersion: version, ciphers: level0 });

  it('reaches servers that end there, and no older ones', async () => {
    const [oldest, older] = [await serve([leaf()], ends('TLSv1')), await serve([leaf()], ends('TLSv1.1'))];
    expect(await Promise.all([outcome(lowered('TLSv1', root), oldest), outcome(lowered('TLSv1', root), older), outcome(lowered('TLSv1.1', root), older)])).toEqual(['taken', 'taken', 'taken']);
    expect(await outcome(lowered('TLSv1.1', root), oldest)).toMatch(/PROTOCOL|VERSION/);
    expect(await outcome(lowered('TLSv1.2', root), older)).toMatch(/PROTOCOL|VERSION/);
    expect([oldest.reached, older.reached]).toEqual([1, 2]);
  });

  it('is beside another one that is not', async () => {
    const server = await serve([leaf()], ends('TLSv1'));
    const [low, usual] = [lowered('TLSv1', root), clientWith(root)];
    const all = await Promise.all([outcome(low, server), outcome(usual, server), outcome(low, server), outcome(usual, server)]);
    expect(all).toEqual(['taken', expect.stringMatching(/PROTOCOL|VERSION/), 'taken', expect.stringMatching(/PROTOCOL|VERSION/)]);
  });

  it.each<[string, () => readonly Made[], RegExp]>([
    ['of another authority', () => [leaf({ by: stranger })], /UNABLE_TO_VERIFY_LEAF_SIGNATURE/],
    ['for another name', () => [leaf({ names: 'DNS:mail.corp.example' })], /ALTNAME/],
    ['that has ended', () => [leaf({ days: [-10, -1] })], /CERT_HAS_EXPIRED/],
    ['signed by itself', () => [self()], /DEPTH_ZERO_SELF_SIGNED_CERT/],
  ])('still refuses a certificate %s', async (_name, chain, reason) => {
    const server = await serve(chain(), ends('TLSv1'));
    expect(await outcome(lowered('TLSv1', root), server)).toMatch(reason);
    expect(server.reached).toBe(0);
  });

  it('takes what comes with it: keys of 1024 bits, SHA-1, and ciphers without an exchange of keys', async () => {
    const server = await serve([leaf({ key: ['rsa:1024'], digest: 'sha1' })], { ...ends('TLSv1'), ciphers: 'AES128-SHA:@SECLEVEL=0' });
    expect(await outcome(lowered('TLSv1', root), server)).toBe('taken');
  });

  it('takes no server without a certificate, and none that encrypts nothing', async () => {
    for (const ciphers of ['AECDH-AES128-SHA:@SECLEVEL=0', 'NULL-SHA:@SECLEVEL=0']) {
      const server = await serve([leaf({ key: ['rsa:2048'] })], { ...ends('TLSv1'), ciphers });
      expect(await outcome(lowered('TLSv1', root), server)).toMatch(/HANDSHAKE_FAILURE/);
    }
  });

  it('still speaks the newest that the server has', async () => {
    const server = await serve([leaf()]);
    const [, , tls] = await probeNetwork(new URL(`https://${HOST}:${server.port}/`), { ca: [root.certificate], minTlsVersion: 'TLSv1' }, resolve);
    expect(tls?.text).toMatch(/^TLSv1\.3, /);
  });

  it.each(['tls1', 'tls1_1'])('reaches openssl s_server -%s', async (version) => {
    const port = await opensslServer(version, leaf({ key: ['rsa:1024'], digest: 'sha1' }));
    const client = lowered('TLSv1', root);
    expect((await client.request(get(new URL(`https://${HOST}:${port}/`)))).status).toBe(200);
    await expect(clientWith(root).request(get(new URL(`https://${HOST}:${port}/`)))).rejects.toMatchObject({ code: 'BACKEND_TLS' });
  });

  /** With -www it answers every GET by a page about the handshake. */
  async function opensslServer(version: string, { id }: Made): Promise<number> {
    const server = workshop.serve(id, [`-${version}`, '-cipher', level0, '-www']);
    opened.add(() => server.kill());
    let said = '';
    for await (const chunk of server.stdout!) {
      said += String(chunk);
      const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error(`openssl s_server ended: ${said}`);
  }
});
