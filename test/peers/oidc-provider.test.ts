import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../flows/bridge-process.ts';
import { Authority } from '../platform/certificates.ts';
import { signingKey } from '../platform/auth/bearer/issuing.ts';
import { OidcIssuer, SECRET } from './oidc-issuer.ts';
import { hasPeer, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

const run = promisify(execFile);
const HAS_CURL = hasPeer('curl', '--version');

const AUDIENCE = 'https://bridge.corp.example/';
const WINDOW = 'start=2026-03-02T08:00:00Z&end=2026-03-02T12:00:00Z';
const API = `/api/v1/freebusy?mailbox=anna@corp.example&${WINDOW}`;
const EWS = '/EWS/Exchange.asmx';

describe.skipIf(!HAS_CURL)('tokens of oidc-provider, brought by curl (skipped where there is none)', () => {
  const authority = new Authority('token tests');
  let world: PeerWorld;
  let issuer: OidcIssuer;
  let folder: string;
  let https = '';

  /** Status, challenges and body of a question. */
  async function curl(path: string, ...args: readonly string[]): Promise<{ readonly status: number; readonly challenges: readonly string[]; readonly body: string }> {
    const { stdout } = await run('curl', ['--silent', '--include', '--max-time', '15', '--cacert', join(folder, 'ca.pem'), ...args, https + path], { encoding: 'latin1', maxBuffer: 16 << 20 });
    const [head = '', ...body] = stdout.split('\r\n\r\n');
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), challenges: [...head.matchAll(/^www-authenticate: (.*)$/gim)].map(([, value]) => value!.trim()), body: body.join('\r\n\r\n') };
  }

  /** As a client gets one: by its secret, for one audience. */
  async function tokenOf(client: string, resource = AUDIENCE): Promise<string> {
    const { stdout } = await run('curl', ['--silent', '--cacert', join(folder, 'ca.pem'), '--user', `${client}:${SECRET}`, '--data', 'grant_type=client_credentials&scope=freebusy.read', '--data-urlencode', `resource=${resource}`, `${issuer.url}/token`]);
    const { access_token: token, token_type: type } = JSON.parse(stdout) as { readonly access_token?: string; readonly token_type?: string };
    expect([stdout, type]).toEqual([stdout, 'Bearer']);
    return token!;
  }
  const bearer = (token: string): readonly string[] => ['--header', `Authorization: Bearer ${token}`];

  const config = () => ({
    listen: ['https://127.0.0.1:0'],
    tls: { certificate: 'cert.pem', key: 'key.pem' },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE, tls: { ca: 'ca.pem' } }],
    clients: [
      { name: 'scheduler', token: { issuer: issuer.url, claims: { client_id: 'client-1', scope: 'freebusy.read' } }, auth: ['bearer'], mayAsk: ['zimbra', 'exchange'], detail: 'details' },
      { name: 'peer', username: 'peer@corp.example', password: 'pw-of-peer', mayAsk: ['exchange'] },
    ],
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oidc-provider-'));
    await writeFile(join(folder, 'ca.pem'), authority.certificate);
    issuer = await OidcIssuer.start(authority, AUDIENCE);
    issuer.signWith(signingKey('RS256', 'first'));
    const { certificate, key } = authority.issue('/CN=bridge', 'IP:127.0.0.1', 10);
    world = await openPeerWorld(config(), { files: { 'cert.pem': certificate, 'key.pem': key, 'ca.pem': authority.certificate } });
    https = world.bridge.url;
    world.exchange.add('anna@corp.example', { start: Date.UTC(2026, 2, 2, 9), end: Date.UTC(2026, 2, 2, 10), type: 'busy' });
  });

  afterAll(async () => {
    await world.close();
    await issuer.close();
    authority.remove();
    await rm(folder, { recursive: true });
  });

  it('are taken by every face that asks its clients to sign in by a header', async () => {
    const token = await tokenOf('client-1');
    const answer = await curl(API, ...bearer(token));
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('"type":"busy"')]);
    const faces = [
      '/public/?cmd=freebusy&start=2026-03-02T08:00:00%2B00:00&end=2026-03-02T12:00:00%2B00:00&interval=30&u=SMTP:anna@corp.example',
      EWS,
      '/autodiscover/autodiscover.json?Email=anna@corp.example&Protocol=Ews',
      '/autodiscover/autodiscover.xml',
      '/autodiscover/autodiscover.svc',
      '/ifb/anna@corp.example.ifb',
      '/home/anna@corp.example?fmt=ifb',
      '/service/soap/',
      '/caldav/',
      '/notify',
    ];
    for (const face of faces) {
      const [without, with_, wrong] = [await curl(face), await curl(face, ...bearer(token)), await curl(face, ...bearer(`${token}x`))];
      // What a face then makes of a question without a body is its own.
      if (without.status === 401) expect([face, with_.status === 401, wrong.status, wrong.challenges]).toEqual([face, false, 401, ['Basic realm="freebusy-bridge"', 'Bearer realm="freebusy-bridge", error="invalid_token", error_description="the token is not valid"']]);
    }
    expect((await Promise.all(faces.map((face) => curl(face)))).filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(6);
    // Once for its metadata, once for its keys.
    expect(issuer.asked.filter((path) => path.startsWith('/.well-known'))).toHaveLength(1);
    expect(issuer.asked.filter((path) => path.startsWith('/jwks'))).toHaveLength(1);
  });

  it('are asked for beside Basic', async () => {
    const { status, challenges } = await curl(API);
    expect([status, challenges]).toEqual([401, ['Basic realm="freebusy-bridge"', 'Bearer realm="freebusy-bridge"']]);
    expect((await curl(API, '--user', 'peer@corp.example:pw-of-peer')).status).toBe(200);
  });

  it('of another client, for another audience, or in the query are none', async () => {
    expect((await curl(API, ...bearer(await tokenOf('client-2')))).status).toBe(401);
    expect((await curl(API, ...bearer(await tokenOf('client-1', 'https://other.corp.example/')))).status).toBe(401);
    expect((await curl(`${API}&access_token=${await tokenOf('client-1')}`)).status).toBe(401);
    const log = world.bridge.process.stderr + world.bridge.process.stdout;
    expect(log).toContain('no client has a token with these claims: client_id client-2, sub client-2, scope freebusy.read');
    expect(log).toContain(`the token is for https://other.corp.example/ (aud), not for ${AUDIENCE}`);
    expect(log).not.toContain('access_token');
  });

  it('are explained by check', async () => {
    const { stdout } = await runCommand(['check', '--config', world.bridge.file]);
    expect(stdout).toMatch(new RegExp(`^ok {4}issuer ${issuer.url}: keys: 1 key \\(RSA for RS256\\); tokens are for ${AUDIENCE}$`, 'm'));
    expect(stdout).toMatch(/^ok {4}client scheduler: rights: no user name from anywhere, signs in by bearer token, .*; token: of https:\S+ with client_id client-1 and scope freebusy\.read$/m);
  });

  it('signed with the issuer\'s next key are taken, and those of the key that is gone are not', async () => {
    const old = await tokenOf('client-1');
    expect((await curl(API, ...bearer(old))).status).toBe(200);
    issuer.signWith(signingKey('ES256', 'second'));
    const token = await tokenOf('client-1');
    // Within ten seconds of the last question nobody asks again; every try takes a little longer than the one before.
    let status = 401;
    for (let tries = 0; status === 401 && tries < 10; tries++) ({ status } = await curl(API, ...bearer(token)));
    expect(status).toBe(200);
    expect((await curl(API, ...bearer(old))).status).toBe(401);
  });

  it('are good while the issuer is away', async () => {
    const token = await tokenOf('client-1');
    await issuer.close();
    expect((await curl(API, ...bearer(token))).status).toBe(200);
    const { stdout, code } = await runCommand(['check', '--config', world.bridge.file]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^fail {2}issuer \S+: keys: not read \(BACKEND_UNREACHABLE: the issuer cannot be reached, ECONNREFUSED\) → let this machine reach it/m)]);
  });
});
