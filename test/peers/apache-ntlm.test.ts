import { setTimeout as pause } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { encodeAuthenticate } from '../../src/platform/auth/ntlm/client/authenticate.ts';
import { decodeChallenge } from '../../src/platform/auth/ntlm/client/challenge.ts';
import { encodeNegotiate } from '../../src/platform/auth/ntlm/client/negotiate.ts';
import { encodeFiletime } from '../../src/platform/auth/ntlm/filetime.ts';
import { HttpClient } from '../../src/platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../src/platform/http-client/http-client.ts';
import { openStream } from '../../src/platform/http-client/open-stream.ts';
import { ExchangeEwsSystem } from '../../src/protocols/ews/client.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { Authority } from '../platform/certificates.ts';
import { Connection } from '../platform/auth/ntlm-peer.ts';
import { get } from '../platform/http-client/servers.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { hasApache, startApache } from './apache.ts';
import type { Apache } from './apache.ts';

const BRIDGE = { domain: 'CORP', name: 'bridge', password: 'pw of bridge-ä€' };
const ADDRESS = { domain: '', name: 'bridge@corp.example', password: 'pw-of-address' };
const BIG = Buffer.alloc(1_200_000, 'a large answer ');
const ANNA = 'anna@corp.example' as MailboxAddress;

describe.skipIf(!hasApache)('Apache with mod_auth_gssapi and gss-ntlmssp (skipped where they are not installed)', () => {
  const authority = new Authority('apache tests');
  const calendars = createCalendarStore([{ address: ANNA, displayName: 'Anna' }]);
  const ews = createExchangeEws({ username: 'front', password: 'pw-of-front', domain: 'CORP', calendars, clock: systemClock });
  const ends: (() => Promise<void>)[] = [];
  let [http, https, short] = [] as unknown as [Apache, Apache, Apache];

  beforeAll(async () => {
    await ews.listen();
    const tls = authority.issue('/CN=apache', 'IP:127.0.0.1', 10);
    const users = [BRIDGE, ADDRESS];
    const proxied = { users, upstream: ews.url, upstreamAccount: { username: 'CORP\\front', password: 'pw-of-front' } };
    [http, https, short] = await Promise.all([
      startApache(proxied),
      startApache({ ...proxied, tls }),
      startApache({ users, directives: ['MaxKeepAliveRequests 3'] }),
    ]);
    writeFileSync(join(short.folder, 'www', 'big'), BIG);
  }, 40_000);

  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  afterAll(async () => {
    await Promise.all([http, https, short].map((apache) => apache.close()));
    await ews.close();
    authority.remove();
  });

  function client(username = 'CORP\\bridge', password = BRIDGE.password, more: HttpClientOptions = {}): HttpClient {
    const made = new HttpClient({ authentication: { kind: 'ntlm', username, password }, ...more });
    ends.push(() => made.close());
    return made;
  }

  const big = (apache: Apache): URL => new URL(`${apache.url}/big`);
  /** What this Apache has logged since; it writes when the answer is out, so until nothing more comes. */
  async function since(apache: Apache, from: number): Promise<ReturnType<Apache['log']>> {
    for (let seen = -1; seen !== apache.log().length; ) {
      seen = apache.log().length;
      await pause(100);
    }
    return apache.log().slice(from);
  }

  function system(apache: Apache, password = BRIDGE.password): ExchangeEwsSystem {
    const made = new ExchangeEwsSystem({
      name: 'exchange',
      servers: [new URL(`${apache.url}/EWS/Exchange.asmx`)],
      accounts: [{ kind: 'ntlm', username: 'CORP\\bridge', password }],
      hosts: [],
      ca: [authority.certificate],
      lookup: 'query',
      clock: systemClock,
      logger: silentLogger,
    });
    ends.push(() => made.close());
    return made;
  }

  const context = (): Parameters<ExchangeEwsSystem['probe']>[0] => ({
    requestId: 'test',
    requester: { name: 'test', from: 'outside', mayAsk: 'all', detail: 'details', anonymous: false, presence: 'none' },
    hops: 0,
    deadline: systemClock.now() + 10_000,
    signal: AbortSignal.timeout(10_000),
    explain: () => undefined,
  });

  it.each([
    ['DOMAIN\\user', 'CORP\\bridge', BRIDGE.password],
    ['the same in another case', 'CORP\\BRIDGE', BRIDGE.password],
    ['an address', ADDRESS.name, ADDRESS.password],
  ])('lets us in as %s, and answers further requests on the same connection', async (_what, username, password) => {
    const from = short.log().length;
    const one = client(username, password);
    for (let nth = 0; nth < 2; nth++) {
      const answer = await one.request(get(big(short)));
      expect([answer.status, answer.body.equals(BIG)]).toEqual([200, true]);
    }
    const lines = await since(short, from);
    expect(lines.map(({ status }) => status)).toEqual([401, 200, 200]);
    expect(new Set(lines.map(({ connection }) => connection)).size).toBe(1);
  });

  it('refuses a wrong password, which is tried once', async () => {
    const from = short.log().length;
    const answer = await client('CORP\\bridge', 'wrong').request(get(big(short)));
    expect(answer.status).toBe(401);
    expect(answer.refusal).toMatchObject({ code: 'BACKEND_AUTH', details: { offers: 'Negotiate, NTLM', hint: expect.stringMatching(/^wrong user name or password/) as unknown } });
    expect((await since(short, from)).map(({ status }) => status)).toEqual([401, 401]);
  });

  it('refuses an unknown user', async () => {
    expect((await client('CORP\\nobody').request(get(big(short)))).status).toBe(401);
  });

  it('ends connections after some requests: the next one signs in anew', async () => {
    const from = short.log().length;
    const one = client();
    for (let nth = 0; nth < 9; nth++) expect((await one.request(get(big(short)))).body.length).toBe(BIG.length);
    // Four requests a connection (the first and MaxKeepAliveRequests more), one of them without credentials.
    const lines = await since(short, from);
    expect(lines.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(new Set(lines.map(({ connection }) => connection)).size).toBeGreaterThan(2);
  });

  it('answers many at once, each connection signed in on', async () => {
    const from = short.log().length;
    const one = client();
    const answers = await Promise.all(Array.from({ length: 60 }, () => one.request(get(big(short)))));
    expect(answers.every(({ status, body }) => status === 200 && body.equals(BIG))).toBe(true);
    const lines = await since(short, from);
    expect(lines.filter(({ status }) => status === 200).map(({ user }) => user)).toEqual(Array.from({ length: 60 }, () => expect.stringContaining('bridge') as unknown));
    // None of them sent a password twice: what was refused is the first message of a handshake.
    expect(lines.filter(({ status, nth }) => status === 401 && nth > 0)).toEqual([]);
  });

  // mod_auth_gssapi 1.6 gives gss-ntlmssp no bindings to compare ours with: their vectors are in channel-bindings.test.ts.
  it('is asked over https, with the channel bindings of its certificate', async () => {
    const from = https.log().length;
    const answer = await client('CORP\\bridge', BRIDGE.password, { ca: [authority.certificate] }).request(get(new URL(`${https.url}/EWS/Exchange.asmx`)));
    expect(answer.status).toBe(405);
    expect((await since(https, from)).map(({ status }) => status)).toEqual([401, 405]);
    await expect(client().request(get(new URL(`${https.url}/`)))).rejects.toMatchObject({ code: 'BACKEND_TLS' });
  });

  it('a stream signs in like every other request', async () => {
    const options: HttpClientOptions = { authentication: { kind: 'ntlm', username: 'CORP\\bridge', password: BRIDGE.password } };
    const request = { url: big(short), headers: {}, body: 'question', silenceMs: 5_000, signal: AbortSignal.timeout(10_000) };
    const stream = await openStream(options, request);
    let size = 0;
    for await (const chunk of stream.chunks) size += chunk.length;
    expect([stream.status, size]).toEqual([200, BIG.length]);
    await stream.close();
    const refused = await openStream({ authentication: { kind: 'ntlm', username: 'CORP\\bridge', password: 'wrong' } }, request);
    expect([refused.status, refused.refusal?.code]).toEqual([401, 'BACKEND_AUTH']);
    await refused.close();
  });

  it.each(['http', 'https'] as const)('the whole of an Exchange is asked through it, over %s', async (scheme) => {
    const apache = scheme === 'http' ? http : https;
    const start = Date.UTC(2026, 2, 2, 8);
    calendars.add(ANNA, { start: start + 3_600_000, end: start + 7_200_000, type: 'busy' });
    const from = apache.log().length;
    const exchange = system(apache);
    const questions = Array.from({ length: 12 }, () => exchange.freeBusy({ mailboxes: [ANNA], window: { start, end: start + 4 * 3_600_000 }, details: false }, context()));
    for (const [result] of await Promise.all(questions)) expect(JSON.stringify(result)).toContain('busy');
    expect((await since(apache, from)).filter(({ status }) => status === 200)).toHaveLength(12);
    const findings = await exchange.probe(context());
    expect(findings.find(({ step }) => step === 'sign-in')?.outcome).toBe('ok');
  });

  it('a wrong password is no data, and `check` fails at the sign-in', async () => {
    const start = Date.UTC(2026, 2, 2, 8);
    const exchange = system(http, 'wrong');
    const [result] = await exchange.freeBusy({ mailboxes: [ANNA], window: { start, end: start + 3_600_000 }, details: false }, context());
    expect(result).toMatchObject({ error: { code: 'BACKEND_AUTH' } });
    expect(await exchange.probe(context())).toContainEqual(expect.objectContaining({ step: 'sign-in', outcome: 'fail' }));
  });

  describe('judges the messages by itself', () => {
    async function handshake(change: (message: Buffer) => void): Promise<readonly number[]> {
      const connection = new Connection(short.url);
      ends.push(async () => connection.close());
      const negotiate = encodeNegotiate();
      const challenged = await connection.ask({ authorization: `NTLM ${negotiate.toString('base64')}` });
      const challenge = decodeChallenge(Buffer.from(/NTLM ([\w+/=]+)/.exec(String(challenged.headers['www-authenticate']))![1]!, 'base64'));
      const made = encodeAuthenticate({ domain: 'CORP', username: 'bridge', password: BRIDGE.password }, {
        challenge,
        negotiate,
        clientChallenge: randomBytes(8),
        time: encodeFiletime(systemClock.now()),
        targetName: 'HTTP/127.0.0.1',
        channelBindings: Buffer.alloc(16, 1),
      });
      expect(challenge.timestamp).toBeDefined();
      change(made);
      const answered = await connection.ask({ authorization: `NTLM ${made.toString('base64')}`, method: 'GET' });
      return [challenged.status, answered.status];
    }

    it.each([
      ['as they are made', () => undefined, 404],
      ['with another MIC', (message: Buffer) => (message[72]! ^= 1), 401],
      ['with flags that the MIC was not made over', (message: Buffer) => (message[61]! ^= 0x80), 401],
    ] as const)('%s', async (_what, change, status) => {
      expect(await handshake(change)).toEqual([401, status]);
    });
  });
});
