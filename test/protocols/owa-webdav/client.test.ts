import { afterEach, describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS } from '../../../src/core/clock.ts';
import type { ExplainNote } from '../../../src/core/request-context.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import type { OwaWebdavOptions, OwaWebdavSystem } from '../../../src/protocols/owa-webdav/client.ts';
import { answerOf } from './owa-answer.ts';
import { NOW, context, startStandIn, systemFor } from './stand-in.ts';
import type { Reply, Seen, StandIn } from './stand-in.ts';

const address = (text: string) => parseMailboxAddress(text)!;
const anna = address('anna@corp.example');
const bob = address('bob@corp.example');
const WINDOW = { start: Date.UTC(2026, 2, 2, 8), end: Date.UTC(2026, 2, 2, 9) };

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function start(answer: (request: Seen) => Reply | undefined, options: Partial<OwaWebdavOptions> = {}): Promise<{ server: StandIn; system: OwaWebdavSystem }> {
  const server = await startStandIn(answer);
  const system = systemFor(server.url, options);
  closing.push(system, server);
  return { server, system };
}

const outcome = (result: FreeBusyResult) => ('error' in result ? result.error.code : result.freeBusy.busy.map((one) => [(one.start - WINDOW.start) / MINUTE_MS, (one.end - WINDOW.start) / MINUTE_MS, one.busyType]));

const LOGON_HTML = '<html><body><form action="/exchweb/bin/auth/owaauth.dll"><input type="password" name="password"/></form></body></html>';

describe('cmd=freebusy', () => {
  it('asks as Internet Explorer, with Basic, in UTC, and reads by name', async () => {
    const { server, system } = await start(() => answerOf(['Bob@Corp.example', '000000111111'], ['anna@corp.example', '220033000000']));
    const results = await system.freeBusy({ mailboxes: [anna, bob, address('carl@corp.example')], window: WINDOW, details: false }, context({ hops: 1 }));
    expect(results.map(outcome)).toEqual([[[0, 10, 'busy'], [20, 30, 'oof']], [[30, 60, 'tentative']], 'NO_DATA']);
    expect(results.map((one) => one.mailbox)).toEqual([anna, bob, 'carl@corp.example']);
    const [request] = server.seen;
    expect(request!.url).toBe('/public/?cmd=freebusy&start=2026-03-02T08:00:00Z&end=2026-03-02T09:00:00Z&interval=5&u=SMTP:anna@corp.example&u=SMTP:bob@corp.example&u=SMTP:carl@corp.example');
    expect(request!.headers['user-agent']).toContain('MSIE');
    expect(Buffer.from(request!.headers.authorization!.slice(6), 'base64').toString('utf8')).toBe('CORP\\bridge:p&ss +ü');
    expect(request!.headers['x-freebusy-bridge-hops']).toBe('2');
  });

  it('asks over whole slots and answers for exactly the window', async () => {
    const { server, system } = await start(() => answerOf(['anna@corp.example', '2000002']));
    const window = { start: WINDOW.start + 2 * MINUTE_MS, end: WINDOW.start + 33 * MINUTE_MS };
    const [result] = await system.freeBusy({ mailboxes: [anna], window, details: false }, context());
    expect(server.seen[0]!.url).toContain('start=2026-03-02T08:00:00Z&end=2026-03-02T08:35:00Z');
    expect(result).toMatchObject({ freeBusy: { window }, asOf: NOW });
    expect(outcome(result!)).toEqual([[2, 5, 'busy'], [30, 33, 'busy']]);
  });

  it('a root below a path and a trailing slash leads to one /public/', async () => {
    const server = await startStandIn(() => answerOf(['anna@corp.example', '0'.repeat(12)]));
    const system = systemFor(new URL('/legacy/?secret=1', server.url));
    closing.push(system, server);
    await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(server.seen[0]!.url).toMatch(/^\/legacy\/public\/\?cmd=freebusy&/);
  });

  it('500 mailboxes go out in queries that IIS takes, none lost', async () => {
    const mailboxes = Array.from({ length: 500 }, (_, index) => address(`a-person-with-a-name+${index}@department.corp.example`));
    const { server, system } = await start((request) => {
      const asked = [...request.url.matchAll(/u=SMTP:([^&]+)/g)].map((match) => decodeURIComponent(match[1]!));
      return answerOf(...asked.map((one) => [one, '0'.repeat(12)] as const));
    });
    const results = await system.freeBusy({ mailboxes, window: WINDOW, details: false }, context());
    expect(results.map((one) => one.mailbox)).toEqual(mailboxes);
    expect(results.every((one) => 'freeBusy' in one)).toBe(true);
    const lengths = server.seen.map((one) => one.url.length - '/public/?'.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1900);
    // Filled, too: 500 × 62 characters need 17 of them.
    expect(lengths.length).toBeLessThanOrEqual(18);
  });

  // WINDOW is an hour: 12 digits of five minutes.
  it.each([
    ['of a server with an interval of its own', '0'.repeat(12) + '2'.repeat(12)],
    ['with line breaks that shift what follows', '00000\n222222'],
  ])('digits %s are no data, and never free', async (_name, fbdata) => {
    const { system } = await start(() => answerOf(['anna@corp.example', fbdata]));
    const [result] = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(result).toMatchObject({ error: { code: 'NO_DATA' } });
  });

  it('one digit too many is rounding', async () => {
    const { system } = await start(() => answerOf(['anna@corp.example', '2'.repeat(13)]));
    const [result] = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(result).toMatchObject({ freeBusy: { busy: [{ ...WINDOW, busyType: 'busy' }] } });
  });

  it('42 days go out in two pieces; the one that fails is no data for its days', async () => {
    const { server, system } = await start((request) =>
      request.url.includes('start=2026-03-02') ? answerOf(['anna@corp.example', '0'.repeat(35 * 288)]) : { status: 500, body: 'out of order' },
    );
    const window = { start: Date.UTC(2026, 2, 2), end: Date.UTC(2026, 2, 2) + 42 * DAY_MS };
    const [result] = await system.freeBusy({ mailboxes: [anna], window, details: false }, context());
    expect(server.seen).toHaveLength(2);
    expect('freeBusy' in result! && result.freeBusy.busy).toEqual([{ start: window.start + 35 * DAY_MS, end: window.end, busyType: 'no-data' }]);
  });

  it.each<readonly [string, Reply, string]>([
    ['a wrong password', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }, 'BACKEND_AUTH'],
    ['NTLM only', { status: 401, headers: { 'www-authenticate': 'NTLM' } }, 'BACKEND_AUTH'],
    ['440', { status: 440, body: 'Login Timeout' }, 'BACKEND_AUTH'],
    ['a logon page with 200', { status: 200, body: LOGON_HTML, headers: { 'content-type': 'text/html' } }, 'BACKEND_AUTH'],
    ['a page of something else', { status: 200, body: '<html><body>IIS</body></html>', headers: { 'content-type': 'text/html' } }, 'BACKEND_MALFORMED'],
    ['403', { status: 403 }, 'BACKEND_AUTH'],
    ['404', { status: 404 }, 'BACKEND_FAULT'],
    ['408', { status: 408 }, 'BACKEND_FAULT'],
    ['425', { status: 425 }, 'BACKEND_FAULT'],
    ['500', { status: 500 }, 'BACKEND_FAULT'],
    ['503', { status: 503, headers: { 'retry-after': '7' } }, 'BACKEND_BUSY'],
    ['207', { status: 207, body: answerOf() }, 'BACKEND_MALFORMED'],
    ['a redirect to another host', { status: 302, headers: { location: 'https://evil.example/public/?x=secret' } }, 'BACKEND_REDIRECT'],
    ['a redirect in circles', { status: 302, headers: { location: '/public/' } }, 'BACKEND_REDIRECT'],
    ['a redirect to nowhere', { status: 302 }, 'BACKEND_REDIRECT'],
    ['nothing', '', 'BACKEND_MALFORMED'],
    ['a truncated answer', answerOf(['anna@corp.example', '000000000000']).slice(0, -20), 'BACKEND_MALFORMED'],
    ['a DOCTYPE', `<!DOCTYPE a [<!ENTITY b "0">]>${answerOf(['anna@corp.example', '&b;'])}`, 'BACKEND_MALFORMED'],
    ['no recipients', '<a:response xmlns:a="WM"/>', 'BACKEND_MALFORMED'],
    ['no items', '<a:response xmlns:a="WM"><a:recipients/></a:response>', 'NO_DATA'],
    ['4s only', answerOf(['anna@corp.example', '444444444444']), 'NO_DATA'],
    ['the body of another length', { status: 200, body: answerOf(), headers: { 'content-length': '10000' } }, 'BACKEND_MALFORMED'],
  ])('%s is no data with its reason, and no secret in it', async (_name, reply, code) => {
    const { server, system } = await start(() => reply);
    // Of a body announced as longer the rest never comes: its connection ends instead.
    if (typeof reply !== 'string' && reply.headers?.['content-length'] !== undefined) setTimeout(() => void server.close(), 200);
    const [result] = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(outcome(result!)).toBe(code);
    const error = 'error' in result! ? result.error : undefined;
    expect(JSON.stringify([error?.publicMessage, error?.details])).not.toMatch(/p&ss|secret|anna/);
    expect(error?.publicMessage).not.toContain('127.0.0.1');
    expect(server.seen.length).toBeLessThanOrEqual(10);
  });

  it('unknown characters, missing and twofold mailboxes are no data for what they concern only', async () => {
    const { system } = await start(() => answerOf(['anna@corp.example', '22?500'], ['bob@corp.example', '000000000000'], ['bob@corp.example', '200000000000']));
    const results = await system.freeBusy({ mailboxes: [anna, bob], window: WINDOW, details: false }, context());
    expect(results.map(outcome)).toEqual([[[0, 10, 'busy'], [10, 20, 'no-data'], [30, 60, 'no-data']], 'NO_DATA']);
  });

  it('a server that refuses the password is not asked with every part', async () => {
    const { server, system } = await start(() => ({ status: 401 }));
    const mailboxes = Array.from({ length: 500 }, (_, index) => address(`person${index}@corp.example`));
    const results = await system.freeBusy({ mailboxes, window: WINDOW, details: false }, context());
    expect(new Set(results.map(outcome))).toEqual(new Set(['BACKEND_AUTH']));
    expect(server.seen.length).toBeLessThanOrEqual(10);
  });

  it('a server that accepts and stays silent costs the deadline and no more', async () => {
    const { system } = await start(() => undefined);
    const [result] = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context({ signal: AbortSignal.timeout(150) }));
    expect(outcome(result!)).toBe('DEADLINE');
  });

  it('explains what it asked and what came, without a secret', async () => {
    const notes: ExplainNote[] = [];
    const { system } = await start(() => answerOf(['anna@corp.example', '220000000000']));
    await system.freeBusy({ mailboxes: [anna, bob], window: WINDOW, details: false }, context({ explain: (note) => void notes.push(note) }));
    expect(notes.map((note) => note.kind)).toEqual(['request', 'answer']);
    expect(notes[1]!.text).toContain('220000000000');
    expect(JSON.stringify(notes)).not.toContain('p&ss');
  });
});

describe('form logon', () => {
  /** An Exchange with forms-based authentication: exchange.md §2.6. */
  function fba(options: { readonly logonPath?: string; readonly location?: string; readonly accepts?: (cookie: string) => boolean; readonly cookies?: string[] } = {}) {
    const { logonPath = '/exchweb/bin/auth/owaauth.dll', location = '/public/', accepts = (cookie) => cookie.includes('sessionid=s1'), cookies = ['sessionid=s1; path=/', 'cadata="abc="; HttpOnly'] } = options;
    return (request: Seen): Reply => {
      if (request.method === 'POST') {
        if (request.url !== logonPath) return { status: 404 };
        return { status: 302, headers: { location, 'set-cookie': cookies } };
      }
      if (request.url.startsWith('/exchweb/bin/auth/owalogon.asp')) return { status: 200, body: LOGON_HTML, headers: { 'content-type': 'text/html' } };
      if (!accepts(request.headers.cookie ?? '')) return request.method === 'GET' ? { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=x&reason=0' } } : { status: 440 };
      return answerOf(['anna@corp.example', '220000000000'], ['bob@corp.example', '000000000000']);
    };
  }

  it.each(['/exchweb/bin/auth/owaauth.dll', '/owa/auth/owaauth.dll', '/owa/auth.owa'])('logs on at %s and sends the cookies', async (logonPath) => {
    const { server, system } = await start(fba({ logonPath }), { auth: 'form' });
    const results = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(results.map(outcome)).toEqual([[[0, 10, 'busy']]]);
    const logon = server.seen.find((one) => one.url === logonPath)!;
    const form = new URLSearchParams(logon.body);
    expect([form.get('username'), form.get('password'), form.get('destination')]).toEqual(['CORP\\bridge', 'p&ss +ü', `${server.url.origin}/public/`]);
    expect(logon.headers).toMatchObject({ cookie: 'PBack=0', 'content-type': 'application/x-www-form-urlencoded' });
    expect(server.seen.at(-1)!.headers.cookie).toBe('sessionid=s1; cadata="abc="');
    expect(server.seen.at(-1)!.headers.authorization).toBeUndefined();
  });

  it('many lookups at once log on once, and the cookies are kept', async () => {
    const { server, system } = await start(fba(), { auth: 'form' });
    await Promise.all(Array.from({ length: 8 }, () => system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context())));
    await system.freeBusy({ mailboxes: [bob], window: WINDOW, details: false }, context());
    expect(server.seen.filter((one) => one.method === 'POST')).toHaveLength(1);
  });

  it('logs on again once when the session has died', async () => {
    let alive = 's1';
    const { server, system } = await start(
      (request) => {
        const reply = fba({ accepts: (cookie) => cookie.includes(`sessionid=${alive}`), cookies: [`sessionid=${alive}; path=/`] })(request);
        return reply;
      },
      { auth: 'form' },
    );
    await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    alive = 's2';
    const results = await Promise.all(Array.from({ length: 4 }, () => system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context())));
    expect(results.flat().map(outcome)).toEqual(Array.from({ length: 4 }, () => [[0, 10, 'busy']]));
    expect(server.seen.filter((one) => one.method === 'POST')).toHaveLength(2);
  });

  it.each([
    ['wrong credentials', fba({ location: '/exchweb/bin/auth/owalogon.asp?url=x&reason=2' }), /refuses the user name or password/],
    ['wrong credentials on 2007', fba({ location: 'https://mail.corp.example/owa/auth/logon.aspx?replaceCurrent=1&reason=2' }), /refuses the user name or password/],
    ['a password that must be changed', fba({ location: '/exchweb/bin/auth/owalogon.asp?reason=4' }), /password .* changed/],
    ['no cookie', fba({ cookies: [] }), /no cookie/],
    ['no form logon at all', fba({ logonPath: '/none' }), /no form logon/],
    ['cookies that are worth nothing', fba({ accepts: () => false }), /does not accept its own logon/],
    ['a logon that is worth nothing there', (request: Seen) => (request.method === 'POST' ? fba()(request) : { status: 401, headers: { 'www-authenticate': 'Negotiate' } }), /lets the account in, but not there/],
  ] as const)('%s: said clearly, and the server is left in peace', async (_name, answer, message) => {
    const { server, system } = await start(answer, { auth: 'form' });
    const [result] = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(outcome(result!)).toBe('BACKEND_AUTH');
    expect('error' in result! && result.error.publicMessage).toMatch(message);
    expect(server.seen.length).toBeLessThanOrEqual(10);
  });

  it('a refused password is not tried again with every lookup: accounts are locked for less', async () => {
    let now = NOW;
    const { server, system } = await start(fba({ location: '/exchweb/bin/auth/owalogon.asp?reason=2' }), { auth: 'form', clock: { now: () => now } });
    for (let lookup = 0; lookup < 5; lookup++) await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    const passwords = () => server.seen.filter(({ method }) => method === 'POST').length;
    expect(passwords()).toBe(1);
    // LIMITS.refusedPausesMs: a form begins with half a minute, then two.
    now += 25_000;
    await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(passwords()).toBe(1);
    now += 10_000;
    await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(passwords()).toBe(2);
    now += 80_000;
    await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(passwords()).toBe(2);
    // Half an hour of lookups every ten seconds.
    for (let second = 0; second < 1_800; second += 10, now += 10_000) await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(passwords()).toBeLessThanOrEqual(7);
  });

  it('a logon that hangs costs a lookup its own deadline only', async () => {
    const { system } = await start(() => undefined, { auth: 'form' });
    const [result] = await system.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context({ signal: AbortSignal.timeout(150) }));
    expect(outcome(result!)).toBe('DEADLINE');
  });
});

describe('lookup: public-folder', () => {
  const DN = { lookup: 'public-folder', legacyExchangeDn: '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}' } as const;
  const WHERE = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/EX:_xF8FF_o=Corp_xF8FF_ou=First%20Administrative%20Group/USER-_xF8FF_CN=RECIPIENTS_xF8FF_CN=ANNA.EML';

  /** Shape of the captured Exchange 2003 answer, blocks of exchange.md §1.5. */
  function message(properties: string): Reply {
    const names = 'xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:c="xml:" xmlns:e="http://schemas.microsoft.com/mapi/proptag/"';
    return {
      status: 207,
      body: `<?xml version="1.0"?><a:multistatus ${names} xmlns:a="DAV:"><a:response><a:href>x</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${properties}</a:prop></a:propstat></a:response></a:multistatus>`,
    };
  }
  const RANGE = '<e:x68470003 b:dt="int">223613280</e:x68470003><e:x68480003 b:dt="int">223745760</e:x68480003>';
  const BUSY = '<e:x68531003 b:dt="mv.int"><c:v>32419</c:v></e:x68531003><e:x68541102 b:dt="mv.bin.base64"><c:v>vDQWNQ==</c:v></e:x68541102>';
  const MARCH_10 = { start: Date.UTC(2026, 2, 10, 8), end: Date.UTC(2026, 2, 10, 12) };

  it('reads the message of the mailbox at its URL', async () => {
    const { server, system } = await start(() => message(`<d:subject>USER-/CN=RECIPIENTS/CN=anna</d:subject>${RANGE}${BUSY}<e:x68680040 b:dt="dateTime.tz">2026-02-27T12:34:56.000Z</e:x68680040>`), DN);
    const [result] = await system.freeBusy({ mailboxes: [anna], window: MARCH_10, details: false }, context());
    expect(result).toMatchObject({
      mailbox: anna,
      freeBusy: { window: MARCH_10, busy: [{ start: Date.UTC(2026, 2, 10, 9), end: Date.UTC(2026, 2, 10, 10, 30), busyType: 'busy' }] },
      asOf: Date.UTC(2026, 1, 27, 12, 34, 56),
    });
    const [request] = server.seen;
    expect([request!.method, request!.url, request!.headers['depth'], request!.headers['translate']]).toEqual(['PROPFIND', WHERE, '0', 'f']);
  });

  it('outside its publish range is no data', async () => {
    const { system } = await start(() => message(RANGE + BUSY), DN);
    const window = { start: Date.UTC(2026, 5, 1) - 30 * MINUTE_MS, end: Date.UTC(2026, 5, 1) + 30 * MINUTE_MS };
    const [result] = await system.freeBusy({ mailboxes: [anna], window, details: false }, context());
    expect('freeBusy' in result! && result.freeBusy.busy).toEqual([{ start: Date.UTC(2026, 5, 1), end: window.end, busyType: 'no-data' }]);
  });

  it.each<readonly [string, Reply, string]>([
    ['404', { status: 404 }, 'NO_DATA'],
    ['403', { status: 403 }, 'NO_DATA'],
    ['207 with 404 inside', { status: 207, body: '<a:multistatus xmlns:a="DAV:"><a:response><a:href>x</a:href><a:status>HTTP/1.1 404 Resource Not Found</a:status></a:response></a:multistatus>' }, 'NO_DATA'],
    ["somebody else's message", message(`<d:subject>USER-/CN=RECIPIENTS/CN=CEO</d:subject>${RANGE}${BUSY}`), 'NO_DATA'],
    ['a message without a range', message(BUSY), 'NO_DATA'],
    ['a 200', { status: 200, body: '<x/>' }, 'BACKEND_MALFORMED'],
    ['401', { status: 401 }, 'BACKEND_AUTH'],
    ['440', { status: 440 }, 'BACKEND_AUTH'],
    ['no XML', { status: 207, body: '<a:multistatus' }, 'BACKEND_MALFORMED'],
  ])('%s is no data with its reason', async (_name, reply, code) => {
    const { system } = await start(() => reply, DN);
    const [result] = await system.freeBusy({ mailboxes: [anna], window: MARCH_10, details: false }, context());
    expect(outcome(result!)).toBe(code);
  });

  it('one bad mailbox spoils no other', async () => {
    const { server, system } = await start((request) => (request.url.includes('CN=ANNA') ? message(RANGE + BUSY) : { status: 404 }), DN);
    const results = await system.freeBusy({ mailboxes: [bob, address('a=b@corp.example'), anna], window: MARCH_10, details: false }, context());
    expect(results.map((one) => ('error' in one ? one.error.code : 'ok'))).toEqual(['NO_DATA', 'NO_DATA', 'ok']);
    // The address with `=` would name another user's message: nobody is asked about it. What is not there has the list of folders looked at.
    expect(server.seen.map(({ url, headers }) => [headers['depth'], url.slice(url.lastIndexOf('=') + 1)])).toEqual(expect.arrayContaining([['0', 'BOB.EML'], ['0', 'ANNA.EML'], ['1', '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/']]));
    expect(server.seen).toHaveLength(3);
  });

  it('needs a template', () => {
    expect(() => systemFor(new URL('http://127.0.0.1:1'), { lookup: 'public-folder' })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
  });
});

describe('probe', () => {
  const folder = '<a:multistatus xmlns:a="DAV:"><a:response><a:href>x</a:href></a:response></a:multistatus>';
  function exchange(change: (request: Seen) => Reply | undefined = () => undefined) {
    return (request: Seen): Reply => {
      const changed = change(request);
      if (changed !== undefined) return changed;
      if (request.method === 'PROPFIND') return { status: 207, body: folder };
      return { status: 200, body: answerOf(['anna@corp.example', '2'.repeat(49)]), headers: { 'MS-WebStorage': '6.5.7226', MicrosoftOfficeWebServer: '5.0_Pub', date: new Date(NOW).toUTCString() } };
    };
  }
  const steps = async (answer: (request: Seen) => Reply, options: Partial<OwaWebdavOptions> = {}) => {
    const { system } = await start(answer, { probeMailbox: anna, ...options });
    const findings = await system.probe(context());
    expect(findings.filter((one) => one.outcome !== 'ok' && one.advice === undefined)).toEqual([]);
    return Object.fromEntries(findings.map((one) => [one.step, `${one.outcome}: ${one.text}`]));
  };

  it('a healthy server is named and timed', async () => {
    expect(await steps(exchange())).toEqual({
      'sign-in': 'ok: signed in (basic)',
      'right to read': 'ok: cmd=freebusy gives digits for the mailbox',
      version: 'ok: store 6.5.7226 (Exchange 2003), 5.0_Pub',
      clock: 'ok: its clock agrees with ours',
      'query length': 'ok: a query of 1900 characters passes',
      'public folder': 'ok: SCHEDULE+ FREE BUSY can be reached',
    });
  });

  it('names what is wrong', async () => {
    expect(await steps(() => ({ status: 401 }))).toEqual({ 'sign-in': 'fail: BACKEND_AUTH: the server refuses the credentials' });
    const long = await steps(exchange((request) => (request.url.length > 1500 ? { status: 404 } : undefined)));
    expect(long['query length']).toContain('fail: long queries are answered 404 (IIS: 404.15)');
    const plus = await steps(exchange((request) => (request.url.includes('%2B') ? { status: 404 } : undefined)));
    expect(plus['public folder']).toContain('warn: the + of SCHEDULE+ FREE BUSY is refused (IIS: 404.11)');
    const none = await steps(exchange((request) => (request.method === 'PROPFIND' ? { status: 404 } : undefined)), { lookup: 'public-folder', legacyExchangeDn: '/o=C/cn={localPart}' });
    expect(none['public folder']).toContain('fail: there is no public folder tree');
    const forbidden = await steps(exchange((request) => (request.method === 'PROPFIND' ? { status: 403 } : undefined)));
    expect(forbidden['public folder']).toContain('warn: SCHEDULE+ FREE BUSY may not be read');
    const late = await steps(exchange(), { clock: { now: () => NOW + 10 * MINUTE_MS } });
    expect(late['clock']).toBe('warn: its clock is 600 s behind ours');
    const unknown = await steps(exchange((request) => (request.method === 'GET' ? answerOf(['anna@corp.example', '4'.repeat(49)]) : undefined)));
    expect(unknown['right to read']).toContain('warn: cmd=freebusy knows nothing of the mailbox');
  });

  it.each<readonly [string, (request: Seen) => Reply, Partial<OwaWebdavOptions>, object]>([
    ['a form where Basic is set', ({ method }) => (method === 'GET' ? { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=x&reason=0' } } : { status: 440 }), {}, { step: 'sign-in', advice: 'set auth: form' }],
    ['a form on another host where Basic is set', () => ({ status: 302, headers: { location: 'https://login.corp.example/owa/auth/logon.aspx?url=x' } }), {}, { step: 'sign-in', advice: 'set auth: form' }],
    ['a form where NTLM is set', () => ({ status: 440 }), { auth: 'ntlm' }, { step: 'sign-in', advice: 'set auth: form' }],
    ['NTLM where Basic is set', () => ({ status: 401, headers: { 'www-authenticate': 'NTLM' } }), {}, { step: 'sign-in', advice: 'set auth: ntlm, or switch Basic on for the virtual directory' }],
    ['403.4', () => ({ status: 403, body: 'HTTP Error 403.4 - Forbidden: SSL is required', headers: { 'content-type': 'text/html' } }), {}, { step: 'sign-in', text: 'BACKEND_AUTH: the server wants https (403.4)', advice: 'write https:// in the url' }],
    ['no /public', () => ({ status: 404 }), {}, { step: 'right to read', advice: expect.stringContaining('is /public a virtual directory of this server?') as unknown }],
    ['no public folder database', () => ({ status: 500 }), {}, { step: 'right to read', advice: expect.stringContaining('a server without a public folder database answers so: name one that has it in `url`') as unknown }],
    ['a web page', () => ({ status: 200, body: '<html/>', headers: { 'content-type': 'text/html' } }), {}, { step: 'right to read', advice: 'the url must be the root of the server that has /public' }],
    ['a redirect elsewhere', () => ({ status: 302, headers: { location: 'https://owa.corp.example/exchange/?secret=canary' } }), {}, { step: 'connection', text: 'BACKEND_REDIRECT: the calendar system redirects elsewhere (https://owa.corp.example)', advice: expect.stringContaining('hosts') as unknown }],
    ['503', () => ({ status: 503 }), {}, { step: 'right to read', advice: expect.stringContaining('busy') as unknown }],
    ['a host that no name server knows', () => '', { servers: [new URL('http://exchange.invalid')] }, { step: 'connection', advice: expect.stringMatching(/name server/) as unknown }],
    ['a port where nobody listens', () => '', { servers: [new URL('http://127.0.0.1:1')] }, { step: 'connection', advice: expect.stringContaining('nothing listens there') as unknown }],
  ])('%s: an administrator is told what to do', async (_name, answer, options, expected) => {
    const { system } = await start(answer, options);
    expect(await system.probe(context())).toEqual([expect.objectContaining({ outcome: 'fail', ...expected })]);
  });

  it('a server that calls nobody free is told apart from one that says 4', async () => {
    const free = await steps(exchange((request) => (request.method === 'GET' ? answerOf(['anna@corp.example', '0'.repeat(49)], ['freebusy-bridge-check@bridge.invalid', '0'.repeat(49)]) : undefined)));
    expect(free['right to read']).toContain('warn: cmd=freebusy gives digits for an address that nobody has');
    const known = await steps(exchange((request) => (request.method === 'GET' ? answerOf(['anna@corp.example', '0'.repeat(49)], ['freebusy-bridge-check@bridge.invalid', '4'.repeat(49)]) : undefined)));
    expect(known['right to read']).toContain('ok: ');
  });

  it('a server that is not there is a finding, not an exception', async () => {
    const server = await startStandIn(() => '');
    await server.close();
    const system = systemFor(server.url);
    closing.push(system);
    expect(await system.probe(context())).toEqual([expect.objectContaining({ step: 'connection', outcome: 'fail' })]);
  });
});
