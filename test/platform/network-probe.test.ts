import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createNetServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { probeNetwork } from '../../src/platform/network-probe.ts';
import { Authority } from './certificates.ts';
import type { Pem } from './certificates.ts';
import { Opened } from './http-client/servers.ts';

const opened = new Opened();
let authority: Authority;
beforeAll(() => (authority = new Authority('Ours')));
afterAll(() => authority.remove());
afterEach(() => opened.close());

async function serve({ certificate, key }: Pem): Promise<URL> {
  const server = createServer({ cert: certificate, key }, (_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/EWS?secret=canary`);
}

const outcomes = async (url: URL): Promise<unknown> => (await probeNetwork(url, { ca: [authority.certificate] })).map((one) => `${one.step} ${one.outcome}`);

describe('the way to a server', () => {
  it('is walked step by step: name, port, certificate', async () => {
    const findings = await probeNetwork(await serve(authority.issue('/CN=ews', 'IP:127.0.0.1', 100)), { ca: [authority.certificate] });
    expect(findings.map((one) => `${one.step} ${one.outcome}`)).toEqual(['DNS ok', 'TCP ok', 'TLS ok']);
    expect(findings[2]!.text).toMatch(/certificate of ews, ends in (?:99|100) days/);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });

  it('warns of a certificate that ends soon', async () => {
    expect(await outcomes(await serve(authority.issue('/CN=ews', 'IP:127.0.0.1', 5)))).toEqual(['DNS ok', 'TCP ok', 'TLS warn']);
  });

  it('may lead to a certificate without any subject, as public authorities issue them now', async () => {
    expect(await outcomes(await serve(authority.issue('/', 'IP:127.0.0.1', 100)))).toEqual(['DNS ok', 'TCP ok', 'TLS ok']);
  });

  it.each([
    ['has ended', '/CN=ews', 'IP:127.0.0.1', -1],
    ['names somebody else', '/CN=ews', 'DNS:other.example', 100],
  ])('says what to do about a certificate that %s', async (_name, subject, names, days) => {
    const findings = await probeNetwork(await serve(authority.issue(subject, names, days)), { ca: [authority.certificate] });
    expect(findings[2]).toMatchObject({ step: 'TLS', outcome: 'fail', advice: expect.stringMatching(/renew|name/) as string });
  });

  it('does not try what stands behind a failed step', async () => {
    expect(await outcomes(new URL('https://nowhere.invalid/'))).toEqual(['DNS fail']);
    const server = createNetServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await outcomes(new URL(`https://127.0.0.1:${port}/`))).toEqual(['DNS ok', 'TCP fail']);
    expect(await outcomes(new URL(`http://127.0.0.1:${port}/`))).toEqual(['DNS ok', 'TCP fail']);
  });

  it('is no TLS where the port speaks plain text', async () => {
    const url = await opened.raw((socket) => socket.end('220 mail ESMTP\r\n'));
    expect(await outcomes(new URL(`https://127.0.0.1:${url.port}/`))).toEqual(['DNS ok', 'TCP ok', 'TLS fail']);
    expect(await outcomes(new URL(`http://127.0.0.1:${url.port}/`))).toEqual(['DNS ok', 'TCP ok']);
  });
});
