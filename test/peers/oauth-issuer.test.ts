import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { HttpClient } from '../../src/platform/http-client/http-client.ts';
import { OAuthTokenSource } from '../../src/platform/http-client/oauth/oauth-token-source.ts';
import type { OAuthTokenSourceOptions } from '../../src/platform/http-client/oauth/oauth-token-source.ts';
import { Authority } from '../platform/certificates.ts';
import { get } from '../platform/http-client/servers.ts';

/** As far as it is used here; it has no types of its own. */
interface Issuer {
  callback(): RequestListener;
  readonly ClientCredentials: { find(token: string): Promise<{ readonly isExpired: boolean; readonly clientId: string; readonly scope?: string } | undefined> };
}

const SECRET = 'pw of client: +&=%~';
const SCOPE = 'freebusy.read';

interface Key {
  readonly certificate: string;
  readonly key: string;
}

/** npm `oidc-provider`: an issuer that we did not write. A DevDependency, so never skipped. */
describe('tokens of oidc-provider', () => {
  const authority = new Authority('issuer tests');
  const ends: (() => Promise<unknown>)[] = [];
  let [oldKey, newKey, curve] = [] as unknown as [Key, Key, Key];
  let before: { readonly tokenUrl: URL; readonly issuer: Issuer };
  let after: { readonly tokenUrl: URL; readonly issuer: Issuer };

  beforeAll(async () => {
    [oldKey, newKey] = [rsa(), rsa()];
    curve = authority.issue('/CN=curve', 'DNS:curve', 10);
    before = await startIssuer(oldKey, 1);
    after = await startIssuer(newKey, 3_600);
  });

  afterEach(async () => {
    for (const end of ends.splice(1)) await end();
  });

  afterAll(async () => {
    for (const end of ends.splice(0)) await end();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve).closeAllConnections())));
    authority.remove();
  });

  const servers: Server[] = [];

  function rsa(): Key {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { key, certificate: authority.issueFor(key, '/CN=client', 10) };
  }

  async function listen(listener: RequestListener): Promise<{ readonly server: Server; readonly origin: string }> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  async function startIssuer(key: Key, lifeSeconds: number): Promise<{ readonly tokenUrl: URL; readonly issuer: Issuer }> {
    let callback: RequestListener = (_request, response) => void response.end();
    const { origin } = await listen((request, response) => callback(request, response));
    const name: string = 'oidc-provider';
    const { Provider } = (await import(name)) as { readonly Provider: new (issuer: string, options: object) => Issuer };
    const jwk = (pem: string): object => ({ ...createPublicKey(pem).export({ format: 'jwk' }), use: 'sig' });
    const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
    const client = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: SCOPE };
    const issuer = new Provider(origin, {
      clients: [
        { ...client, client_id: 'post', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' },
        { ...client, client_id: 'basic', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic' },
        { ...client, client_id: 'certificate', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk(key.certificate)] } },
        { ...client, client_id: 'rs256', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256', jwks: { keys: [jwk(key.certificate)] } },
        { ...client, client_id: 'curve', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk(curve.certificate)] } },
        { ...client, client_id: 'other-grant', client_secret: SECRET, scope: 'openid', grant_types: ['authorization_code'], redirect_uris: ['https://client.example/'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_post' },
      ],
      scopes: [SCOPE, 'other'],
      features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
      ttl: { ClientCredentials: lifeSeconds },
      jwks: { keys: [signing] },
      cookies: { keys: ['of no use here'] },
      enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256', 'ES256'] },
    });
    callback = issuer.callback();
    return { tokenUrl: new URL(`${origin}/token`), issuer };
  }

  function source(clientId: string, credential: OAuthTokenSourceOptions['credential'], at = after, scope = SCOPE): OAuthTokenSource {
    const made = new OAuthTokenSource({ tokenUrl: at.tokenUrl, clientId, credential, scope, clock: systemClock, logger: silentLogger });
    ends.push(() => made.close());
    return made;
  }

  const secret = (text = SECRET): OAuthTokenSourceOptions['credential'] => ({ kind: 'secret', secret: text });
  const certificate = (key: Key): OAuthTokenSourceOptions['credential'] => ({ kind: 'certificate', ...key });
  const signal = (): AbortSignal => AbortSignal.timeout(10_000);

  it.each<[string, string, () => OAuthTokenSourceOptions['credential']]>([
    ['a secret in the body', 'post', () => secret()],
    ['a secret in the header', 'basic', () => secret()],
    ['a certificate (PS256)', 'certificate', () => certificate(newKey)],
    ['a certificate where only RS256 is taken', 'rs256', () => certificate(newKey)],
    ['a certificate of P-256', 'curve', () => certificate(curve)],
  ])('are given for %s', async (_what, clientId, credential) => {
    const token = await source(clientId, credential()).token(signal());
    expect(await after.issuer.ClientCredentials.find(token)).toMatchObject({ clientId, scope: SCOPE, isExpired: false });
  });

  it.each<[string, () => OAuthTokenSource, string]>([
    ['a wrong secret', () => source('post', secret('wrong')), 'invalid_client'],
    ['an unknown client', () => source('nobody', secret()), 'invalid_client'],
    ['a key that has been renewed at the issuer', () => source('certificate', certificate(oldKey)), 'invalid_client'],
    ['a wrong scope', () => source('post', secret(), after, 'other'), 'invalid_scope'],
    // Its word for what RFC 6749 calls unauthorized_client.
    ['a client that may not', () => source('other-grant', secret()), 'invalid_request'],
  ])('are not given for %s', async (_what, made, reason) => {
    await expect(made().token(signal())).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false, details: { reason, hint: expect.any(String) as unknown } });
  });

  it('the renewed key is taken where the old one is not any more', async () => {
    expect(await source('certificate', certificate(oldKey), before).token(signal())).not.toBe('');
    await expect(source('certificate', certificate(newKey), before).token(signal())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(await source('certificate', certificate(newKey), after).token(signal())).not.toBe('');
  });

  it('a token that has ended at the server is given up, and the request goes with the next', async () => {
    const seen: string[] = [];
    let isOver = true;
    // The server believes the issuer, and it takes the first token for one that has ended.
    const { origin } = await listen((request, response) => {
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
      seen.push(token);
      void after.issuer.ClientCredentials.find(token).then((known) => {
        if (known !== undefined && !known.isExpired && !isOver) return response.end(known.clientId);
        isOver = false;
        return response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end();
      });
    });
    const http = new HttpClient({ authentication: { kind: 'bearer', account: 'certificate', tokens: source('certificate', certificate(newKey)) } });
    ends.push(() => http.close());
    const answer = await http.request(get(new URL(origin)));
    expect([answer.status, answer.body.toString()]).toEqual([200, 'certificate']);
    expect(new Set(seen).size).toBe(2);
  });
});
