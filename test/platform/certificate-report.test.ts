import { createServer } from 'node:tls';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findingsOfCertificates } from '../../src/platform/certificate-findings.ts';
import { reportCertificates } from '../../src/platform/certificate-report.ts';
import type { CertificateQuestion, CertificateReport } from '../../src/platform/certificate-report.ts';
import { HttpClient } from '../../src/platform/http-client/http-client.ts';
import { CertificateWorkshop } from './certificate-workshop.ts';
import type { Made, Order } from './certificate-workshop.ts';
import { Authority } from './certificates.ts';
import type { Pem } from './certificates.ts';
import { Opened, get } from './http-client/servers.ts';

const opened = new Opened();
let workshop: CertificateWorkshop;
let root: Made;
let intermediate: Made;
beforeAll(() => {
  workshop = new CertificateWorkshop();
  root = workshop.make({ subject: '/O=Corp/CN=Corp Root', isAuthority: true });
  intermediate = workshop.make({ subject: '/O=Corp/CN=Corp Issuing', by: root, isAuthority: true });
});
afterAll(() => workshop.remove());
afterEach(() => opened.close());

/** A TLS server on loopback with this certificate and key, which answers whatever is asked by nothing. */
async function serve({ certificate, key }: Pem, options: TlsOptions = {}): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: certificate, key, ...options }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const leaf = (order: Partial<Order>): Made => workshop.make({ subject: '/O=Corp/CN=ews.corp.example', by: root, ...order });
const ask = (port: number, changes: Partial<CertificateQuestion> = {}): Promise<CertificateReport> =>
  reportCertificates({ host: 'ews.corp.example', port, ca: [root.certificate], nameCheck: 'san-then-cn', signal: AbortSignal.timeout(20_000), resolve: () => Promise.resolve(['127.0.0.1']), ...changes });
/** Code and what `presence check` would say. */
const judged = async (port: number, changes: Partial<CertificateQuestion> = {}): Promise<{ code: string | undefined; reason: string | undefined; outcome: string; text: string; advice: string }> => {
  const report = await ask(port, changes);
  const last = findingsOfCertificates(report).at(-1)!;
  return { code: report.addresses[0]?.code, reason: report.addresses[0]?.reason, outcome: last.outcome, text: last.text, advice: last.advice ?? '' };
};

describe('a certificate that is in order', () => {
  it('is Verified, with everything that an administrator asks for', async () => {
    const made = leaf({ by: intermediate, names: 'DNS:ews.corp.example,DNS:owa.corp.example,IP:127.0.0.1' });
    const report = await ask(await serve({ certificate: `${made.certificate}${intermediate.certificate}`, key: made.key }));
    expect(report).toMatchObject({ host: 'ews.corp.example', unresolved: undefined, leftOut: 0 });
    expect(report.addresses).toHaveLength(1);
    const [one] = report.addresses;
    expect(one).toMatchObject({ address: '127.0.0.1', code: 'verified', reason: undefined, isNamed: true, renewed: undefined, found: ['ews.corp.example', 'owa.corp.example', '127.0.0.1'] });
    expect(one?.shown?.names).toEqual({ common: ['ews.corp.example'], dns: ['ews.corp.example', 'owa.corp.example'], addresses: ['127.0.0.1'] });
    expect(one?.shown?.chain.map(({ subject, issuer }) => [subject, issuer])).toEqual([
      ['CN=ews.corp.example, O=Corp', 'CN=Corp Issuing, O=Corp'],
      ['CN=Corp Issuing, O=Corp', 'CN=Corp Root, O=Corp'],
      ['CN=Corp Root, O=Corp', 'CN=Corp Root, O=Corp'],
    ]);
    const [dns, certificate] = findingsOfCertificates(report);
    expect(dns).toEqual({ step: 'DNS', outcome: 'ok', text: 'ews.corp.example is 127.0.0.1' });
    expect(certificate).toMatchObject({ step: 'certificate', outcome: 'ok', text: expect.stringMatching(/^127\.0\.0\.1: Verified: CN=ews\.corp\.example, O=Corp, for ews\.corp\.example, owa\.corp\.example, 127\.0\.0\.1, issued by CN=Corp Issuing, O=Corp, until \d{4}-\d\d-\d\d, serial [0-9A-F]+$/) as string });
  });

  it.each<[string, Partial<Order>, string, CertificateQuestion['nameCheck']]>([
    ['by its common name alone', {}, 'ews.corp.example', 'san-then-cn'],
    ['by its common name, as 8.6 read it', { names: 'DNS:other.corp.example' }, 'ews.corp.example', 'cn-only'],
    ['by an alternative name alone', { subject: '/O=Corp', names: 'DNS:ews.corp.example' }, 'ews.corp.example', 'san-then-cn'],
    ['by a wildcard in its common name', { subject: '/CN=*.cup.cisco.com' }, 'x.cup.cisco.com', 'san-then-cn'],
    ['by a wildcard among its names', { names: 'DNS:*.cup.cisco.com' }, 'x.cup.cisco.com', 'san-then-cn'],
    ['by an address as its common name', { subject: '/CN=127.0.0.1' }, '127.0.0.1', 'san-then-cn'],
    ['by an address among its names', { names: 'IP:127.0.0.1' }, '127.0.0.1', 'san-then-cn'],
    ['by an international common name', { subject: '/CN=bücher.example' }, 'xn--bcher-kva.example', 'san-then-cn'],
  ])('may be so %s', async (_how, order, host, nameCheck) => {
    expect(await judged(await serve(leaf(order)), { host, nameCheck })).toMatchObject({ code: 'verified', outcome: 'ok' });
  });

  it('may be signed by itself, where it is trusted itself', async () => {
    const own = workshop.make({ subject: '/CN=ews.corp.example' });
    expect(await judged(await serve(own), { ca: [own.certificate] })).toMatchObject({ code: 'verified', outcome: 'ok', text: expect.stringContaining('issued by itself') as string });
  });

  it('is warned of a month before it ends, and so are those above it', async () => {
    const soon = await judged(await serve(leaf({ names: 'DNS:ews.corp.example', days: [-1, 29.5] })));
    expect(soon).toMatchObject({ code: 'verified', outcome: 'warn', text: expect.stringMatching(/^127\.0\.0\.1: Verified: .*; it ends in 29 days$/) as string, advice: expect.stringContaining('renew') as string });
    const issuing = workshop.make({ subject: '/CN=Short Issuing', by: root, isAuthority: true, days: [-1, 10.5] });
    const made = leaf({ by: issuing });
    expect(await judged(await serve({ certificate: `${made.certificate}${issuing.certificate}`, key: made.key }))).toMatchObject({ outcome: 'warn', text: expect.stringMatching(/; CN=Short Issuing ends in 10 days$/) as string });
    expect(await judged(await serve(leaf({ days: [-1, 31] })))).toMatchObject({ outcome: 'ok' });
  });

  it('may have no subject at all, as public authorities issue them', async () => {
    const authority = new Authority('Ours');
    const port = await serve(authority.issue('/', 'DNS:ews.corp.example', 100));
    expect(await judged(port, { ca: [authority.certificate] })).toMatchObject({ code: 'verified', text: expect.stringContaining('a certificate without subject, for ews.corp.example') as string });
    authority.remove();
  });
});

describe('Subject CN Mismatch', () => {
  it.each<[string, Partial<Order>, string, CertificateQuestion['nameCheck'], string, RegExp]>([
    ['the common name is another', {}, 'owa.corp.example', 'san-then-cn', 'expected owa.corp.example, found ews.corp.example', /give the name that the certificate has/],
    ['the common name is right and the alternative names are others', { names: 'DNS:a.example,DNS:b.example' }, 'ews.corp.example', 'san-then-cn', 'expected ews.corp.example, found a.example, b.example', /nameCheck: cn-only/],
    ['only an alternative name is right, and 8.6 reads none', { names: 'DNS:owa.corp.example' }, 'owa.corp.example', 'cn-only', 'expected owa.corp.example, found ews.corp.example', /give the name/],
    ['a wildcard is for one label', { names: 'DNS:*.cup.cisco.com' }, 'y.x.cup.cisco.com', 'san-then-cn', 'expected y.x.cup.cisco.com, found *.cup.cisco.com', /give the name/],
    ['a wildcard is not for the domain itself', { subject: '/CN=*.cup.cisco.com' }, 'cup.cisco.com', 'san-then-cn', 'expected cup.cisco.com, found *.cup.cisco.com', /give the name/],
    ['an address is asked for and names are there', { names: 'DNS:ews.corp.example' }, '127.0.0.1', 'san-then-cn', 'expected 127.0.0.1, found ews.corp.example', /IP address as its common name \(CN\)/],
    ['there is no name at all', { subject: '/O=Corp' }, 'ews.corp.example', 'san-then-cn', 'expected ews.corp.example, found no name at all', /give the name/],
  ])('is said where %s', async (_why, order, host, nameCheck, words, advice) => {
    const found = await judged(await serve(leaf(order)), { host, nameCheck });
    expect(found).toMatchObject({ code: 'cn-mismatch', outcome: 'fail', text: `127.0.0.1: Subject CN Mismatch: ${words}` });
    expect(found.advice).toMatch(advice);
  });
});

describe('a chain that does not hold', () => {
  it('lacks its intermediate', async () => {
    expect(await judged(await serve(leaf({ by: intermediate })))).toMatchObject({ code: 'missing-from-chain', outcome: 'fail', text: expect.stringMatching(/^127\.0\.0\.1: Certificate Missing From Chain: /) as string, advice: expect.stringContaining('"CN=Corp Issuing, O=Corp" is missing') as string });
  });

  it('lacks its root among those that are trusted', async () => {
    const stranger = workshop.make({ subject: '/CN=Other Root', isAuthority: true });
    const port = await serve(leaf({}));
    expect(await judged(port, { ca: [stranger.certificate] })).toMatchObject({ code: 'missing-from-chain' });
    expect(await judged(port, { ca: undefined })).toMatchObject({ code: 'missing-from-chain' });
    const whole = leaf({});
    expect(await judged(await serve({ certificate: `${whole.certificate}${root.certificate}`, key: whole.key }), { ca: [stranger.certificate] })).toMatchObject({ code: 'missing-from-chain', advice: 'put the root certificate "CN=Corp Root, O=Corp" into the file under tls.ca' });
  });

  it('is a certificate signed by itself', async () => {
    expect(await judged(await serve(workshop.make({ subject: '/CN=ews.corp.example' })))).toMatchObject({ code: 'missing-from-chain', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT', advice: expect.stringMatching(/signed by itself: compare its fingerprint .*\([0-9A-F:]{95}\)/) as string });
  });

  it('says besides that the name is wrong too', async () => {
    expect((await judged(await serve(workshop.make({ subject: '/CN=other.example' })))).text).toMatch(/besides, expected ews\.corp\.example, found other\.example$/);
  });

  it('has ended', async () => {
    expect(await judged(await serve(leaf({ days: [-20, -2] })))).toMatchObject({ code: 'expired', text: expect.stringMatching(/^127\.0\.0\.1: Expired: CN=ews\.corp\.example, O=Corp ended on \d{4}-\d\d-\d\d$/) as string });
    const ended = workshop.make({ subject: '/CN=Ended Issuing', by: root, isAuthority: true, days: [-20, -2] });
    const made = leaf({ by: ended });
    expect(await judged(await serve({ certificate: `${made.certificate}${ended.certificate}`, key: made.key }))).toMatchObject({ code: 'expired', text: expect.stringContaining('CN=Ended Issuing ended on') as string });
  });

  it('has not begun', async () => {
    expect(await judged(await serve(leaf({ days: [2, 50] })))).toMatchObject({ code: 'not-yet-valid', text: expect.stringMatching(/^127\.0\.0\.1: Not yet valid: .* begins on \d{4}-/) as string, advice: expect.stringContaining('clocks') as string });
  });
});

describe('Bad Certificate', () => {
  it('is said where the server\'s own certificate was renewed with another key', async () => {
    const old = workshop.make({ subject: '/O=Corp/CN=ews.corp.example' });
    const renewed = await judged(await serve(workshop.make({ subject: '/O=Corp/CN=ews.corp.example' })), { ca: [root.certificate, old.certificate] });
    expect(renewed).toMatchObject({ code: 'bad-certificate', outcome: 'fail', text: expect.stringContaining('"CN=ews.corp.example, O=Corp" under tls.ca has another key') as string, advice: expect.stringContaining('fingerprint') as string });
  });

  it('is not said where it was renewed with the same key: then it is only not trusted itself', async () => {
    const old = workshop.make({ subject: '/CN=ews.corp.example' });
    const again = workshop.make({ subject: '/CN=ews.corp.example', keyOf: old, days: [-1, 90] });
    expect((await judged(await serve(again), { ca: [old.certificate] })).code).not.toBe('bad-certificate');
  });

  it('is said where an authority was renewed: the one that is trusted has the same name and another key', async () => {
    const renewedRoot = workshop.make({ subject: '/O=Corp/CN=Corp Root', isAuthority: true });
    expect(await judged(await serve(leaf({ by: renewedRoot })))).toMatchObject({ code: 'bad-certificate', text: expect.stringContaining('"CN=Corp Root, O=Corp" under tls.ca has another key') as string });
  });

  it.each<[string, Partial<Order>, RegExp]>([
    ['a key of 768 bits', { key: ['rsa:768'] }, /key too weak/],
    ['a SHA-1 signature', { digest: 'sha1' }, /digest algorithm too weak/],
  ])('is said of what is weak: %s', async (_what, order, reason) => {
    const found = await judged(await serve(leaf(order), { ciphers: 'DEFAULT:@SECLEVEL=0' }));
    expect(found).toMatchObject({ code: 'bad-certificate', advice: expect.stringContaining('2048 bits') as string });
    expect(found.reason).toMatch(reason);
  });
});

describe('Network Error', () => {
  it('is said of an address where nobody answers, beside those where somebody does', async () => {
    const report = await ask(await serve(leaf({})), { resolve: () => Promise.resolve(['127.0.0.1', '127.0.0.2', '127.0.0.1']) });
    expect(report.addresses.map(({ address, code, reason }) => [address, code, reason])).toEqual([
      ['127.0.0.1', 'verified', undefined],
      ['127.0.0.2', 'network-error', 'ECONNREFUSED'],
    ]);
    expect(findingsOfCertificates(report).map((one) => one.outcome)).toEqual(['ok', 'ok', 'fail']);
    expect(findingsOfCertificates(report)[2]).toMatchObject({ text: `127.0.0.2: Network Error: port ${report.port}: ECONNREFUSED`, advice: expect.stringContaining('firewall') as string });
  });

  it('is said where no TLS is spoken', async () => {
    const { port } = await opened.raw((socket) => socket.end('220 mail ESMTP\r\n'));
    expect(await judged(Number(port))).toMatchObject({ code: 'network-error', advice: 'this port does not speak TLS: another port?' });
  });

  it('is said of TLS 1.1', async () => {
    const port = await serve(leaf({}), { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' });
    expect(await judged(port)).toMatchObject({ code: 'network-error', advice: expect.stringContaining('TLS 1.2') as string });
  });

  it('is said of a server that hangs up, and of one that says nothing until nobody waits any more', async () => {
    const { port } = await opened.raw((socket) => socket.destroy());
    expect(await judged(Number(port))).toMatchObject({ code: 'network-error', reason: 'ECONNRESET' });
    const gone = new AbortController();
    const server = createNetServer(() => gone.abort());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.add(() => server.close());
    expect(await judged((server.address() as AddressInfo).port, { signal: gone.signal })).toMatchObject({ code: 'network-error', reason: 'ABORT_ERR' });
  });
});

describe('a question that makes no sense', () => {
  it.each<[string, Partial<CertificateQuestion>]>([
    ['a port beyond all', { port: 70_000 }],
    ['authorities that are none', { ca: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'] }],
  ])('is answered all the same: %s', async (_what, changes) => {
    expect(await judged(await serve(leaf({})), changes)).toMatchObject({ outcome: 'fail' });
  });
});

describe('a name', () => {
  it('without any address is a failure of its own', async () => {
    const missing = await reportCertificates({ host: 'nowhere.invalid', port: 443, nameCheck: 'san-then-cn', signal: AbortSignal.timeout(20_000) });
    expect(missing.addresses).toEqual([]);
    expect(findingsOfCertificates(missing)).toEqual([{ step: 'DNS', outcome: 'fail', text: expect.stringMatching(/^nowhere\.invalid: E[A-Z_]+$/) as string, advice: expect.stringContaining('dns: none') as string }]);
    expect((await ask(1, { resolve: () => Promise.resolve([]) })).unresolved).toBe('ENODATA');
  });

  it('that nobody resolves in time is not waited for once nobody waits', async () => {
    const gone = new AbortController();
    const never = (): Promise<never> => {
      gone.abort();
      return new Promise(() => undefined);
    };
    expect((await ask(1, { resolve: never, signal: gone.signal })).unresolved).toBe('ABORT_ERR');
    expect((await ask(1, { resolve: () => new Promise(() => undefined), signal: AbortSignal.abort() })).unresolved).toBe('ABORT_ERR');
  });

  it('of more addresses than anybody has is looked at as far as the bound', async () => {
    const port = await serve(leaf({}));
    const report = await ask(port, { resolve: () => Promise.resolve(Array.from({ length: 40 }, (_, index) => `127.0.1.${index}`)) });
    expect([report.addresses.length, report.leftOut]).toEqual([32, 8]);
    expect(findingsOfCertificates(report)[0]).toMatchObject({ step: 'DNS', outcome: 'warn', text: expect.stringContaining('and 8 more, which were not looked at') as string });
  });
});

describe('what a hostile certificate says', () => {
  it('is cut and shown without control characters', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `DNS:n${index}.corp.example`).join(',');
    const report = await ask(await serve(leaf({ subject: '/O=Co\u202erp\u0007/CN=ews.corp.example', names })));
    expect(report.addresses[0]?.code).toBe('cn-mismatch');
    expect(report.addresses[0]?.shown?.names.dns).toHaveLength(100);
    expect(report.addresses[0]?.shown?.chain[0]?.subject).toBe('CN=ews.corp.example, O=Co\ufffdrp\\07');
    expect(findingsOfCertificates(report)[1]?.text).toMatch(/n9\.corp\.example and 90 more$/);
  });
});

describe('HttpClient with nameCheck', () => {
  const codeOf = async (made: Pem, nameCheck: CertificateQuestion['nameCheck'] | undefined, options: TlsOptions = {}): Promise<string> => {
    const client = new HttpClient({ ca: [root.certificate], nameCheck });
    opened.add(() => client.close());
    const port = await serve(made, options);
    return client.request(get(new URL(`https://127.0.0.1:${port}/`))).then(
      (answer) => String(answer.status),
      (error: unknown) => (error as { code: string }).code,
    );
  };

  it('takes an address in the common name, which Node does not', async () => {
    const made = leaf({ subject: '/CN=127.0.0.1' });
    expect(await codeOf(made, 'san-then-cn')).toBe('204');
    expect(await codeOf(made, 'cn-only')).toBe('204');
    // What holds where nothing is said is san-then-cn.
    expect(await codeOf(made, undefined)).toBe('204');
  });

  it('takes alternative names, or none of them', async () => {
    const made = leaf({ names: 'IP:127.0.0.1' });
    expect(await codeOf(made, 'san-then-cn')).toBe('204');
    expect(await codeOf(made, undefined)).toBe('204');
    expect(await codeOf(made, 'cn-only')).toBe('BACKEND_TLS');
    expect(await codeOf(leaf({ subject: '/CN=127.0.0.1', names: 'DNS:ews.corp.example' }), 'san-then-cn')).toBe('BACKEND_TLS');
  });

  it('trusts nobody more for it: strangers, the ended and the weak are refused whatever their names', async () => {
    expect(await codeOf(workshop.make({ subject: '/CN=127.0.0.1' }), 'cn-only')).toBe('BACKEND_TLS');
    expect(await codeOf(leaf({ subject: '/CN=127.0.0.1', days: [-20, -2] }), 'cn-only')).toBe('BACKEND_TLS');
    expect(await codeOf(leaf({ subject: '/CN=127.0.0.1', digest: 'sha1' }), 'cn-only', { ciphers: 'DEFAULT:@SECLEVEL=0' })).toBe('BACKEND_TLS');
  });
});
