import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { child, childText, childrenNamed, descend } from '../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { owaWebdavEndpoint } from '../../../src/protocols/owa-webdav/endpoint.ts';
import { decodeFolderPropfind } from '../../../src/protocols/owa-webdav/face/propfind-folder.ts';
import { decodeSearchScopes } from '../../../src/protocols/owa-webdav/face/search-folder.ts';
import { ASKER, ASKER_BASIC, faceUnderTest } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';

const FIXTURES = new URL('../../../fixtures/owa-webdav/', import.meta.url);
const fixture = (path: string): string => readFileSync(new URL(path, FIXTURES), 'utf8');
const cases = (operation: string): readonly string[] => readdirSync(new URL(`${operation}/`, FIXTURES));

const ANNA_BASIC = `Basic ${Buffer.from('anna@corp.example:pw-of-anna').toString('base64')}`;
const GUEST = { ...ASKER, name: 'guest', anonymous: true } as const;
let face: FaceUnderTest;
/** The same, where whoever has no password is let in to ask. */
let open: FaceUnderTest;
beforeAll(async () => {
  const accounts = [
    { requester: ASKER, credentials: { username: 'CORP\\asker', password: 'pw-of-asker' } },
    { requester: { ...ASKER, name: "Anna's <PC> & co/2" }, credentials: { username: 'anna@corp.example', password: 'pw-of-anna' } },
  ];
  face = await faceUnderTest(owaWebdavEndpoint, { accounts });
  open = await faceUnderTest(owaWebdavEndpoint, { accounts: [...accounts, { requester: GUEST, addresses: { has: () => true } as never }] });
});
afterAll(async () => {
  await face.close();
  await open.close();
});

const MINE = '/exchange/anna@corp.example/';
const OTHERS = ['/exchange/kim@zimbra.example/', '/exchange/ghost@nowhere.example/', '/exchange/kim@zimbra.example/Calendar', '/exchange/..%2fanna@corp.example/', '/exchange/*/', `/exchange/${'x'.repeat(10_000)}/`];

async function dav(method: string, path: string, body?: string | Uint8Array, headers: Readonly<Record<string, string>> = {}, from: FaceUnderTest = face) {
  const response = await fetch(from.url + path, {
    method,
    headers: { authorization: ANNA_BASIC, 'content-type': 'text/xml; charset="utf-8"', ...headers },
    redirect: 'manual',
    ...(body === undefined ? {} : { body: body as string }),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const propfind = (...properties: readonly string[]): string => `<D:propfind xmlns:D="DAV:" xmlns:h="urn:schemas:httpmail:"><D:prop>${properties.map((one) => `<${one}/>`).join('')}</D:prop></D:propfind>`;

async function responsesOf(body: string): Promise<readonly XmlElement[]> {
  const root = await readXml(body);
  expect([root.ns, root.name]).toEqual(['DAV:', 'multistatus']);
  return childrenNamed(root, 'response');
}

/** Status by property of the first response, and the values of those that are there. */
async function propertiesOf(body: string): Promise<{ readonly found: Readonly<Record<string, string>>; readonly missing: readonly string[] }> {
  const groups = childrenNamed((await responsesOf(body))[0], 'propstat').map((one) => ({ status: childText(one, 'status')!, properties: child(one, 'prop')!.children }));
  const of = (code: string): readonly XmlElement[] => groups.filter(({ status }) => status.startsWith(`HTTP/1.1 ${code} `)).flatMap(({ properties }) => properties);
  return { found: Object.fromEntries(of('200').map((one) => [one.name, one.text])), missing: of('404').map((one) => `${one.ns} ${one.name}`) };
}

describe('what is asked', () => {
  it.each(cases('propfind-folder'))('the PROPFIND of fixture %s is read', async (name) => {
    const wanted = decodeFolderPropfind(await readXml(fixture(`propfind-folder/${name}/message.xml`)));
    expect(typeof wanted === 'string' ? wanted : wanted.map((one) => [one.ns, one.name])).toEqual(JSON.parse(fixture(`propfind-folder/${name}/expected.json`)));
  });

  it.each(cases('search-folder'))('the SEARCH of fixture %s is read for where it searches', async (name) => {
    expect(decodeSearchScopes(await readXml(fixture(`search-folder/${name}/message.xml`)))).toEqual(JSON.parse(fixture(`search-folder/${name}/expected.json`)));
  });
});

describe("one's own mailbox", () => {
  it('has the folders that DavMail looks for, each an empty one', async () => {
    const answer = await dav('PROPFIND', MINE, fixture('propfind-folder/davmail-well-known/message.xml'), { depth: '0' });
    expect(answer.status).toBe(207);
    const { found, missing } = await propertiesOf(answer.body);
    expect(missing).toEqual([]);
    expect(found['calendar']).toBe(`${face.url}${MINE}Calendar`);
    expect(found['sendmsg']).toBe(`${face.url}${MINE}%23%23DavMailSubmissionURI%23%23/`);
    for (const [name, url] of Object.entries(found).filter(([property]) => property !== 'sendmsg')) {
      const folder = await dav('PROPFIND', new URL(url).pathname, fixture('propfind-folder/davmail-folder/message.xml'), { depth: '0' });
      const properties = await propertiesOf(folder.body);
      expect(properties.found, name).toMatchObject({ hassubs: '0', nosubs: '1', unreadcount: '0', objectcount: '0' });
      expect(properties.missing).toEqual(['http://schemas.microsoft.com/mapi/proptag/ x67510003']);
    }
  });

  it('answers with a media type of eight characters: DavMail 6.0.1 reads a SEARCH in no other', async () => {
    expect((await dav('SEARCH', `${MINE}Contacts`, fixture('search-folder/davmail-contacts/message.xml').replaceAll('peer@', 'anna@'))).headers.get('content-type')).toBe('text/xml');
    expect((await dav('PROPFIND', MINE, undefined, { depth: '0' })).headers.get('content-type')).toBe('text/xml');
  });

  it('is called by the user name of the credentials and by the name of the client, in any case and spelling', async () => {
    for (const path of [MINE, MINE.slice(0, -1), '//EXCHANGE//Anna%40Corp.Example//', `/exchange/${encodeURIComponent("anna's <pc> & CO/2")}`]) expect((await dav('PROPFIND', path, undefined, { depth: '0' })).status, path).toBe(207);
    const asker = { authorization: `Basic ${Buffer.from('CORP\\asker:pw-of-asker').toString('base64')}`, depth: '0' };
    for (const path of ['/exchange/asker/', '/exchange/corp%5Casker/Calendar']) expect((await dav('PROPFIND', path, undefined, asker)).status, path).toBe(207);
    expect((await dav('PROPFIND', MINE, undefined, asker)).status).toBe(404);
  });

  it('reaches as deep as Depth says, and without the folder itself where it says noroot', async () => {
    const names = async (depth?: string): Promise<readonly (string | undefined)[]> => {
      const answer = await dav('PROPFIND', MINE, propfind('D:displayname'), depth === undefined ? {} : { depth });
      return (await responsesOf(answer.body)).map((one) => childText(descend(one, 'propstat', 'prop'), 'displayname'));
    };
    const folders = ['Calendar', 'Contacts', 'Deleted Items', 'Drafts', 'Inbox', 'Outbox', 'Sent Items', 'Tasks'];
    const self = "Anna's <PC> & co/2";
    expect(await names('0')).toEqual([self]);
    for (const depth of ['1', 'infinity', 'Infinity', undefined]) expect(await names(depth), depth).toEqual([self, ...folders]);
    expect(await names('1,noroot')).toEqual(folders);
    for (const depth of ['2', '-1', '', '1,1', 'noroot', '1,noroot,noroot', 'x'.repeat(1_000)]) expect((await dav('PROPFIND', MINE, undefined, { depth })).status, depth).toBe(400);
  });

  it('tells everything, or names only, or nothing of what it does not have where the client is brief', async () => {
    const all = await propertiesOf((await dav('PROPFIND', MINE, undefined, { depth: '0' })).body);
    expect(all.found).toMatchObject({ displayname: "Anna's <PC> & co/2", contentclass: 'urn:content-classes:folder', hassubs: '1' });
    const names = await propertiesOf((await dav('PROPFIND', MINE, fixture('propfind-folder/names/message.xml'), { depth: '0' })).body);
    expect(Object.keys(names.found).sort()).toEqual(Object.keys(all.found).sort());
    expect(new Set(Object.values(names.found))).toEqual(new Set(['']));
    const asked = propfind('D:displayname', 'D:nothing');
    expect((await propertiesOf((await dav('PROPFIND', MINE, asked, { depth: '0' })).body)).missing).toEqual(['DAV: nothing']);
    expect((await dav('PROPFIND', MINE, asked, { depth: '0', brief: 't' })).body).not.toContain('404');
  });

  it('has nothing in it, wherever in it a SEARCH looks', async () => {
    for (const scope of ['', MINE, `${MINE}Deleted Items/`, 'https://elsewhere.example/exchange/anna@corp.example/Calendar']) {
      const answer = await dav('SEARCH', `${MINE}Calendar/`, `<s:searchrequest xmlns:s="DAV:"><s:sql>SELECT "DAV:href" FROM SCOPE('SHALLOW TRAVERSAL OF "${scope}"')</s:sql></s:searchrequest>`);
      expect([answer.status, (await responsesOf(answer.body)).length], scope).toEqual([207, 0]);
    }
  });

  it('says what it can do', async () => {
    const answer = await dav('OPTIONS', MINE);
    expect([answer.status, answer.headers.get('dav'), answer.headers.get('ms-author-via'), answer.headers.get('dasl')]).toEqual([200, '1, 2', 'DAV', '<DAV:sql>']);
    expect(answer.headers.get('allow')).toContain('PROPFIND');
  });

  it.each(['PUT', 'DELETE', 'MKCOL', 'MOVE', 'COPY', 'LOCK', 'UNLOCK', 'PROPPATCH', 'POST', 'SUBSCRIBE', 'BMOVE'])('cannot be changed: %s is 405', async (method) => {
    for (const path of [MINE, `${MINE}Calendar`, '/public/']) {
      const answer = await dav(method, path, method === 'POST' ? 'Cmd=saveappt' : undefined, { destination: 'http://evil.example/', overwrite: 'T' }).catch(() => undefined);
      // fetch() and Node's parser know fewer methods than Exchange.
      if (answer !== undefined && answer.status !== 400) expect([answer.status, answer.headers.get('allow')?.includes('PROPFIND')], path).toEqual([405, true]);
    }
  });

  it('has its public folders beside it, which can be asked for their name (DavMail does before anything else)', async () => {
    expect((await propertiesOf((await dav('PROPFIND', '/public/', propfind('D:displayname'), { depth: '0' })).body)).found).toEqual({ displayname: 'Public Folders' });
    expect((await dav('PROPFIND', '/public/NON_IPM_SUBTREE/', undefined, { depth: '0' })).status).toBe(404);
  });
});

describe("everybody else's", () => {
  it('is not there, whether there is one or not, by any method', async () => {
    for (const method of ['PROPFIND', 'SEARCH', 'OPTIONS', 'GET', 'PUT', 'DELETE', 'MKCOL']) {
      const answers = await Promise.all(OTHERS.map((path) => dav(method, path, method === 'PROPFIND' ? propfind('D:displayname') : undefined)));
      expect(new Set(answers.map((one) => `${one.status} ${one.body}`)), method).toEqual(new Set(['404 no such folder\n']));
    }
  });

  it('is not there for a SEARCH from within one’s own either', async () => {
    for (const scope of ['/exchange/kim@zimbra.example/Calendar', '/exchange/ghost@nowhere.example/', '/public/NON_IPM_SUBTREE/', '/owa/', '/x', 'http://[']) {
      const answer = await dav('SEARCH', MINE, `<s:searchrequest xmlns:s="DAV:"><s:sql>SELECT "DAV:href" FROM SCOPE('DEEP TRAVERSAL OF "${scope}"')</s:sql></s:searchrequest>`);
      expect([answer.status, answer.body], scope).toEqual([404, 'no such folder\n']);
    }
  });

  it('nor are folders or items that nobody made', async () => {
    for (const path of ['Nothing', 'Calendar/x.EML', 'Calendar/Calendar', 'calendar%2F', '%2e%2e/kim@zimbra.example', '%00']) expect((await dav('PROPFIND', MINE + path, undefined, { depth: '0' })).status, path).toBe(404);
  });
});

describe('without a password', () => {
  it('nothing is said of any folder, by any method', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'SEARCH', 'PUT', 'DELETE']) {
      for (const path of ['/exchange/', MINE, `${MINE}Calendar`, '/exchange/ghost@nowhere.example/', '/exchange/a/b/c']) {
        const answer = await fetch(face.url + path, { method, redirect: 'manual' });
        expect([answer.status, answer.headers.get('www-authenticate')], `${method} ${path}`).toEqual([401, 'Basic realm="freebusy-bridge"']);
      }
    }
  });

  it('a big body is not waited for', async () => {
    expect((await dav('PROPFIND', MINE, 'x'.repeat(1 << 20), { authorization: 'Basic eDp5' })).status).toBe(401);
  });

  it('whoever may ask anonymously may do no more than ask', async () => {
    const anonymously = async (method: string, path: string) => (await fetch(open.url + path, { method, redirect: 'manual' })).status;
    expect(await anonymously('GET', '/public/?cmd=galfind&AN=kim@zimbra.example')).toBe(200);
    for (const method of ['GET', 'PROPFIND', 'OPTIONS', 'DELETE']) for (const path of ['/exchange/', '/exchange/guest/', '/public/']) expect(await anonymously(method, path), `${method} ${path}`).toBe(401);
  });
});

describe('what cannot be read', () => {
  const SEARCH = '<s:searchrequest xmlns:s="DAV:"><s:sql>SELECT "DAV:href" FROM SCOPE(\'SHALLOW TRAVERSAL OF ""\')</s:sql></s:searchrequest>';

  it.each([
    ['no XML', 'SELECT *'],
    ['broken off', '<D:propfind xmlns:D="DAV:"><D:prop>'],
    ['another root', '<D:propertyupdate xmlns:D="DAV:"/>'],
    ['another namespace', '<propfind xmlns="DAV"><allprop/></propfind>'],
    ['no namespace', '<propfind><allprop/></propfind>'],
    ['an undeclared prefix', '<D:propfind><D:allprop/></D:propfind>'],
    ['nothing asked for', '<D:propfind xmlns:D="DAV:"/>'],
    ['a bomb of entities', '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><D:propfind xmlns:D="DAV:"><D:prop>&b;</D:prop></D:propfind>'],
    ['a file of ours', '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><D:propfind xmlns:D="DAV:"><D:displayname>&a;</D:displayname></D:propfind>'],
    ['ten thousand properties', propfind(...Array.from({ length: 10_000 }, (_, index) => `D:p${index}`))],
    ['names of 200 KB, which would come back for every folder', propfind(...Array.from({ length: 20 }, (_, index) => `D:p${index}${'x'.repeat(10_000)}`))],
    ['a namespace of 200 KB', propfind(...Array.from({ length: 20 }, (_, index) => `n:p${index}`)).replace(' xmlns:h', ` xmlns:n="urn:${'x'.repeat(10_000)}" xmlns:h`)],
    ['ten thousand levels', `<D:propfind xmlns:D="DAV:">${'<D:prop>'.repeat(10_000)}${'</D:prop>'.repeat(10_000)}</D:propfind>`],
    ['broken UTF-8', Buffer.from('<D:propfind xmlns:D="DAV:"><D:allprop/>\xff</D:propfind>', 'latin1')],
  ])('a PROPFIND that is %s is 400', async (_name, body) => {
    const answer = await dav('PROPFIND', MINE, body, { depth: '0' });
    expect(answer.status).toBe(400);
    expect(answer.body).not.toMatch(/passwd|root:|DOCTYPE|</);
  });

  it.each([
    ['nothing', undefined],
    ['no SQL', '<s:searchrequest xmlns:s="DAV:"/>'],
    ['SQL of a megabyte', SEARCH.replace('"DAV:href"', `"${'x'.repeat(1 << 20)}"`)],
    ['a thousand scopes', SEARCH.replace('TRAVERSAL OF ""', 'TRAVERSAL OF "" '.repeat(1_000))],
    ['no SELECT', SEARCH.replace('SELECT', 'DROP')],
    ['another namespace', SEARCH.replace('DAV:"', 'urn:x"')],
    ['no XML', '{}'],
  ])('a SEARCH that is %s is 400', async (_name, body) => {
    expect((await dav('SEARCH', MINE, body)).status).toBe(400);
  });

  it('a body of five megabytes is 413, gzip of that size too, gzip of nothing 400', async () => {
    expect((await dav('PROPFIND', MINE, `<a>${'x'.repeat(5 << 20)}</a>`)).status).toBe(413);
    const { gzipSync } = await import('node:zlib');
    expect((await dav('PROPFIND', MINE, gzipSync(`<a>${'x'.repeat(5 << 20)}</a>`), { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await dav('PROPFIND', MINE, 'nothing', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await dav('PROPFIND', MINE, gzipSync(propfind('D:displayname')), { 'content-encoding': 'gzip', depth: '0' })).status).toBe(207);
  });

  it('UTF-16 and a byte order mark are read', async () => {
    for (const body of [Buffer.from(`\ufeff${propfind('D:displayname')}`), Buffer.from(`\ufeff${propfind('D:displayname')}`, 'utf16le')]) {
      expect((await dav('PROPFIND', MINE, body, { depth: '0', 'content-type': 'application/xml' })).status).toBe(207);
    }
  });

  it('names that come back come back well-formed', async () => {
    const body = `<D:propfind xmlns:D="DAV:" xmlns:p="urn:&lt;&quot;'&amp;>"><D:prop><p:odd.name-1_/><p:0x68470003/><bare xmlns=""/><D:displayname/><D:displayname/><p:odd.name-1_/><xml:lang/><größe xmlns="urn:x"/></D:prop></D:propfind>`;
    const answer = await dav('PROPFIND', MINE, body, { depth: '0' });
    const { found, missing } = await propertiesOf(answer.body);
    expect([Object.keys(found), missing]).toEqual([['displayname'], [`urn:<"'&> odd.name-1_`, ' bare']]);
  });
});

describe('the way in', () => {
  const BASE = /^<base href="http:\/\/127\.0\.0\.1:\d+\/exchange\/([^"]*)\/"\/>$/m;
  const logon = async (username: string, password: string) => {
    const body = new URLSearchParams({ destination: '/owa/', username, password });
    return fetch(`${face.url}/owa/auth/owaauth.dll`, { method: 'POST', body, redirect: 'manual' });
  };

  it('leads from /owa to the form, and from the form to a page that names the mailbox', async () => {
    const first = await fetch(`${face.url}/owa`, { redirect: 'manual' });
    expect([first.status, first.headers.get('location')]).toEqual([302, '/owa/auth/logon.aspx?url=%2Fowa%2F&reason=0']);
    const form = await (await fetch(face.url + first.headers.get('location')!)).text();
    expect(form).toContain('action="/owa/auth/owaauth.dll"');
    expect(form).toContain('name="destination" value="/owa/"');
    const answer = await logon('anna@corp.example', 'pw-of-anna');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/owa/']);
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    expect(cookie).toMatch(/^sessionid=[A-Za-z0-9_.-]+$/);
    const page = await fetch(`${face.url}/owa/`, { headers: { cookie } });
    expect([page.status, page.headers.get('content-type'), BASE.exec(await page.text())?.[1]]).toEqual([200, 'text/html; charset=utf-8', 'anna@corp.example']);
    const own = await fetch(face.url + MINE, { method: 'PROPFIND', headers: { cookie, depth: '0' } });
    expect(own.status).toBe(207);
  });

  it('leads from /exchange with a right password to the form: DavMail 6.0.1 needs to have seen one', async () => {
    const answer = await dav('GET', '/exchange/');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/owa/']);
    expect((await dav('GET', '/owa/')).headers.get('location')).toContain('/owa/auth/logon.aspx');
  });

  it('shows the page at once to who opens his own mailbox', async () => {
    const answer = await dav('GET', MINE);
    expect([answer.status, BASE.exec(answer.body)?.[1]]).toEqual([200, 'anna@corp.example']);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await dav('HEAD', MINE)).body).toBe('');
    await readXml(answer.body.replace('<!DOCTYPE html>', ''));
  });

  it.each(['sessionid=', 'sessionid=abc', 'sessionid=abc.def', 'sessionid=0_5b5d.616263', `sessionid=${'a'.repeat(20_000)}`, 'sessionid=.6b696d', 'cadata=1; UserContext=2'])('a forged cookie (%#) leads to the form, and opens no mailbox', async (cookie) => {
    const page = await fetch(`${face.url}/owa/`, { headers: { cookie }, redirect: 'manual' });
    expect([page.status, page.headers.get('location')]).toEqual([302, '/owa/auth/logon.aspx?url=%2Fowa%2F&reason=0']);
    for (const [method, path] of [['PROPFIND', MINE], ['PUT', '/owa/'], ['GET', '/exchange/']] as const) expect((await fetch(face.url + path, { method, headers: { cookie }, redirect: 'manual' })).status).toBe(401);
  });

  it('a cookie that was changed anywhere signs nobody in', async () => {
    const cookie = (await logon('anna@corp.example', 'pw-of-anna')).headers.get('set-cookie')!.split(';')[0]!;
    const changed = [`${cookie}0`, `${cookie}.`, cookie.slice(0, -1)];
    const flipped = Array.from(cookie, (one, at) => (at < 'sessionid='.length ? '' : cookie.slice(0, at) + (one === '0' ? '1' : '0') + cookie.slice(at + 1))).filter((one) => one !== '');
    for (const one of [...changed, ...flipped]) expect((await fetch(`${face.url}/public/?cmd=galfind&AN=x`, { headers: { cookie: one } })).status, one).toBe(401);
    expect((await fetch(`${face.url}/public/?cmd=galfind&AN=x`, { headers: { cookie } })).status).toBe(200);
  });

  it('a client whose user name is no address is called by its name', async () => {
    const cookie = (await logon('CORP\\asker', 'pw-of-asker')).headers.get('set-cookie')!.split(';')[0]!;
    expect(BASE.exec(await (await fetch(`${face.url}/owa/`, { headers: { cookie } })).text())?.[1]).toBe('asker');
    expect((await fetch(`${face.url}/exchange/asker/`, { method: 'PROPFIND', headers: { cookie } })).status).toBe(207);
  });

  it('takes no other method', async () => {
    const cookie = (await logon('anna@corp.example', 'pw-of-anna')).headers.get('set-cookie')!.split(';')[0]!;
    expect((await fetch(`${face.url}/owa/`, { method: 'POST', headers: { cookie } })).status).toBe(405);
    expect((await fetch(`${face.url}/owa/`, { method: 'PROPFIND', headers: { authorization: ASKER_BASIC } })).status).toBe(401);
  });
});
