import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom, unknownFreeBusy } from '../../../src/freebusy/free-busy.ts';
import { OwaWebdavSink } from '../../../src/protocols/owa-webdav/sink.ts';
import type { OwaWebdavSinkOptions } from '../../../src/protocols/owa-webdav/sink.ts';
import { PASSWORD, USERNAME, multistatus, startFakeExchange } from './fake-exchange.ts';
import type { FakeExchange, FakeExchangeOptions, Fault, Seen } from './fake-exchange.ts';
import { NOW, context } from './stand-in.ts';

const FOLDER = 'EX:/o=Corp/ou=First Administrative Group';
const DN = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim';
/** exchange.md §2.1. */
const PATH = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/EX:_xF8FF_o=Corp_xF8FF_ou=First%20Administrative%20Group/USER-_xF8FF_CN=RECIPIENTS_xF8FF_CN=KIM.EML';
const KEY = decodeURIComponent(PATH).toLowerCase();
const kim = parseMailboxAddress('kim@zimbra.example')!;
const window = { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 5, 1) };
const planned = freeBusyFrom(kim, window, { busy: [{ start: Date.UTC(2026, 2, 10, 9), end: Date.UTC(2026, 2, 10, 10, 30), busyType: 'busy' }] });

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one.close()));
});

async function exchange(options: Partial<FakeExchangeOptions> = {}): Promise<FakeExchange> {
  const fake = await startFakeExchange({ folders: [FOLDER], ...options });
  closing.push(fake);
  return fake;
}

function sinkOf(fake: Pick<FakeExchange, 'url'>, options: Partial<OwaWebdavSinkOptions> = {}): OwaWebdavSink {
  const sink = new OwaWebdavSink({
    name: 'exchange',
    servers: [fake.url],
    auth: 'basic',
    username: USERNAME,
    password: PASSWORD,
    hosts: [],
    legacyExchangeDn: '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}',
    clock: { now: () => NOW },
    logger: silentLogger,
    ...options,
  });
  closing.push(sink);
  return sink;
}

const only = (method: string, fault: Fault) => (request: Seen) => (request.method === method ? fault : undefined);
const failure = (error: object): unknown => expect.objectContaining(error);
const withDetails = (details: object) => ({ details: expect.objectContaining(details) as unknown });

describe('publishing', () => {
  it('one PROPPATCH on the URL of the sheet writes it; the window written is what is returned', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    const identity = sink.identityOf({ mailbox: kim });
    expect(identity).toBe(DN);
    expect(await sink.publish(identity, planned, context())).toEqual(window);
    expect(fake.seen.map((one) => `${one.method} ${one.path}`)).toEqual([`PROPPATCH ${PATH}`]);
    expect(fake.seen[0]!.headers).toMatchObject({ 'content-type': 'text/xml; charset="utf-8"', translate: 'f' });
    expect(fake.seen[0]!.headers).not.toHaveProperty('brief');
    const message = fake.messages.get(KEY)!;
    // exchange.md §1.5: A = 13500 … 13590.
    expect(message.get('e:x68541102')).toEqual(['vDQWNQ==']);
    expect(message.get('e:x68531003')).toEqual(['32419']);
    expect(message.get('d:subject')).toEqual(['USER-/CN=RECIPIENTS/CN=KIM']);
  });

  it('a type that vanished is taken away on the server', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    await sink.publish(DN, planned, context());
    await sink.publish(DN, freeBusyFrom(kim, window, {}), context());
    expect([...fake.messages.get(KEY)!.keys()].filter((name) => /x685[0-6]|x684f/i.test(name))).toEqual([]);
  });

  it('connections are kept', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    for (let times = 0; times < 20; times++) await sink.publish(DN, planned, context());
    // undici takes turns between two.
    expect(new Set(fake.seen.map((one) => one.port)).size).toBeLessThanOrEqual(2);
  });

  it('the preview is what is sent, and sends nothing', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    const preview = sink.preview(DN, planned);
    expect(fake.seen).toEqual([]);
    await sink.publish(DN, planned, context());
    expect(preview).toEqual({ where: `${fake.url.origin}${PATH}`, document: fake.seen[0]!.body });
  });

  it('unknown time is refused before anything is sent', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    await expect(sink.publish(DN, unknownFreeBusy(kim, window), context())).rejects.toEqual(failure({ code: 'NO_DATA' }));
    expect(() => sink.preview(DN, unknownFreeBusy(kim, window))).toThrow(failure({ code: 'NO_DATA' }));
    expect(fake.seen).toEqual([]);
  });

  it('the foreign principal is the last cn, or the whole DN', async () => {
    const sink = sinkOf({ url: new URL('http://127.0.0.1:9') });
    expect(sink.identityOf({ mailbox: kim, foreignPrincipal: 'k.lee' })).toBe('/o=Corp/ou=First Administrative Group/cn=Recipients/cn=k.lee');
    expect(sink.identityOf({ mailbox: kim, foreignPrincipal: '/o=Old/ou=Site/cn=Container/cn=KLee' })).toBe('/o=Old/ou=Site/cn=Container/cn=KLee');
  });

  it('a template that makes no DN is a mistake in the configuration', () => {
    for (const legacyExchangeDn of ['/o=Corp/{localPart}', 'cn={localPart}', '/o=Corp/cn=all']) {
      expect(() => sinkOf({ url: new URL('http://127.0.0.1:9') }, { legacyExchangeDn })).toThrow(failure({ code: 'CONFIGURATION' }));
    }
  });
});

/** A 207 about everything that a full calendar sends, with one status for one property. */
const refusing = (status: string, property = '<e:x68541102/>') => ({
  status: 207,
  body: multistatus(PATH, `<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop/></a:propstat><a:propstat><a:status>HTTP/1.1 ${status}</a:status><a:prop>${property}</a:prop></a:propstat>`),
});

describe('a 207 that is no success', () => {
  it.each([
    ['422 Unprocessable Entity', { code: 'BACKEND_FAULT', temporary: false, details: { status: 422, property: 'x68541102' } }],
    ['423 Locked', { code: 'BACKEND_BUSY', temporary: true, details: { status: 423, property: 'x68541102' } }],
    ['507 Insufficient Storage', { code: 'BACKEND_BUSY', temporary: true, details: { status: 507, property: 'x68541102' } }],
    ['500 Internal Server Error', { code: 'BACKEND_FAULT', temporary: true, details: { status: 500, property: 'x68541102' } }],
    ['503 Service Unavailable', { code: 'BACKEND_BUSY', temporary: true, details: { status: 503, property: 'x68541102' } }],
    // A right that is missing is about this message's folder: 403, whichever of the two was said.
    ['403 Forbidden', { code: 'BACKEND_AUTH', temporary: false, details: { status: 403, property: 'x68541102' } }],
    ['401 Unauthorized', { code: 'BACKEND_AUTH', temporary: false, details: { status: 403, property: 'x68541102' } }],
    ['409 Conflict', { code: 'BACKEND_FAULT', temporary: false, details: { status: 409, property: 'x68541102' } }],
  ])('%s for one property', async (status, { code, temporary, details }) => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', refusing(status));
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code, temporary, ...withDetails(details) }));
  });

  it('of several refusals the one that another try would not mend is told', async () => {
    const fake = await exchange();
    const body = refusing('423 Locked').body.replace('</a:response>', '<a:propstat><a:status>HTTP/1.1 422 Unprocessable Entity</a:status><a:prop><e:x68470003/></a:prop></a:propstat></a:response>');
    fake.fault = only('PROPPATCH', { status: 207, body });
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_FAULT', ...withDetails({ property: 'x68470003', status: 422 }) }));
  });

  it('424 names the one that is to blame', async () => {
    const fake = await exchange();
    const body = refusing('424 Failed Dependency', '<e:x68470003/>').body.replace('</a:response>', '<a:propstat><a:status>HTTP/1.1 507 Insufficient Storage</a:status><a:prop><e:x68501102/></a:prop></a:propstat></a:response>');
    fake.fault = only('PROPPATCH', { status: 207, body });
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_BUSY', temporary: true, ...withDetails({ property: 'x68501102', status: 507 }) }));
  });

  it.each([
    ['a web page', { status: 207, body: '<html><body>maintenance</body></html>', headers: { 'content-type': 'text/html' } }],
    ['a page without saying so', { status: 207, body: '<!DOCTYPE html><html></html>' }],
    ['cut short', { status: 207, body: multistatus(PATH, '').slice(0, -20) }],
    ['nothing', { status: 207, body: '' }],
    ['another document', { status: 207, body: '<x/>' }],
    ['two megabytes', { status: 207, body: multistatus(PATH, `<a:propstat><a:status>HTTP/1.1 200 OK</a:status></a:propstat>${' '.repeat(2_000_000)}`) }],
    ['a DOCTYPE', { status: 207, body: '<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>' }],
    ['200 instead', { status: 200, body: multistatus(PATH, '') }],
    ['204 instead', { status: 204 }],
  ])('%s is malformed, never a success', async (_name, fault) => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', fault);
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_MALFORMED', ...withDetails({ status: fault.status }) }));
  });
});

describe('a status about the message', () => {
  it.each([
    [403, { code: 'BACKEND_AUTH', temporary: false }, /Add-PublicFolderClientPermission .*EX:\/o=Corp\/ou=First Administrative Group"/],
    [404, { code: 'BACKEND_FAULT', temporary: false }, /EX:\/o=Corp\/ou=First Administrative Group/],
    [409, { code: 'BACKEND_FAULT', temporary: false }, /EX:\/o=Corp\/ou=First Administrative Group/],
    [405, { code: 'BACKEND_FAULT', temporary: false }, /exchange-ews/],
    [501, { code: 'BACKEND_FAULT', temporary: false }, /exchange-ews/],
    [412, { code: 'BACKEND_FAULT', temporary: false }, undefined],
    [423, { code: 'BACKEND_BUSY', temporary: true }, undefined],
    [507, { code: 'BACKEND_BUSY', temporary: true }, /EX:/],
    [503, { code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 7000 }, undefined],
    [500, { code: 'BACKEND_FAULT', temporary: true }, undefined],
    [408, { code: 'BACKEND_FAULT', temporary: true }, undefined],
    [425, { code: 'BACKEND_FAULT', temporary: true }, undefined],
    [440, { code: 'BACKEND_AUTH', temporary: false }, undefined],
  ])('%i', async (status, error, hint) => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', { status, headers: { 'retry-after': '7' } });
    const details = hint === undefined ? { status } : { status, hint: expect.stringMatching(hint) as unknown };
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ ...error, ...withDetails(details) }));
  });

  it('a folder that is not there is a conflict, and nothing is written', async () => {
    const fake = await exchange({ folders: ['EX:/o=Corp/ou=Elsewhere'] });
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_FAULT', temporary: false, ...withDetails({ status: 409 }) }));
    expect(fake.messages.size).toBe(0);
  });

  it('a connection that drops in the middle of the answer is worth another try', async () => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', 'drop-mid-body');
    const sink = sinkOf(fake);
    await expect(sink.publish(DN, planned, context())).rejects.toEqual(failure({ temporary: true }));
    fake.fault = () => undefined;
    expect(await sink.publish(DN, planned, context())).toEqual(window);
  });

  it('a server that stays silent is over with the deadline', async () => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', 'silence');
    await expect(sinkOf(fake).publish(DN, planned, context({ signal: AbortSignal.timeout(100) }))).rejects.toEqual(failure({ code: 'DEADLINE', temporary: true }));
  });

  it('no redirect to another host is followed', async () => {
    const [fake, elsewhere] = [await exchange(), await exchange()];
    fake.fault = only('PROPPATCH', { status: 302, headers: { location: `${elsewhere.url.href.replace('127.0.0.1', 'localhost')}x` } });
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_REDIRECT' }));
    expect(elsewhere.seen).toEqual([]);
  });

  it('a wrong password is about the server', async () => {
    const fake = await exchange();
    await expect(sinkOf(fake, { password: 'wrong' }).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_AUTH', ...withDetails({ status: 401 }) }));
  });
});

describe('401 for one folder', () => {
  const CLOSED = 'EX:/o=Corp/ou=Closed';
  const CLOSED_DN = '/o=Corp/ou=Closed/cn=Recipients/cn=lee';
  const noRight = failure({ code: 'BACKEND_AUTH', temporary: false, ...withDetails({ status: 403, said: 401, hint: expect.stringMatching(/^give the account Owner: .*\\EX:\/o=Corp\/ou=Closed"/) as unknown }) });
  const refused = failure({ code: 'BACKEND_AUTH', ...withDetails({ status: 401 }) });
  const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="mail"' } };
  const isClosed = ({ path }: Seen): boolean => path.includes('ou=Closed');

  it.each(['basic', 'form'] as const)('is that folder’s right, and not the password’s, with a server that lets us in elsewhere (auth: %s)', async (auth) => {
    const fake = await exchange({ auth, folders: [FOLDER, CLOSED] });
    const sink = sinkOf(fake, { auth });
    fake.fault = (request) => (isClosed(request) ? challenge : undefined);
    for (const again of [1, 2]) {
      await expect(sink.publish(CLOSED_DN, planned, context()), String(again)).rejects.toEqual(noRight);
      await expect(sink.remove(CLOSED_DN, context())).rejects.toEqual(noRight);
      expect(await sink.publish(DN, planned, context())).toEqual(window);
    }
  });

  it('is judged by a question that needs no right: the account may be let into nothing above', async () => {
    const fake = await exchange({ folders: [FOLDER, CLOSED] });
    const sink = sinkOf(fake);
    fake.fault = (request) => (isClosed(request) || request.path.endsWith('/SCHEDULE%2B%20FREE%20BUSY/') ? challenge : undefined);
    await expect(sink.publish(CLOSED_DN, planned, context())).rejects.toEqual(noRight);
    await sink.publish(DN, planned, context());
    await expect(sink.publish(CLOSED_DN, planned, context())).rejects.toEqual(noRight);
  });

  it.each([404, 501, 400])('a server without that question says so (%d) only to whom it lets in', async (status) => {
    const fake = await exchange({ folders: [FOLDER, CLOSED] });
    fake.fault = (request) => (isClosed(request) ? challenge : request.method === 'GET' ? { status } : undefined);
    await expect(sinkOf(fake).publish(CLOSED_DN, planned, context())).rejects.toEqual(noRight);
  });

  it('is the server’s word about us where it lets us in nowhere any more, whatever it took before', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    await sink.publish(DN, planned, context());
    fake.fault = () => challenge;
    await expect(sink.publish(DN, planned, context())).rejects.toEqual(refused);
    // The message, and one look.
    expect(fake.seen).toHaveLength(3);
    // The password is not sent again for a while.
    await expect(sink.publish(DN, planned, context())).rejects.toEqual(refused);
    expect(fake.seen).toHaveLength(3);
  });

  it('of many turns refused at once asks one look elsewhere: a wrong password must not count twice as often', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    fake.fault = () => challenge;
    await Promise.all(Array.from({ length: 8 }, async () => expect(sink.publish(DN, planned, context())).rejects.toEqual(refused)));
    // The first goes alone, and one look tells.
    expect(fake.seen.map(({ method }) => method)).toEqual(['PROPPATCH', 'GET']);
  });

  it.each([['a page', { status: 207, body: '<html></html>' }], ['503', { status: 503 }], ['440', { status: 440 }]])('stays about us where the look elsewhere says nothing: %s', async (_name, fault) => {
    const fake = await exchange();
    fake.fault = ({ method }) => (method === 'PROPPATCH' ? challenge : fault);
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(refused);
  });

  it('is found by the probe as a folder that may not be read', async () => {
    const fake = await exchange({ folders: [CLOSED] });
    fake.fault = (request) => (isClosed(request) ? challenge : undefined);
    const findings = await sinkOf(fake, { legacyExchangeDn: '/o=Corp/ou=Closed/cn=Recipients/cn={localPart}' }).probe(context());
    expect(findings).toMatchObject([{ step: 'folder', outcome: 'fail', text: `${CLOSED} may not be read`, advice: expect.stringContaining('Add-PublicFolderClientPermission') as unknown }]);
  });
});

describe('form logon', () => {
  it('a forgotten session (440) is renewed once and the message written', async () => {
    const fake = await exchange({ auth: 'form' });
    const sink = sinkOf(fake, { auth: 'form' });
    await sink.publish(DN, planned, context());
    let forgotten = true;
    fake.fault = ({ method }) => (method === 'PROPPATCH' && forgotten ? ((forgotten = false), { status: 440, headers: { connection: 'close' } }) : undefined);
    expect(await sink.publish(DN, planned, context())).toEqual(window);
    expect(fake.seen.map((one) => one.method)).toEqual(['GET', 'POST', 'PROPPATCH', 'PROPPATCH', 'POST', 'PROPPATCH']);
  });

  it('a session that ends with a 401 is renewed once, too', async () => {
    const fake = await exchange({ auth: 'form' });
    const sink = sinkOf(fake, { auth: 'form' });
    await sink.publish(DN, planned, context());
    let forgotten = true;
    fake.fault = ({ method }) => (method === 'PROPPATCH' && forgotten ? ((forgotten = false), { status: 401 }) : undefined);
    expect(await sink.publish(DN, planned, context())).toEqual(window);
    expect(fake.seen.map((one) => one.method)).toEqual(['GET', 'POST', 'PROPPATCH', 'PROPPATCH', 'POST', 'PROPPATCH']);
  });

  it('a logon that is refused after a 401 is about the server', async () => {
    const fake = await exchange({ auth: 'form' });
    const sink = sinkOf(fake, { auth: 'form' });
    await sink.publish(DN, planned, context());
    fake.fault = ({ method }) => (method === 'POST' ? { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=/public/&reason=2' } } : { status: 401 });
    await expect(sink.publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_AUTH', publicMessage: 'the server refuses the user name or password' }));
  });

  it('a cookie that the server renews as it goes is the one that is sent next', async () => {
    const fake = await exchange({ auth: 'form' });
    const sink = sinkOf(fake, { auth: 'form' });
    fake.fault = ({ method }) => (method === 'DELETE' ? { status: 204, headers: { 'set-cookie': 'cadata="renewed"; path=/; HttpOnly' } } : undefined);
    await sink.remove(DN, context());
    await sink.publish(DN, planned, context());
    expect(fake.seen.at(-1)!.headers.cookie).toBe('sessionid=s1; cadata="renewed"');
    // A session's end brings no cookie to keep.
    fake.fault = ({ method }) => (method === 'DELETE' ? { status: 440, headers: { 'set-cookie': 'cadata="stale"; path=/' } } : undefined);
    await expect(sink.remove(DN, context())).rejects.toEqual(failure({ code: 'BACKEND_AUTH' }));
    fake.fault = () => undefined;
    await sink.publish(DN, planned, context());
    expect(fake.seen.at(-1)!.headers.cookie).not.toContain('stale');
  });

  it('a server that forgets every session is not logged on to for ever', async () => {
    const fake = await exchange({ auth: 'form' });
    fake.fault = only('PROPPATCH', { status: 440 });
    await expect(sinkOf(fake, { auth: 'form' }).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_AUTH' }));
    expect(fake.seen.map((one) => one.method)).toEqual(['GET', 'POST', 'PROPPATCH']);
  });

  it('the logon page instead of a 207 is no success', async () => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', { status: 207, body: '<html><form action="/exchweb/bin/auth/owaauth.dll"></form></html>', headers: { 'content-type': 'text/html' } });
    await expect(sinkOf(fake).publish(DN, planned, context())).rejects.toEqual(failure({ code: 'BACKEND_AUTH' }));
  });
});

describe('removing', () => {
  it('deletes the message; one that is not there is no failure', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake);
    await sink.publish(DN, planned, context());
    await sink.remove(DN, context());
    expect(fake.messages.size).toBe(0);
    await sink.remove(DN, context());
    expect(fake.seen.map((one) => `${one.method} ${one.path}`)).toEqual([`PROPPATCH ${PATH}`, `DELETE ${PATH}`, `DELETE ${PATH}`, 'PROPFIND /public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/']);
  });

  it.each([
    ['403', { status: 403 }, 'BACKEND_AUTH', false],
    ['423', { status: 423 }, 'BACKEND_BUSY', true],
    ['500', { status: 500 }, 'BACKEND_FAULT', true],
    ['a 207 that says it is locked', { status: 207, body: multistatus(PATH, '<a:status>HTTP/1.1 423 Locked</a:status>') }, 'BACKEND_BUSY', true],
    ['a 207 that says nothing', { status: 207, body: multistatus(PATH, '') }, 'BACKEND_MALFORMED', false],
    ['a web page with 200', { status: 200, body: '<html>welcome</html>', headers: { 'content-type': 'text/html' } }, 'BACKEND_MALFORMED', false],
  ])('%s: the message is still there', async (_name, fault, code, temporary) => {
    const fake = await exchange();
    fake.fault = only('DELETE', fault);
    await expect(sinkOf(fake).remove(DN, context())).rejects.toEqual(failure({ code, temporary, ...withDetails({ status: fault.status === 207 && code === 'BACKEND_BUSY' ? 423 : fault.status }) }));
  });
});

describe('the probe', () => {
  const probe = async (sink: OwaWebdavSink) => (await sink.probe(context())).map((one) => [one.step, one.outcome, one.text, one.advice] as const);
  const finding = (step: string, outcome: string, text: RegExp, advice?: RegExp): readonly unknown[] => [step, outcome, expect.stringMatching(text), advice === undefined ? undefined : expect.stringMatching(advice)];

  it('finds the folder, writes and deletes a message of nobody, and leaves nothing behind', async () => {
    const fake = await exchange();
    expect(await probe(sinkOf(fake))).toEqual(
      expect.arrayContaining([
        finding('folder', 'ok', /EX:\/o=Corp\/ou=First Administrative Group is there/),
        finding('version', 'ok', /6\.5\.7226 \(Exchange 2003\)/),
        finding('right to write', 'ok', /USER-\/CN=RECIPIENTS\/CN=FREEBUSY-BRIDGE-CHECK .*deleted/),
      ]),
    );
    expect(fake.messages.size).toBe(0);
    expect(fake.seen.some((one) => one.method === 'PROPPATCH' && one.path.endsWith('CN=FREEBUSY-BRIDGE-CHECK.EML'))).toBe(true);
  });

  it('a folder that is missing is named', async () => {
    const fake = await exchange({ folders: ['EX:/o=Corp/ou=Elsewhere'] });
    expect(await probe(sinkOf(fake))).toEqual([finding('folder', 'fail', /^EX:\/o=Corp\/ou=First Administrative Group is not there$/, /legacyExchangeDn/)]);
    expect(fake.seen.map((one) => one.method)).toEqual(['PROPFIND', 'PROPFIND']);
  });

  it('a tree that is missing is told from a folder that is', async () => {
    const fake = await exchange();
    fake.fault = only('PROPFIND', { status: 404 });
    expect(await probe(sinkOf(fake))).toEqual([finding('folder', 'fail', /^SCHEDULE\+ FREE BUSY is not there/, /404\.11/)]);
  });

  it('a right that is missing names the command that gives it', async () => {
    const fake = await exchange();
    fake.fault = only('PROPPATCH', { status: 403 });
    expect(await probe(sinkOf(fake))).toEqual(expect.arrayContaining([finding('right to write', 'fail', /may not write/, /Add-PublicFolderClientPermission "\\NON_IPM_SUBTREE\\SCHEDULE\+ FREE BUSY\\EX:\/o=Corp/)]));
  });

  it('a property that is refused fails the check as it would fail every publication', async () => {
    const fake = await exchange();
    fake.fault = (request) => (request.method === 'PROPPATCH' ? refusing('422 Unprocessable Entity', '<e:x10F2000B/>') : undefined);
    expect(await probe(sinkOf(fake))).toEqual(expect.arrayContaining([finding('right to write', 'fail', /refuses a property/, /./)]));
  });

  it('a right to write without the right to delete fails, and what is left behind is named', async () => {
    const fake = await exchange();
    fake.fault = only('DELETE', { status: 403 });
    expect(await probe(sinkOf(fake))).toEqual(expect.arrayContaining([finding('right to write', 'fail', /FREEBUSY-BRIDGE-CHECK .*could not delete/, /delete it by hand.*Owner/)]));
  });

  it('a message that a stock Zimbra wrote is noticed', async () => {
    const fake = await exchange();
    // zimbra-measured.md §3.
    fake.messages.set(KEY, new Map([['e:x0037001E', ['USER-/cn=RECIPIENTS/cn=kim']], ['e:x68470003', ['0x0d541160']], ['e:x68480003', ['0x0d5562e0']]]));
    expect(await probe(sinkOf(fake, { probeAddressee: async () => ({ mailbox: kim }) }))).toEqual(expect.arrayContaining([finding('other writers', 'warn', /stock Zimbra.*lower case, it has no range timestamp/, /zimbraFreebusyExchangeURL/)]));
  });

  it('our own message is none of a stock Zimbra’s; a Zimbra that writes over it is noticed by the subject', async () => {
    const fake = await exchange();
    const sink = sinkOf(fake, { probeAddressee: async () => ({ mailbox: kim, foreignPrincipal: 'kim' }) });
    expect(await probe(sink)).toEqual(expect.arrayContaining([finding('other writers', 'ok', /nothing is published/)]));
    await sink.publish(DN, planned, context());
    expect(await probe(sink)).toEqual(expect.arrayContaining([finding('other writers', 'ok', /none of a stock Zimbra/)]));
    fake.messages.get(KEY)!.set('d:subject', ['USER-/cn=RECIPIENTS/cn=kim']);
    expect(await probe(sink)).toEqual(expect.arrayContaining([finding('other writers', 'warn', /lower case$/, /zimbraFreebusyExchangeURL/)]));
  });

  it('looks where the mailbox that is named has its message: in the folder and container of its foreign principal', async () => {
    const fake = await exchange({ folders: [FOLDER, 'EX:/o=Old/ou=Site'] });
    const sink = sinkOf(fake, { probeAddressee: async () => ({ mailbox: kim, foreignPrincipal: '/o=Old/ou=Site/cn=Container/cn=KLee' }) });
    expect(await probe(sink)).toEqual(
      expect.arrayContaining([
        finding('folder', 'ok', /^EX:\/o=Old\/ou=Site is there, for kim@zimbra\.example$/),
        finding('right to write', 'ok', /^wrote USER-\/CN=CONTAINER\/CN=FREEBUSY-BRIDGE-CHECK in EX:\/o=Old\/ou=Site /),
        finding('other writers', 'ok', /nothing is published for kim@zimbra\.example/),
      ]),
    );
  });

  it('names the mailbox whose folder is missing, or whose foreign principal is none', async () => {
    const fake = await exchange();
    const of = (foreignPrincipal: string) => sinkOf(fake, { probeAddressee: async () => ({ mailbox: kim, foreignPrincipal }) });
    expect(await probe(of('/o=Gone/cn=Recipients/cn=kim'))).toEqual([finding('folder', 'fail', /^EX:\/o=Gone is not there, for kim@zimbra\.example$/, /legacyExchangeDn/)]);
    expect(await probe(of('a/b'))).toEqual([finding('template', 'fail', /foreign principal.*, for kim@zimbra\.example$/, /./)]);
  });

  it('goes on with nobody where nobody can be named', async () => {
    const fake = await exchange();
    const probeAddressee = () => Promise.reject(new Error('canary'));
    const findings = await probe(sinkOf(fake, { probeAddressee }));
    expect(findings[0]).toEqual(finding('mailbox', 'warn', /INTERNAL/, /name a mailbox/));
    expect(findings).toEqual(expect.arrayContaining([finding('right to write', 'ok', /FREEBUSY-BRIDGE-CHECK/)]));
    expect(JSON.stringify(findings)).not.toContain('canary');
  });

  it('wrong credentials and a server that is not there are one finding', async () => {
    const fake = await exchange();
    expect(await probe(sinkOf(fake, { password: 'wrong' }))).toEqual([finding('sign-in', 'fail', /BACKEND_AUTH/, /password/)]);
    expect(await probe(sinkOf({ url: new URL('http://127.0.0.1:1') }))).toEqual([finding('connection', 'fail', /BACKEND_UNREACHABLE/, /./)]);
  });

  it('a folder that depends on the mailbox wants one named', async () => {
    const fake = await exchange();
    expect(await probe(sinkOf(fake, { legacyExchangeDn: '/o={domain}/cn=r/cn={localPart}' }))).toEqual([finding('folder', 'warn', /depends on the mailbox/, /mailboxes/)]);
    expect(fake.seen).toEqual([]);
  });

  it.each([['a page', { status: 207, body: '<html></html>' }], ['garbage', { status: 207, body: '<' }], ['500', { status: 500 }], ['a drop', 'drop-mid-body' as const]])('never throws: %s', async (_name, fault) => {
    const fake = await exchange();
    fake.fault = () => fault;
    const findings = await probe(sinkOf(fake, { probeAddressee: async () => ({ mailbox: kim }) }));
    expect(findings.some((one) => one[1] === 'fail')).toBe(true);
    for (const [, outcome, , advice] of findings) if (outcome !== 'ok') expect(advice).toBeTruthy();
  });
});
