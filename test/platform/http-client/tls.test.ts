import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../../src/platform/http-client/http-client.ts';
import { Authority } from '../certificates.ts';
import type { Pem } from '../certificates.ts';
import { get, Opened } from './servers.ts';

const opened = new Opened();
let ours: Authority;
let others: Authority;
let right: Pem;

beforeAll(() => {
  ours = new Authority('Ours');
  others = new Authority('Others');
  right = ours.issue('/CN=ews', 'IP:127.0.0.1,DNS:localhost', 10);
});
afterAll(() => {
  ours.remove();
  others.remove();
});
afterEach(() => opened.close());

let reached = 0;
async function serve({ certificate, key }: Pem): Promise<URL> {
  reached = 0;
  const server = createServer({ cert: certificate, key }, (_request, response) => {
    reached += 1;
    response.end('secret data');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function ask(url: URL, ca?: readonly string[]): Promise<unknown> {
  const client = new HttpClient(ca === undefined ? {} : { ca });
  opened.add(() => client.close());
  return client.request(get(url)).then((answer) => answer.body.toString(), (error: unknown) => error);
}

describe('TLS to a calendar system', () => {
  it('with a certificate of the right authority and name is spoken', async () => {
    expect(await ask(await serve(right), [ours.certificate])).toBe('secret data');
    expect(await ask(await serve(right), [others.certificate, ours.certificate])).toBe('secret data');
  });

  it.each([
    ['of another authority', (): Pem => right, (): readonly string[] => [others.certificate], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['of an authority that nobody knows', (): Pem => right, (): undefined => undefined, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['for another name', (): Pem => ours.issue('/CN=127.0.0.1', 'DNS:other.example', 10), (): readonly string[] => [ours.certificate], 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['that has ended', (): Pem => ours.issue('/CN=ews', 'IP:127.0.0.1', -1), (): readonly string[] => [ours.certificate], 'CERT_HAS_EXPIRED'],
  ])('with a certificate %s is BACKEND_TLS, and nothing is sent', async (_name, pem, ca, reason) => {
    expect(await ask(await serve(pem()), ca())).toMatchObject({ code: 'BACKEND_TLS', temporary: false, details: { reason } });
    expect(reached).toBe(0);
  });

  it('verifies whatever the environment says', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await ask(await serve(right), [others.certificate])).toMatchObject({ code: 'BACKEND_TLS' });
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });

  it('to a port that speaks plain HTTP is BACKEND_TLS', async () => {
    const plain = await opened.http((_request, response) => response.end());
    expect(await ask(new URL(`https://127.0.0.1:${plain.port}/`))).toMatchObject({ code: 'BACKEND_TLS' });
  });

  it('an authority given takes the place of Node’s own', async () => {
    // A leaf is no authority: neither it nor anything else is trusted then.
    expect(await ask(await serve(others.issue('/CN=x', 'IP:127.0.0.1', 10)), [right.certificate])).toMatchObject({ code: 'BACKEND_TLS' });
  });
});
