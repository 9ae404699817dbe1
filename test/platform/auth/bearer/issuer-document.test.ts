import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { BridgeError } from '../../../../src/core/errors.ts';
import { readKeys } from '../../../../src/platform/auth/bearer/issuer-document.ts';
import { Authority } from '../../certificates.ts';
import { AUDIENCE, signingKey } from './issuing.ts';

const JWKS = JSON.stringify({ keys: [signingKey('EdDSA', 'one').jwk] });
const authority = new Authority('issuer tests');
afterAll(() => authority.remove());

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** An issuer that answers so; what it was asked for stands in `asked`. */
async function issuer(answer: (request: IncomingMessage, response: ServerResponse, base: string) => void, names?: string) {
  const asked: string[] = [];
  let base = '';
  const handler: RequestListener = (request, response) => {
    asked.push(request.url!);
    answer(request, response, base);
  };
  const pair = names === undefined ? undefined : authority.issue('/CN=issuer', names, 5);
  const server = pair === undefined ? createServer(handler) : createTlsServer({ cert: pair.certificate, key: pair.key }, handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `${pair === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { base, asked };
}

async function outcome(name: string, more: { readonly jwksUri?: URL; readonly ca?: readonly string[] } = {}): Promise<unknown> {
  return readKeys({ issuer: name, audience: [AUDIENCE], ...more }).then(({ keys }) => keys.map(({ id }) => id), (error: unknown) => (error as BridgeError).code);
}

describe("reading an issuer's keys", () => {
  it('asks where the configuration says, over TLS by the given authority only', async () => {
    const { base, asked } = await issuer((_request, response) => response.end(JWKS), 'IP:127.0.0.1');
    const jwksUri = new URL(`${base}/keys?v=1`);
    expect(await outcome('http://adfs.corp.example/adfs/services/trust', { jwksUri, ca: [authority.certificate] })).toEqual(['one']);
    expect(asked).toEqual(['/keys?v=1']);
    expect(await outcome('x', { jwksUri })).toBe('BACKEND_TLS');
    const wrongName = await issuer((_request, response) => response.end(JWKS), 'DNS:other.example');
    expect(await outcome('x', { jwksUri: new URL(wrongName.base), ca: [authority.certificate] })).toBe('BACKEND_TLS');
  });

  it.each([['', '/.well-known/openid-configuration'], ['/', '/.well-known/openid-configuration'], ['/realms/corp', '/realms/corp/.well-known/openid-configuration'], ['/realms/corp/', '/realms/corp/.well-known/openid-configuration']])(
    'of an issuer with the path %j finds them by OpenID discovery',
    async (path, where) => {
      const { base, asked } = await issuer((request, response, own) => response.end(request.url === '/keys' ? JWKS : JSON.stringify({ issuer: own + path, jwks_uri: `${own}/keys` })));
      expect(await outcome(base + path)).toEqual(['one']);
      expect(asked).toEqual([where, '/keys']);
    },
  );

  it('finds them by RFC 8414 where there is no OpenID', async () => {
    const { base, asked } = await issuer((request, response, own) => {
      if (request.url === '/.well-known/oauth-authorization-server/realm') response.end(JSON.stringify({ issuer: `${own}/realm`, jwks_uri: `${own}/keys` }));
      else if (request.url === '/keys') response.end(JWKS);
      else response.writeHead(404).end();
    });
    expect(await outcome(`${base}/realm`)).toEqual(['one']);
    expect(asked).toEqual(['/realm/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/realm', '/keys']);
  });

  it.each<[string, unknown, string]>([
    ['of another issuer', { issuer: 'https://other.example', jwks_uri: 'OWN/keys' }, 'BACKEND_MALFORMED'],
    ['of one with a slash more', { issuer: 'OWN/', jwks_uri: 'OWN/keys' }, 'BACKEND_MALFORMED'],
    ['without keys', { issuer: 'OWN' }, 'BACKEND_MALFORMED'],
    ['with keys elsewhere in the clear', { issuer: 'OWN', jwks_uri: 'http://198.51.100.1/keys' }, 'BACKEND_MALFORMED'],
    ['with keys in a file', { issuer: 'OWN', jwks_uri: 'file:///etc/passwd' }, 'BACKEND_MALFORMED'],
    ['with a password', { issuer: 'OWN', jwks_uri: 'https://user:pw@issuer.example/keys' }, 'BACKEND_MALFORMED'],
    ['that are null', null, 'BACKEND_MALFORMED'],
    ['that are text', 'x', 'BACKEND_MALFORMED'],
  ])('refuses metadata %s', async (_what, metadata, expected) => {
    const { base, asked } = await issuer((_request, response, own) => response.end(JSON.stringify(metadata).replaceAll('OWN', own)));
    expect(await outcome(base)).toBe(expected);
    expect(asked).toEqual(['/.well-known/openid-configuration']);
  });

  it.each(['http://198.51.100.1/x', 'sts.corp.example', '', 'https://login.corp.example/?a=b', 'urn:issuer'])('asks nobody about %j, which is no safe URL', async (name) => {
    expect(await outcome(name)).toBe('CONFIGURATION');
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['an error', (response) => response.writeHead(500).end('{}'), 'BACKEND_FAULT'],
    ['no JSON', (response) => response.end('<html>'), 'BACKEND_MALFORMED'],
    ['no keys', (response) => response.end('{"keys":[]}'), 'BACKEND_MALFORMED'],
    ['far too much', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`), 'BACKEND_TOO_LARGE'],
    ['a redirect to somebody else', (response) => response.writeHead(302, { Location: 'https://evil.example/keys' }).end(), 'BACKEND_REDIRECT'],
    ['half an answer', (response) => void response.writeHead(200, { 'Content-Length': '100' }).write('{"keys"', () => response.destroy()), 'BACKEND_UNREACHABLE'],
    ['nothing', (response) => response.destroy(), 'BACKEND_UNREACHABLE'],
  ])('refuses %s', async (_what, answer, expected) => {
    const { base } = await issuer((_request, response) => answer(response));
    const got = await outcome('x', { jwksUri: new URL(base) });
    expect(expected === 'BACKEND_UNREACHABLE' ? ['BACKEND_UNREACHABLE', 'BACKEND_MALFORMED'] : [expected]).toContain(got);
  });

  it('says that nobody is there', async () => {
    const { base } = await issuer(() => undefined);
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expect(await outcome('x', { jwksUri: new URL(base) })).toBe('BACKEND_UNREACHABLE');
  });

  it('gives up on one that does not answer', async () => {
    const { base } = await issuer(() => undefined);
    expect(await outcome('x', { jwksUri: new URL(base) })).toBe('DEADLINE');
  });
});
