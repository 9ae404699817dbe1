import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ewsQueryBackEnd } from '../flows/back-ends.ts';
import type { BackEnd } from '../flows/back-ends.ts';
import { folderWith, removeFolder, runCommand, startBridge } from '../flows/bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, TRUTH, digitsOfJson } from '../flows/every-kind.ts';
import { askJson } from '../flows/raw-http.ts';
import { Authority } from '../platform/certificates.ts';

/** `auth: oauth` by the real command: tokens of oidc-provider, an issuer that we did not write, for an EWS that lets nobody in without one of them. */

interface Issuer {
  callback(): RequestListener;
  readonly ClientCredentials: { find(token: string): Promise<{ readonly isExpired: boolean; readonly clientId: string } | undefined> };
}

const ANNA = 'anna@corp.example';
const SCOPE = 'freebusy.read';
const SECRET = 'pw of client: +&=%~';

describe('a bridge that signs in by OAuth', () => {
  const authority = new Authority('bridge oauth');
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificate = authority.issueFor(key, '/CN=bridge', 10);
  const files = { 'bridge.pem': certificate, 'bridge.key': key };
  let server: Server;
  let issuer: Issuer;
  let tokenUrl: string;
  let ews: BackEnd;

  beforeAll(async () => {
    let callback: RequestListener = (_request, response) => void response.end();
    server = createServer((request, response) => callback(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    tokenUrl = `${origin}/token`;
    const name: string = 'oidc-provider';
    const { Provider } = (await import(name)) as { readonly Provider: new (issuer: string, options: object) => Issuer };
    const client = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: SCOPE };
    issuer = new Provider(origin, {
      clients: [
        { ...client, client_id: 'by-secret', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' },
        { ...client, client_id: 'by-certificate', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...createPublicKey(certificate).export({ format: 'jwk' }), use: 'sig' }] } },
      ],
      scopes: [SCOPE, 'other'],
      features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
      jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
      cookies: { keys: ['of no use here'] },
      enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256'] },
    });
    callback = issuer.callback();
    ews = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
    ews.override = async (seen, honest) => {
      const token = /^Bearer (.+)$/.exec(seen.headers.authorization ?? '')?.[1];
      const known = token === undefined ? undefined : await issuer.ClientCredentials.find(token);
      return known === undefined || known.isExpired ? { status: 401, headers: { 'www-authenticate': 'Bearer realm="ews"' } } : honest();
    };
  }, 40_000);
  afterAll(async () => {
    await ews.close();
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    authority.remove();
  });

  const config = (oauth: Record<string, unknown>): Record<string, unknown> => ({
    listen: 'http://127.0.0.1:0',
    systems: { ews: { type: 'exchange-ews', url: `${ews.url}/EWS/Exchange.asmx`, auth: 'oauth', oauth: { tokenUrl, scope: SCOPE, ...oauth }, impersonate: 'bridge@corp.example', domains: ['corp.example'], mailboxes: [ANNA], cacheFor: '0s' } },
    clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }],
  });
  const bySecret = { clientId: 'by-secret', clientSecret: SECRET };
  const byCertificate = { clientId: 'by-certificate', certificate: 'bridge.pem', key: 'bridge.key' };

  it('asks with a token by its secret, in somebody’s name; a reload changes to another secret, and to a certificate', async () => {
    const bridge = await startBridge(config(bySecret), { files });
    const ask = async () => (await askJson(bridge.url, JUDGE, [ANNA])).results[0]!;
    const apply = async (oauth: Record<string, unknown>): Promise<void> => {
      await bridge.write(config(oauth));
      expect((await runCommand(['reload', '--config', bridge.file])).code).toBe(0);
    };
    try {
      expect(digitsOfJson(await ask())).toBe(TRUTH);
      expect(ews.requests.at(-1)!.body).toMatch(/<t:ExchangeImpersonation .*bridge@corp\.example.*<\/t:ExchangeImpersonation>/s);
      await apply({ ...bySecret, clientSecret: 'wrong' });
      expect(await ask()).toMatchObject({ error: { code: 'BACKEND_AUTH' } });
      await apply(bySecret);
      expect(digitsOfJson(await ask())).toBe(TRUTH);
      await apply(byCertificate);
      expect(digitsOfJson(await ask())).toBe(TRUTH);
      expect(bridge.process.stderr + bridge.process.stdout).not.toContain(SECRET);
    } finally {
      await bridge.stop();
    }
  }, 40_000);

  it.each<readonly [string, () => Record<string, unknown>, number, RegExp]>([
    ['a secret', () => bySecret, 0, /^ok {4}system ews: .*sign-in: the account is let in, and may act for bridge@corp\.example/m],
    ['a certificate', () => byCertificate, 0, /^ok {4}system ews: .*sign-in: the account is let in/m],
    ['a wrong secret', () => ({ ...bySecret, clientSecret: 'wrong' }), 1, /^fail {2}system ews: sign-in: .*invalid_client.*→ .*clientId.*secret/m],
    ['a wrong scope', () => ({ ...bySecret, scope: 'other' }), 1, /^fail {2}system ews: sign-in: .*invalid_scope.*→ .*scope/m],
    ['an issuer that is away', () => ({ ...bySecret, tokenUrl: 'http://127.0.0.1:1/token' }), 1, /^fail {2}system ews: sign-in: .*issuer.*→ look at tokenUrl/m],
  ])('`check` with %s', async (_what, oauth, code, words) => {
    const { folder, file } = await folderWith(config(oauth()), files);
    try {
      const ended = await runCommand(['check', '--config', file]);
      expect(ended.stdout).toMatch(words);
      expect([ended.code, ended.stderr]).toEqual([code, '']);
    } finally {
      await removeFolder(folder);
    }
  });
});
