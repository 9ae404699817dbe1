import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import { OwaConnections } from '../../../src/protocols/owa-webdav/client-connections.ts';
import { OwaServers } from '../../../src/protocols/owa-webdav/client-servers.ts';
import { RequestBudget } from '../../../src/platform/http-client/request-budget.ts';
import { OwaGalSource } from '../../../src/protocols/owa-webdav/gal-source.ts';
import { OwaWebdavSink } from '../../../src/protocols/owa-webdav/sink.ts';
import { answerOf } from './owa-answer.ts';
import { NOW, context, startStandIn, systemFor } from './stand-in.ts';
import type { Reply, Seen } from './stand-in.ts';

const anna = parseMailboxAddress('anna@corp.example')!;
const WINDOW = { start: Date.UTC(2026, 2, 2, 8), end: Date.UTC(2026, 2, 2, 9) };
const QUESTION = { mailboxes: [anna], window: WINDOW, details: false } as const;

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

const outcome = (result: FreeBusyResult | undefined) => (result === undefined ? 'nothing' : 'error' in result ? `${result.error.code}: ${result.error.publicMessage}` : 'answered');

interface Forms {
  /** Where whoever has no cookie is led to. */
  readonly page: string;
  /** Where the form is taken. */
  readonly dll: string;
  readonly logon?: (request: Seen) => Reply;
}

/** An Exchange with forms-based authentication (exchange.md §2.6), by what it sends over the wire. */
function forms({ page, dll, logon }: Forms) {
  const sessions = new Set<string>();
  const answer = (request: Seen): Reply => {
    const path = request.url.split('?')[0]!;
    if (request.method === 'POST') {
      if (path !== dll) return { status: 404, headers: { 'content-type': 'text/html' } };
      if (logon !== undefined) return logon(request);
      const session = `s${sessions.size + 1}`;
      sessions.add(session);
      return { status: 302, headers: { location: '/public/', 'set-cookie': [`sessionid=${session}; path=/`, 'cadata="first"; HttpOnly'] } };
    }
    const session = /sessionid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    if (!sessions.has(session)) return request.method === 'GET' ? { status: 302, headers: { location: page } } : { status: 440, headers: { connection: 'close' } };
    if (request.method === 'PROPPATCH') return { status: 207, body: '<a:multistatus xmlns:a="DAV:"><a:response><a:href>x</a:href><a:status>HTTP/1.1 201 Created</a:status></a:response></a:multistatus>' };
    if (/cmd=galfind/.test(request.url)) return '<a:response xmlns:a="WM"/>';
    return { status: 200, body: answerOf([anna, '2'.repeat(12)]), headers: { 'set-cookie': 'cadata="renewed"; HttpOnly' } };
  };
  return { answer, sessions };
}

const EXCHANGE_2003 = { page: '/exchweb/bin/auth/owalogon.asp?url=https://mail/public/&reason=0', dll: '/exchweb/bin/auth/owaauth.dll' };
const EXCHANGE_2007 = { page: '/owa/auth/logon.aspx?url=https://mail/public/&reason=0', dll: '/owa/auth/owaauth.dll' };

async function start(answer: (request: Seen) => Reply | undefined, options: Parameters<typeof systemFor>[1] = {}) {
  const server = await startStandIn(answer);
  const system = systemFor(server.url, { auth: 'form', ...options });
  closing.push(server, system);
  const ask = async () => outcome((await system.freeBusy(QUESTION, context()))[0]);
  const passwords = () => server.seen.filter(({ method }) => method === 'POST').map(({ url }) => url);
  return { server, system, ask, passwords };
}

describe('where the form is', () => {
  it.each([
    ['2003', EXCHANGE_2003],
    ['2007', EXCHANGE_2007],
    ['2010', { page: '/owa/auth/logon.aspx?url=x&reason=0', dll: '/owa/auth.owa' }],
    ['a sub-path', { page: '/legacy/owa/auth/logon.aspx?url=x&reason=0', dll: '/legacy/owa/auth/owaauth.dll' }],
    ['behind what ends TLS, which believes that it speaks http to itself', { page: 'http://127.0.0.1/exchweb/bin/auth/owalogon.asp?url=x', dll: '/exchweb/bin/auth/owaauth.dll' }],
  ])('%s: the password is posted beside the page to which the server leads', async (_name, exchange) => {
    const { ask, passwords, server } = await start(forms(exchange).answer);
    expect(await ask()).toBe('answered');
    expect(passwords().at(-1)).toBe(exchange.dll);
    const posts = server.seen.filter(({ method }) => method === 'POST');
    expect(posts[0]!.headers).toMatchObject({ cookie: 'PBack=0', 'content-type': 'application/x-www-form-urlencoded' });
    expect(posts.length).toBeLessThanOrEqual(2);
  });

  it('the next logon goes there at once', async () => {
    const exchange = forms(EXCHANGE_2007);
    const { ask, server } = await start(exchange.answer);
    await ask();
    exchange.sessions.clear();
    expect(await ask()).toBe('answered');
    expect(server.seen.map(({ method, url }) => `${method} ${url.split('?')[0]!}`)).toEqual(['GET /public/', 'POST /owa/auth/owaauth.dll', 'GET /public/', 'GET /public/', 'POST /owa/auth/owaauth.dll', 'GET /public/']);
  });

  it('the user name and the password are spelled as a form spells them', async () => {
    const { ask, server } = await start(forms(EXCHANGE_2003).answer, { username: 'CORP\\svc+fb', password: 'a&b+c%d=e ü€' });
    await ask();
    const { body } = server.seen.find(({ method }) => method === 'POST')!;
    // By hand, after the URL standard's application/x-www-form-urlencoded serializer.
    expect(body).toContain('&username=CORP%5Csvc%2Bfb&password=a%26b%2Bc%25d%3De+%C3%BC%E2%82%AC&SubmitCreds=Log+On&trusted=4');
    expect(body).toMatch(/^destination=http%3A%2F%2F127\.0\.0\.1%3A\d+%2Fpublic%2F&flags=4&/);
  });

  it('a logon page on another host is named, and the password stays here', async () => {
    const { ask, passwords, system } = await start(forms({ ...EXCHANGE_2007, page: 'https://login.corp.example/owa/auth/logon.aspx?url=x' }).answer);
    expect(await ask()).toBe('BACKEND_REDIRECT: the logon page of the server is on another host');
    expect(passwords()).toEqual([]);
    const [finding] = await system.probe(context());
    expect(finding).toMatchObject({ outcome: 'fail', text: expect.stringContaining('(https://login.corp.example)') as unknown, advice: expect.stringContaining('give that host as the url') as unknown });
  });

  it('over http to another machine no password leaves the house', async () => {
    const servers = new OwaServers({ servers: [new URL('http://mail.corp.example')], auth: 'form', username: 'x', password: 'canary', hosts: [], clock: { now: () => NOW }, logger: silentLogger });
    closing.push(servers);
    const asked = servers.first.exchange({ method: 'GET', url: new URL('http://mail.corp.example/public/'), ctx: context(), budget: new RequestBudget() });
    await expect(asked).rejects.toMatchObject({ code: 'BACKEND_AUTH', publicMessage: 'a form logon needs https' });
  });

  it('a server with Basic and no form says so to the administrator', async () => {
    const { system } = await start(({ method }) => (method === 'POST' ? { status: 405 } : { status: 401, headers: { 'www-authenticate': 'Basic realm="mail"' } }));
    expect(await system.probe(context())).toEqual([expect.objectContaining({ step: 'sign-in', outcome: 'fail', advice: 'the server asks for Basic: set auth: basic' })]);
    const ntlm = await start(({ method }) => (method === 'POST' ? { status: 404 } : { status: 401, headers: { 'www-authenticate': 'Negotiate, NTLM' } }));
    expect((await ntlm.system.probe(context()))[0]).toMatchObject({ advice: 'the server asks for NTLM, Negotiate: set auth: ntlm' });
  });
});

describe('a logon that is refused', () => {
  const to = (location: string, cookies: string[] = []) => (): Reply => ({ status: 302, headers: { location, ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }) } });
  const COOKIES = ['sessionid=worthless; path=/', 'cadata="worthless"'];

  it.each<readonly [string, Forms, RegExp]>([
    ['reason=2', { ...EXCHANGE_2003, logon: to('/exchweb/bin/auth/owalogon.asp?url=x&reason=2') }, /refuses the user name or password/],
    ['reason=2 with cookies, as on 2003', { ...EXCHANGE_2003, logon: to('/exchweb/bin/auth/owalogon.asp?url=x&reason=2', COOKIES) }, /refuses the user name or password/],
    ['reason=2 of 2007', { ...EXCHANGE_2007, logon: to('https://mail.corp.example/owa/auth/logon.aspx?replaceCurrent=1&reason=2') }, /refuses the user name or password/],
    ['reason=4', { ...EXCHANGE_2003, logon: to('/exchweb/bin/auth/owalogon.asp?reason=4') }, /wants the password of the account changed/],
    ['reason=5', { ...EXCHANGE_2007, logon: to('/owa/auth/logon.aspx?reason=5', COOKIES) }, /refuses the logon \(reason 5\)/],
    ['back to the page without a reason', { ...EXCHANGE_2003, logon: to('/exchweb/bin/auth/owalogon.asp', COOKIES) }, /refuses the user name or password/],
    ['the page with status 200, cookies or not', { ...EXCHANGE_2007, logon: () => ({ status: 200, body: '<html><input type="password"></html>', headers: { 'content-type': 'text/html', 'set-cookie': COOKIES } }) }, /refuses the user name or password/],
    ['to the destination with cookies that are worth nothing', { ...EXCHANGE_2003, logon: to('/public/', COOKIES) }, /does not accept its own logon/],
    ['to the destination without cookies', { ...EXCHANGE_2003, logon: to('/public/') }, /no cookie/],
    ['401', { ...EXCHANGE_2003, logon: () => ({ status: 401 }) }, /refuses the credentials/],
  ])('%s: one password, however many ask, and none again for a while', async (_name, exchange, message) => {
    let now = NOW;
    const { ask, passwords } = await start(forms(exchange).answer, { clock: { now: () => now } });
    const outcomes = await Promise.all(Array.from({ length: 20 }, ask));
    for (const one of outcomes) expect(one).toMatch(message);
    for (let second = 0; second < 30; second++, now += 1_000) expect(await ask()).toMatch(/^BACKEND_AUTH/);
    expect(passwords()).toHaveLength(1);
  });

  it('is about the account: what asks, what writes and what reads the address book share it', async () => {
    const { server, system, passwords } = await start(forms({ ...EXCHANGE_2003, logon: to('/exchweb/bin/auth/owalogon.asp?reason=2') }).answer, { connections: new OwaConnections() });
    const connections = new OwaConnections();
    const common = { name: 'exchange', servers: [server.url], auth: 'form', username: 'CORP\\bridge', password: 'wrong', hosts: [], clock: { now: () => NOW }, logger: silentLogger, connections } as const;
    const sink = new OwaWebdavSink({ ...common, legacyExchangeDn: '/o=Corp/ou=First/cn=Recipients/cn={localPart}' });
    const gal = new OwaGalSource({ ...common, label: 'exchange', domains: [], mailboxes: [] });
    closing.push(system, sink, gal);
    await expect(sink.remove('/o=Corp/ou=First/cn=Recipients/cn=kim', context())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(await gal.probe(context().signal)).toMatchObject([{ step: 'sign-in', outcome: 'fail' }]);
    expect(passwords()).toHaveLength(1);
  });
});

describe('a session', () => {
  it('is one for everything that asks the system, and renewed once for all of it', async () => {
    const exchange = forms(EXCHANGE_2003);
    const server = await startStandIn(exchange.answer);
    const connections = new OwaConnections();
    const common = { name: 'exchange', servers: [server.url], auth: 'form', username: 'CORP\\bridge', password: 'pw', hosts: [], clock: { now: () => NOW }, logger: silentLogger, connections } as const;
    const system = systemFor(server.url, common);
    const sink = new OwaWebdavSink({ ...common, legacyExchangeDn: '/o=Corp/ou=First/cn=Recipients/cn={localPart}' });
    const gal = new OwaGalSource({ ...common, label: 'exchange', domains: [], mailboxes: [] as MailboxAddress[] });
    closing.push(server);
    const identity = '/o=Corp/ou=First/cn=Recipients/cn=kim';
    const all = () => Promise.all([...Array.from({ length: 5 }, () => system.freeBusy(QUESTION, context())), sink.publish(identity, freeBusyFrom(anna, WINDOW, {}), context()), gal.probe(context().signal)]);
    await all();
    const posts = () => server.seen.filter(({ method }) => method === 'POST').length;
    expect(posts()).toBe(1);
    exchange.sessions.clear();
    await all();
    expect(posts()).toBe(2);
    // The cookie that the server renewed as it went is the one that is sent.
    await system.freeBusy(QUESTION, context());
    expect(server.seen.at(-1)!.headers.cookie).toContain('cadata="renewed"');
    // Whoever takes leave, twice even, leaves the others theirs.
    await sink.close();
    await sink.close();
    await gal.close();
    expect(outcome((await system.freeBusy(QUESTION, context()))[0])).toBe('answered');
    expect(posts()).toBe(2);
    await system.close();
  });

  it('outlives whoever asked first and went away', async () => {
    const { server, system, passwords } = await start(forms(EXCHANGE_2003).answer);
    const impatient = new AbortController();
    const first = system.freeBusy(QUESTION, context({ signal: impatient.signal }));
    impatient.abort();
    expect(outcome((await first)[0])).toMatch(/^DEADLINE/);
    expect(outcome((await system.freeBusy(QUESTION, context()))[0])).toBe('answered');
    expect(passwords().length).toBeLessThanOrEqual(1);
    expect(server.seen.length).toBeGreaterThan(0);
  });
});
