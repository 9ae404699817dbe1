import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/core/logger.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import type { BackEndLoads } from '../../../src/platform/http-client/load/back-end-load.ts';
import { noLoads } from '../../../src/platform/http-client/load/back-end-load.ts';
import { OwaWebdavSink } from '../../../src/protocols/owa-webdav/sink.ts';
import { Authority } from '../../platform/certificates.ts';
import { PASSWORD, USERNAME, multistatus, startFakeExchange } from './fake-exchange.ts';
import type { FakeExchange, FakeExchangeOptions, Seen as FakeSeen } from './fake-exchange.ts';
import { answerOf } from './owa-answer.ts';
import { NOW, context, startStandIn, systemFor } from './stand-in.ts';
import type { Reply, Seen, StandIn } from './stand-in.ts';

const anna = parseMailboxAddress('anna@corp.example')!;
const kim = parseMailboxAddress('kim@zimbra.example')!;
const WINDOW = { start: Date.UTC(2026, 2, 2, 8), end: Date.UTC(2026, 2, 2, 9) };
const QUESTION = { mailboxes: [anna], window: WINDOW, details: false } as const;

const closing: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

const outcome = (result: FreeBusyResult | undefined) => (result === undefined ? 'nothing' : 'error' in result ? `${result.error.code}: ${result.error.publicMessage}` : 'answered');
const good = (): Reply => answerOf([anna, '2'.repeat(12)]);

async function server(answer: (request: Seen) => Reply | undefined): Promise<StandIn> {
  const made = await startStandIn(answer);
  closing.push(made);
  return made;
}

/** Nothing listens there any more. */
async function dead(): Promise<StandIn> {
  const made = await startStandIn(() => undefined);
  await made.close();
  return made;
}

function systemAt(servers: readonly { readonly url: URL }[], options: Parameters<typeof systemFor>[1] = {}) {
  const system = systemFor(servers[0]!.url, { servers: servers.map(({ url }) => url), ...options });
  closing.push(system);
  const ask = async (over: Parameters<typeof context>[0] = {}) => outcome((await system.freeBusy(QUESTION, context(over)))[0]);
  return { system, ask };
}

const DN_OF = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';
const FOLDER = 'EX:/o=Corp/ou=First Administrative Group';
const PUBLIC_FOLDER = { lookup: 'public-folder', legacyExchangeDn: DN_OF } as const;

describe('several servers: a question', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority('Nobody trusts it');
  });
  afterAll(() => authority.remove());

  it('goes to the first, and to no other while that one answers', async () => {
    const [first, second] = [await server(good), await server(good)];
    const { ask } = systemAt([first, second]);
    expect(await ask()).toBe('answered');
    expect([first.seen.length, second.seen.length]).toEqual([1, 0]);
  });

  it.each<readonly [string, (request: Seen) => Reply | undefined]>([
    ['404: it has no /public', () => ({ status: 404 })],
    ['500: it has no public folder database', () => ({ status: 500 })],
    ['503', () => ({ status: 503 })],
    ['403.4', () => ({ status: 403, body: 'HTTP Error 403.4', headers: { 'content-type': 'text/html' } })],
    ['a web page', () => ({ status: 200, body: '<html/>', headers: { 'content-type': 'text/html' } })],
    ['half an answer', () => '<a:response xmlns:a="WM"><a:recipients>'],
    ['another document', () => '<x/>'],
    ['a redirect to a host that is not listed', () => ({ status: 302, headers: { location: 'https://elsewhere.example/public/' } })],
    ['only NTLM', () => ({ status: 401, headers: { 'www-authenticate': 'NTLM' } })],
    ['a form', () => ({ status: 440 })],
  ])('goes to the next where the first answers %s; and there at once from then on', async (_name, answer) => {
    const [first, second] = [await server(answer), await server(good)];
    const { ask } = systemAt([first, second]);
    expect([await ask(), await ask()]).toEqual(['answered', 'answered']);
    expect([first.seen.length, second.seen.length]).toEqual([1, 2]);
  });

  it('goes to the next where the first is dead, or its certificate is worth nothing', async () => {
    const { certificate, key } = authority.issue('/CN=x', 'IP:127.0.0.1', 10);
    const strange = createServer({ cert: certificate, key }, (_request, response) => response.end('secret'));
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
    closing.push({ close: () => void strange.close() });
    const second = await server(good);
    const { ask } = systemAt([await dead(), { url: new URL(`https://127.0.0.1:${(strange.address() as AddressInfo).port}`) }, second]);
    expect(await ask()).toBe('answered');
  });

  it('that the first does not answer in its share of the time is answered by the second', async () => {
    const [first, second] = [await server(() => undefined), await server(good)];
    const { ask } = systemAt([first, second]);
    // LIMITS.webdavServerShareMs.least of what is left.
    expect(await ask({ deadline: NOW + 600 })).toBe('answered');
    expect(await ask({ deadline: NOW + 600 })).toBe('answered');
    expect([first.seen.length, second.seen.length]).toEqual([1, 2]);
  });

  it('ends with the deadline, whatever is left to try', async () => {
    const servers = [await server(() => undefined), await server(() => undefined)];
    const { ask } = systemAt(servers);
    expect(await ask({ deadline: NOW + 60_000, signal: AbortSignal.timeout(100) })).toMatch(/^DEADLINE/);
    expect(servers[1]!.seen).toHaveLength(0);
  });

  it('about a wrong password goes to no second server: the account is the same', async () => {
    const refuse = (): Reply => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
    const [first, second] = [await server(refuse), await server(refuse)];
    const { ask } = systemAt([first, second]);
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(new Set(asked)).toEqual(new Set(['BACKEND_AUTH: the server refuses the credentials']));
    expect([first.seen.length, second.seen.length]).toEqual([1, 0]);
  });

  it('a server that failed is tried again after a while, by one question; the log says both once', async () => {
    let now = NOW;
    let isWell = false;
    const lines: string[] = [];
    const note = (level: string) => (fields: object, message: string) => void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const logger: Logger = { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') };
    const [first, second] = [await server(() => (isWell ? good() : { status: 500 })), await server(good)];
    const { ask } = systemAt([first, second], { clock: { now: () => now }, logger });
    await ask();
    // LIMITS.webdavAsidePauses: 10 s, a quarter more or less.
    now += 7_000;
    await ask();
    expect(first.seen).toHaveLength(1);
    now += 6_000;
    await Promise.all([ask(), ask(), ask()]);
    expect(first.seen).toHaveLength(2);
    now += 14_000;
    await ask();
    expect(first.seen).toHaveLength(2);
    isWell = true;
    now += 12_000;
    expect(await ask()).toBe('answered');
    await ask();
    expect(first.seen).toHaveLength(4);
    expect(lines.map((one) => one.replace(/ \{.*/, ''))).toEqual(['warn the server is put aside: the others are asked first', 'info the server answers again']);
    expect(lines[0]).toContain(`"address":"${first.url.host}"`);
  });

  it('all of them failing is the failure of the first; all put aside, they are tried all the same', async () => {
    let isWell = false;
    const answer = (): Reply => (isWell ? good() : { status: 503 });
    const { ask } = systemAt([await server(answer), await server(answer)]);
    expect(await ask()).toBe('BACKEND_BUSY: the calendar system is busy');
    isWell = true;
    expect(await ask()).toBe('answered');
  });

  it('takes a turn at the server it goes to', async () => {
    const turns: string[] = [];
    const loads: BackEndLoads = {
      of: (origin, account, concurrency) => {
        turns.push(`${origin} ${account} ${concurrency}`);
        return noLoads.of(origin, account, concurrency);
      },
    };
    const [first, second] = [await server(good), await server(good)];
    systemAt([first, second], { loads });
    systemAt([first], { loads, concurrency: 3 });
    expect(turns).toEqual([`${first.url.origin} corp\\bridge 8`, `${second.url.origin} corp\\bridge 8`, `${first.url.origin} corp\\bridge 3`]);
  });
});

describe('several servers: redirects and sessions', () => {
  it('from one to the other are followed without being listed', async () => {
    const second = await server(good);
    const first = await server(() => ({ status: 302, headers: { location: `${second.url.origin}/public/?cmd=freebusy` } }));
    const { ask } = systemAt([first, second]);
    expect(await ask()).toBe('answered');
    expect(second.seen[0]!.headers.authorization).toBe(first.seen[0]!.headers.authorization);
  });

  it('a form session is worth something at its own server only: the other has one of its own', async () => {
    const forms = (name: string, work: (request: Seen) => Reply) => (request: Seen): Reply => {
      if (request.method === 'POST') return { status: 302, headers: { location: '/public/', 'set-cookie': `sessionid=${name}; path=/` } };
      if (!(request.headers.cookie ?? '').includes(`sessionid=${name}`)) return { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?reason=0' } };
      return work(request);
    };
    const second = await server(forms('two', good));
    const first = await server(forms('one', ({ url }) => ({ status: 302, headers: { location: second.url.origin + url } })));
    const { ask } = systemAt([first, second], { auth: 'form' });
    expect([await ask(), await ask()]).toEqual(['answered', 'answered']);
    for (const one of second.seen) expect(one.headers.cookie ?? '').not.toContain('sessionid=one');
    for (const one of first.seen) expect(one.headers.cookie ?? '').not.toContain('sessionid=two');
    expect([first, second].map(({ seen }) => seen.filter(({ method }) => method === 'POST').length)).toEqual([1, 1]);
  });

  it.each([
    ['another host', 'https://elsewhere.example/public/', 'https://elsewhere.example'],
    ['another scheme', 'ftp://127.0.0.1/', 'ftp://127.0.0.1'],
    ['a script', 'javascript:alert(1)', 'null'],
    ['credentials in the address', 'https://user:secret@elsewhere.example/', 'https://elsewhere.example'],
    ['nothing readable', 'http://[', 'unreadable'],
  ])('in a session, to %s: named without its path, and not followed', async (_name, location, target) => {
    const one = await server(({ method, headers }) => {
      if (method === 'POST') return { status: 302, headers: { location: '/public/', 'set-cookie': 'sessionid=s; path=/' } };
      return (headers.cookie ?? '').includes('sessionid') ? { status: 302, headers: { location } } : { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp' } };
    });
    const { system } = systemAt([one], { auth: 'form' });
    const [result] = await system.freeBusy(QUESTION, context());
    expect(result).toMatchObject({ error: { code: 'BACKEND_REDIRECT', details: { target } } });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('in a session, in circles: at most five', async () => {
    const one = await server(({ method, headers, url }) => {
      if (method === 'POST') return { status: 302, headers: { location: '/public/', 'set-cookie': 'sessionid=s; path=/' } };
      return (headers.cookie ?? '').includes('sessionid') ? { status: 302, headers: { location: `${url}x` } } : { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp' } };
    });
    const { ask } = systemAt([one], { auth: 'form' });
    expect(await ask()).toBe('BACKEND_REDIRECT: the calendar system redirects in circles');
    expect(one.seen.length).toBeLessThanOrEqual(10);
  });

  it('in a session, method and body stay as they are', async () => {
    const one = await server(({ method, headers, url }) => {
      if (method === 'POST') return { status: 302, headers: { location: '/public/', 'set-cookie': 'sessionid=s; path=/' } };
      if (!(headers.cookie ?? '').includes('sessionid')) return { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp' } };
      return url.startsWith('/moved') ? { status: 207, body: multistatus('x', '<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><d:subject>USER-/CN=RECIPIENTS/CN=ANNA</d:subject></a:prop></a:propstat>') } : { status: 301, headers: { location: `/moved${url}` } };
    });
    const { system } = systemAt([one], { auth: 'form', ...PUBLIC_FOLDER });
    await system.freeBusy(QUESTION, context());
    const [asked, moved] = one.seen.slice(-2);
    expect([moved!.method, moved!.url, moved!.body, moved!.headers['depth']]).toEqual(['PROPFIND', `/moved${asked!.url}`, asked!.body, '0']);
  });
});

describe('several servers: a message', () => {
  const message = multistatus('x', '<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><d:subject>USER-/CN=RECIPIENTS/CN=ANNA</d:subject><e:x68470003>223613280</e:x68470003><e:x68480003>223745760</e:x68480003></a:prop></a:propstat>');
  const empty: Reply = { status: 207, body: '<a:multistatus xmlns:a="DAV:"/>' };
  const asked = ({ headers }: Seen) => headers['depth'] === '0';
  const here = (request: Seen): Reply => (asked(request) ? { status: 207, body: message } : empty);
  const absent = (request: Seen): Reply => (asked(request) ? { status: 404 } : empty);
  const inside = (request: Seen): Reply => (asked(request) ? { status: 207, body: multistatus('x', '<a:status>HTTP/1.1 404 Resource Not Found</a:status>') } : empty);

  it.each([['404', absent], ['404 inside', inside]])('that the first does not have (%s) is read at the second', async (_name, answer) => {
    const [first, second] = [await server(answer), await server(here)];
    const { ask } = systemAt([first, second], PUBLIC_FOLDER);
    expect(await ask()).toBe('answered');
    // It is well all the same, and asked first the next time.
    await ask();
    expect(first.seen.filter(asked)).toHaveLength(2);
  });

  it('that nobody has was not published; where one could not be asked, that is not known', async () => {
    const listed = (request: Seen): Reply =>
      asked(request) ? { status: 404 } : { status: 207, body: '<a:multistatus xmlns:a="DAV:"><a:response><a:href>/public/x/EX:_xF8FF_o=Corp_xF8FF_ou=First%20Administrative%20Group/</a:href></a:response></a:multistatus>' };
    expect(await systemAt([await server(listed), await server(listed)], PUBLIC_FOLDER).ask()).toBe('NO_DATA: the mailbox has published no free/busy');
    const oneAway = systemAt([await server(listed), await dead()], PUBLIC_FOLDER);
    expect(await oneAway.ask()).toMatch(/^BACKEND_UNREACHABLE/);
    expect(await oneAway.ask()).toMatch(/^BACKEND_UNREACHABLE/);
  });

  it('without the right (403, or 401 where the account is let in) is no data for that mailbox only, and puts no server aside', async () => {
    for (const status of [401, 403]) {
      const first = await server((request) => (request.method === 'GET' ? answerOf() : request.url.includes('CN=ANNA') ? { status, headers: { 'www-authenticate': 'Basic realm="x"' } } : here(request)));
      const { system } = systemAt([first, await server(absent)], PUBLIC_FOLDER);
      const bob = parseMailboxAddress('bob@corp.example')!;
      const results = await system.freeBusy({ ...QUESTION, mailboxes: [anna, bob] }, context());
      expect(results.map(outcome), String(status)).toEqual(['NO_DATA: the free/busy message may not be read', "NO_DATA: the message found is somebody else's"]);
    }
  });
});

describe('several servers: writing', () => {
  const DN = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim';
  const window = { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 5, 1) };
  const planned = freeBusyFrom(kim, window, {});
  const writes = ({ seen }: FakeExchange) => seen.filter(({ method }: FakeSeen) => method === 'PROPPATCH' || method === 'DELETE').map(({ method }: FakeSeen) => method);

  async function exchange(options: Partial<FakeExchangeOptions> = {}): Promise<FakeExchange> {
    const fake = await startFakeExchange({ folders: [FOLDER], ...options });
    closing.push(fake);
    return fake;
  }
  function sinkAt(servers: readonly { readonly url: URL }[], clock = { now: () => NOW }): OwaWebdavSink {
    const sink = new OwaWebdavSink({ name: 'exchange', servers: servers.map(({ url }) => url), auth: 'basic', username: USERNAME, password: PASSWORD, hosts: [], legacyExchangeDn: DN_OF, clock, logger: silentLogger });
    closing.push(sink);
    return sink;
  }

  it('goes to the one that holds the folder, every time', async () => {
    const [without, holder, other] = [await exchange({ folders: [] }), await exchange(), await exchange()];
    const sink = sinkAt([without, holder, other]);
    for (let times = 0; times < 3; times++) await sink.publish(DN, planned, context());
    await sink.remove(DN, context());
    expect([writes(without), writes(holder), writes(other)]).toEqual([[], ['PROPPATCH', 'PROPPATCH', 'PROPPATCH', 'DELETE'], []]);
    expect(holder.messages.size).toBe(0);
    // Where it is, is looked for once.
    expect(without.seen.filter(({ headers }) => headers['depth'] === '0')).toHaveLength(1);
  });

  it('goes past a dead server, and past one whose database is away when it is looked at', async () => {
    const [broken, holder] = [await exchange(), await exchange()];
    broken.fault = () => ({ status: 500 });
    await sinkAt([await dead(), broken, holder]).publish(DN, planned, context());
    expect([writes(broken), writes(holder)]).toEqual([[], ['PROPPATCH']]);
  });

  it.each([
    ['an answer that breaks off', 'drop-mid-body' as const],
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['a refused property', { status: 207, body: multistatus('x', '<a:propstat><a:status>HTTP/1.1 422 Unprocessable Entity</a:status><a:prop><e:x68470003/></a:prop></a:propstat>') }],
    ['403', { status: 403 }],
  ])('%s to a write: no second server gets it as well', async (_name, fault) => {
    const [holder, other] = [await exchange(), await exchange()];
    holder.fault = ({ method }) => (method === 'PROPPATCH' ? fault : undefined);
    await expect(sinkAt([holder, other]).publish(DN, planned, context())).rejects.toMatchObject({ name: 'BridgeError' });
    expect([writes(holder), writes(other)]).toEqual([['PROPPATCH'], []]);
  });

  it('a folder that was moved to another server is found there', async () => {
    const [holder, other] = [await exchange(), await exchange()];
    const sink = sinkAt([holder, other]);
    await sink.publish(DN, planned, context());
    holder.fault = ({ path }) => (path.includes('EX:') ? { status: 404 } : undefined);
    await sink.publish(DN, planned, context());
    await sink.publish(DN, planned, context());
    expect(writes(other)).toEqual(['PROPPATCH', 'PROPPATCH']);
  });

  it('a folder that nobody has is said to be missing, with what an administrator needs', async () => {
    const servers = [await exchange({ folders: ['EX:/o=Corp/ou=Other'] }), await exchange({ folders: [] })];
    const refused = sinkAt(servers).publish(DN, planned, context());
    await expect(refused).rejects.toMatchObject({ code: 'BACKEND_FAULT', temporary: false, details: { hint: expect.stringContaining(FOLDER) as unknown } });
    expect(servers.map(writes)).toEqual([[], []]);
  });

  it('a wrong password is sent to one server once', async () => {
    const servers = [await exchange(), await exchange()];
    const sink = new OwaWebdavSink({ name: 'exchange', servers: servers.map(({ url }) => url), auth: 'basic', username: USERNAME, password: 'wrong', hosts: [], legacyExchangeDn: DN_OF, clock: { now: () => NOW }, logger: silentLogger });
    closing.push(sink);
    for (let times = 0; times < 5; times++) await expect(sink.publish(DN, planned, context())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    // The request, and the question that tells a password from a right.
    expect(servers.map(({ seen }) => seen.length)).toEqual([2, 0]);
  });
});

describe('check', () => {
  it('examines every server; while one is well the others are warnings', async () => {
    const healthy = (request: Seen): Reply =>
      request.method === 'PROPFIND' ? { status: 207, body: '<a:multistatus xmlns:a="DAV:"><a:response><a:href>x</a:href></a:response></a:multistatus>' } : { status: 200, body: answerOf([anna, '2'.repeat(49)]), headers: { date: new Date(NOW).toUTCString() } };
    const [first, second] = [await server(healthy), await dead()];
    const { system } = systemAt([first, second], { probeMailbox: anna });
    const findings = await system.probe(context());
    expect(findings.map(({ outcome }) => outcome)).not.toContain('fail');
    expect(findings[0]!.text).toBe(`${first.url.host}: signed in (basic)`);
    expect(findings.at(-1)).toMatchObject({ step: 'connection', outcome: 'warn', text: expect.stringContaining(`${second.url.host}: BACKEND_UNREACHABLE`) as unknown, advice: expect.stringContaining('nothing listens there') as unknown });
    await first.close();
    expect((await system.probe(context())).every(({ outcome }) => outcome === 'fail')).toBe(true);
  });
});
