import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeFolderList, folderKey } from '../../../src/protocols/owa-webdav/folder-list.ts';
import { OwaWebdavSink } from '../../../src/protocols/owa-webdav/sink.ts';
import { PASSWORD, USERNAME, multistatus, startFakeExchange } from './fake-exchange.ts';
import { NOW, context, startStandIn, systemFor } from './stand-in.ts';
import type { Reply, Seen } from './stand-in.ts';

const kim = parseMailboxAddress('kim@zimbra.example')!;
const window = { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 5, 1) };
const planned = freeBusyFrom(kim, window, {});
const TREE = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/';
const FIRST = 'EX:_xF8FF_o=Corp_xF8FF_ou=First%20Administrative%20Group';
const LATER = 'EX:_xF8FF_o=Corp_xF8FF_ou=Exchange%20Administrative%20Group%20(FYDIBOHF23SPDLT)';
const MESSAGE = 'USER-_xF8FF_CN=RECIPIENTS_xF8FF_CN=KIM.EML';

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

const list = (...hrefs: string[]): Reply => ({ status: 207, body: `<?xml version="1.0"?><a:multistatus xmlns:a="DAV:">${hrefs.map((one) => `<a:response><a:href>${one}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><a:isfolder>1</a:isfolder></a:prop></a:propstat></a:response>`).join('')}</a:multistatus>` });
const published: Reply = { status: 207, body: multistatus('x', '<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><d:subject>USER-/CN=RECIPIENTS/CN=KIM</d:subject><e:x68470003>223613280</e:x68470003><e:x68480003>223745760</e:x68480003></a:prop></a:propstat>') };

/** An Exchange whose messages are below folders of exactly these spellings. */
async function reading(spelled: readonly string[], listed: Reply = list(`http://localhost${TREE}`, ...spelled.map((one) => `http://localhost${TREE}${one}/`)), options: Parameters<typeof systemFor>[1] = {}) {
  const server = await startStandIn((request: Seen): Reply => {
    if (request.headers['depth'] === '1') return request.url === TREE ? listed : { status: 404 };
    return spelled.some((one) => request.url === `${TREE}${one}/${MESSAGE}`) ? published : { status: 404 };
  });
  const system = systemFor(server.url, { lookup: 'public-folder', legacyExchangeDn: '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}', ...options });
  closing.push(server, system);
  const ask = async () => (await system.freeBusy({ mailboxes: [kim], window, details: false }, context()))[0]!;
  const paths = () => server.seen.map(({ url }) => url);
  return { ask, paths };
}

describe('the EX: folder of a message', () => {
  it('is addressed as the sheet constructs it, and nobody is asked where it is', async () => {
    const { ask, paths } = await reading([FIRST]);
    expect(await ask()).toHaveProperty('freeBusy');
    expect(paths()).toEqual([`${TREE}${FIRST}/${MESSAGE}`]);
  });

  it.each([
    ['in another case', 'EX:_xF8FF_O=CORP_xF8FF_OU=FIRST%20ADMINISTRATIVE%20GROUP'],
    ['with the escape in another case', 'EX:_xf8ff_o=Corp_xf8ff_ou=First%20Administrative%20Group'],
    ['with U+F8FF itself', 'EX:%EF%A3%BFo=Corp%EF%A3%BFou=First%20Administrative%20Group'],
    ['with _x003D_ for =', 'EX:_xF8FF_o_x003D_Corp_xF8FF_ou_x003D_First%20Administrative%20Group'],
  ])('%s is found by the list of folders, once', async (_name, spelled) => {
    const { ask, paths } = await reading([LATER, spelled]);
    expect(await ask()).toHaveProperty('freeBusy');
    expect(paths()).toEqual([`${TREE}${FIRST}/${MESSAGE}`, TREE, `${TREE}${spelled}/${MESSAGE}`]);
    expect(await ask()).toHaveProperty('freeBusy');
    expect(paths().slice(3)).toEqual([`${TREE}${spelled}/${MESSAGE}`]);
  });

  it('of whoever was made by a 2007 is the group that has a name of its own, by the address book’s DN', async () => {
    const { ask, paths } = await reading([FIRST, LATER], undefined, { directoryDn: () => '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=kim' });
    expect(await ask()).toHaveProperty('freeBusy');
    expect(paths()).toEqual([`${TREE}${LATER}/${MESSAGE}`]);
  });

  it('that is not there is said so, and what to do', async () => {
    const { ask, paths } = await reading([LATER]);
    expect(await ask()).toMatchObject({
      error: { code: 'NO_DATA', publicMessage: 'the free/busy folder of the administrative group is not on the server', details: { hint: expect.stringMatching(/^the folder EX:\/o=Corp\/ou=First Administrative Group does not exist on this server: no replica/) as unknown } },
    });
    // The list is believed for a minute.
    await ask();
    expect(paths().filter((one) => one === TREE)).toHaveLength(1);
  });

  it('that is renamed while we look is found anew; the list is read again after a minute at the earliest', async () => {
    let now = NOW;
    let spelled = 'EX:_xF8FF_O=CORP_xF8FF_OU=FIRST%20ADMINISTRATIVE%20GROUP';
    const server = await startStandIn((request): Reply => {
      if (request.headers['depth'] === '1') return list(`${TREE}${spelled}`);
      return request.url === `${TREE}${spelled}/${MESSAGE}` ? published : { status: 404 };
    });
    const system = systemFor(server.url, { lookup: 'public-folder', legacyExchangeDn: '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}', clock: { now: () => now } });
    closing.push(server, system);
    const ask = async () => (await system.freeBusy({ mailboxes: [kim], window, details: false }, context()))[0]!;
    expect(await ask()).toHaveProperty('freeBusy');
    spelled = 'EX:_xF8FF_o=corp_xF8FF_ou=first%20administrative%20group';
    expect(await ask()).toHaveProperty('error');
    now += 61_000;
    expect(await ask()).toHaveProperty('freeBusy');
  });

  it.each<readonly [string, Reply]>([
    ['no list at all', { status: 404 }],
    ['a closed one', { status: 403 }],
    ['a broken one', { status: 207, body: '<a:multistatus xmlns:a="DAV:"><a:response>' }],
    ['a page', { status: 200, body: '<html/>' }],
    ['another document', { status: 207, body: '<x/>' }],
    ['folders elsewhere', list('http://evil.example/public/EX:_xF8FF_o=Other', 'http://evil.example/..', `${TREE}%2e%2e`, `${TREE}EX:%00`, 'EX:', '', '/', '?x')],
    ['one that failed', { status: 207, body: `<a:multistatus xmlns:a="DAV:"><a:response><a:href>${TREE}EX:_xF8FF_O=Corp_xF8FF_OU=First%20Administrative%20Group</a:href><a:status>HTTP/1.1 404 Not Found</a:status></a:response></a:multistatus>` }],
  ])('%s: no data, and nothing else is asked', async (_name, listed) => {
    const { ask, paths } = await reading([], listed);
    expect(await ask()).toMatchObject({ error: { code: 'NO_DATA' } });
    expect(paths()).toHaveLength(2);
  });

  it('a host that the list names gets nothing: only the last segment of the address is believed', async () => {
    const { ask, paths } = await reading(['EX:_xF8FF_O=CORP_xF8FF_OU=FIRST%20ADMINISTRATIVE%20GROUP'], list('https://evil.example/steal/EX:_xF8FF_O=CORP_xF8FF_OU=FIRST%20ADMINISTRATIVE%20GROUP'));
    expect(await ask()).toHaveProperty('freeBusy');
    expect(paths().at(-1)).toBe(`${TREE}EX:_xF8FF_O=CORP_xF8FF_OU=FIRST%20ADMINISTRATIVE%20GROUP/${MESSAGE}`);
  });

  it('is found for writing, too, where the server says 409, and for deleting', async () => {
    const spelled = 'EX%3A_xF8FF_o_x003D_Corp_xF8FF_ou_x003D_First%20Administrative%20Group';
    const fake = await startFakeExchange({ folders: ['EX:/o_x003D_Corp/ou_x003D_First Administrative Group'], spelled: [spelled] });
    const sink = new OwaWebdavSink({ name: 'exchange', servers: [fake.url], auth: 'basic', username: USERNAME, password: PASSWORD, hosts: [], legacyExchangeDn: '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}', clock: { now: () => NOW }, logger: silentLogger });
    closing.push(fake, sink);
    const identity = sink.identityOf({ mailbox: kim });
    expect(await sink.publish(identity, planned, context())).toEqual(window);
    expect(fake.messages.size).toBe(1);
    await sink.remove(identity, context());
    expect(fake.messages.size).toBe(0);
    expect(fake.seen.map(({ method, path }) => `${method} ${path.slice(TREE.length)}`)).toEqual([`PROPPATCH ${FIRST}/${MESSAGE}`, 'PROPFIND ', `PROPPATCH ${spelled}/${MESSAGE}`, `DELETE ${spelled}/${MESSAGE}`]);
  });
});

describe('a list of folders', () => {
  it('is keyed by the address and by the name that is shown', async () => {
    const root = await readXml(Buffer.from(`<a:multistatus xmlns:a="DAV:"><a:response><a:href>${TREE}EX-1</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><a:displayname>EX:/o=Corp/ou=Ärzte</a:displayname></a:prop></a:propstat></a:response></a:multistatus>`));
    expect([...decodeFolderList(root)]).toEqual([['ex:/o=corp/ou=ärzte', 'EX-1']]);
  });

  it('of more folders than any organisation has is refused', async () => {
    const many = `<a:multistatus xmlns:a="DAV:">${'<a:response><a:href>EX:x</a:href></a:response>'.repeat(5_001)}</a:multistatus>`;
    const root = await readXml(Buffer.from(many));
    expect(() => decodeFolderList(root)).toThrow(expect.objectContaining({ code: 'BACKEND_TOO_LARGE' }));
  });

  it.each([
    ['EX:_xF8FF_o=A_xf8ff_ou=B', 'ex:/o=a/ou=b'],
    ['EX:\uF8FFo=A', 'ex:/o=a'],
    ['EX:/o=A_x003F_', 'ex:/o=a?'],
    ['EX:/ou=Ä', 'ex:/ou=ä'],
  ])('%s is %s', (name, key) => {
    expect(folderKey(name)).toBe(key);
  });
});
