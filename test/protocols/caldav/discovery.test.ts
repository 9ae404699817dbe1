import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, basic } from '../../flows/raw-http.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { HOME, OUTBOX, PEER, errorIn, multiStatus, openFace, request } from './caldav-face.ts';

const FIXTURES = new URL('../../../fixtures/caldav/propfind/', import.meta.url);
const TYPE_ONLY = '<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>';

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

describe('PROPFIND', () => {
  for (const name of readdirSync(FIXTURES)) {
    it(`answers the case ${name} as its expected.json says`, async () => {
      const folder = new URL(`${name}/`, FIXTURES);
      const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as { target: string; depth: number; headers?: Record<string, string>; responses: unknown };
      const body = readFileSync(new URL('message.xml', folder));
      const answer = await request(face, 'PROPFIND', expected.target, { headers: { depth: String(expected.depth), 'content-type': 'text/xml; charset=utf-8', ...expected.headers }, body });
      expect([answer.status, answer.headers['content-type']]).toEqual([207, 'application/xml; charset=utf-8']);
      expect(await multiStatus(answer.body)).toEqual(expected.responses);
    });
  }

  it('without a body is about everything, and at the root leads on all the same', async () => {
    const answer = await request(face, 'PROPFIND', '/caldav/', { headers: { depth: '0' } });
    expect(await multiStatus(answer.body)).toEqual({ '/caldav/': { 200: { resourcetype: ['collection'], displayname: 'Free/busy', 'current-user-principal': '/caldav/principals/peer/' } } });
  });

  it('with Depth 1 shows what a collection holds, with Depth 0 and without one itself', async () => {
    const under = async (target: string, depth?: string): Promise<readonly string[]> => Object.keys(await multiStatus((await request(face, 'PROPFIND', target, { headers: depth === undefined ? {} : { depth }, body: TYPE_ONLY })).body));
    expect(await under('/', '1')).toEqual(['/', '/caldav/']);
    expect(await under('/caldav/', '1')).toEqual(['/caldav/', '/caldav/principals/', '/caldav/calendars/']);
    expect(await under('/caldav/principals/', '1')).toEqual(['/caldav/principals/', '/caldav/principals/peer/']);
    expect(await under('/caldav/calendars/', '1')).toEqual(['/caldav/calendars/', HOME]);
    expect(await under(OUTBOX, '1')).toEqual([OUTBOX]);
    expect(await under('/caldav/', '0')).toEqual(['/caldav/']);
    expect(await under('/caldav/')).toEqual(['/caldav/']);
  });

  it('with Depth infinity is refused with its precondition, with a Depth that is none as a mistake', async () => {
    const infinite = await request(face, 'PROPFIND', '/caldav/', { headers: { depth: 'infinity' } });
    expect([infinite.status, await errorIn(infinite.body)]).toEqual([403, '{DAV:}propfind-finite-depth']);
    expect((await request(face, 'PROPFIND', '/caldav/', { headers: { depth: '2' } })).status).toBe(400);
  });

  it('reads the question in UTF-16, compressed, with a byte order mark', async () => {
    const forms: readonly (readonly [Buffer, Record<string, string>])[] = [
      [Buffer.from(`\ufeff${TYPE_ONLY}`, 'utf16le'), {}],
      [gzipSync(TYPE_ONLY), { 'content-encoding': 'gzip' }],
      [Buffer.from(`\ufeff${TYPE_ONLY}`), {}],
    ];
    for (const [body, headers] of forms) expect((await request(face, 'PROPFIND', HOME, { headers: { depth: '0', ...headers }, body })).status).toBe(207);
  });

  const many = (count: number): string => `<propfind xmlns="DAV:"><prop>${Array.from({ length: count }, (_, at) => `<p${at}/>`).join('')}</prop></propfind>`;
  const mistakes: Readonly<Record<string, string>> = {
    'another element': '<prop xmlns="DAV:"/>',
    'the wrong namespace': '<propfind xmlns="urn:x"><prop><resourcetype/></prop></propfind>',
    'an inner namespace': '<propfind xmlns="DAV:"><prop xmlns="urn:x"><resourcetype/></prop></propfind>',
    'no property': '<propfind xmlns="DAV:"/>',
    'all and one': '<propfind xmlns="DAV:"><allprop/><prop><resourcetype/></prop></propfind>',
    'half a document': '<propfind xmlns="DAV:"><prop>',
    'a document type': '<!DOCTYPE a [<!ENTITY b "b">]><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>',
    'billions of laughs': `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "${'&a;'.repeat(100)}">]><propfind xmlns="DAV:">&b;</propfind>`,
    'a deep nest': '<a>'.repeat(10_000),
    '10,000 properties': many(10_000),
    'names that would fill the answer': `<propfind xmlns="DAV:"><prop>${Array.from({ length: 400 }, (_, at) => `<p${at} xmlns="urn:${'n'.repeat(200)}"/>`).join('')}</prop></propfind>`,
    'names in the namespace of namespaces': '<propfind xmlns="DAV:"><prop><a xmlns="http://www.w3.org/2000/xmlns/"/></prop></propfind>',
    'a name that nobody could read in an answer': '<propfind xmlns="DAV:" xmlns:b="urn:b"><prop><b:0x68470003/></prop></propfind>',
    'no XML': 'resourcetype=1',
  };
  it.each(Object.entries(mistakes))('refuses %s as a mistake', async (_name, body) => {
    expect((await request(face, 'PROPFIND', '/caldav/', { headers: { depth: '0' }, body })).status).toBe(400);
  });

  it('refuses a body that is too large', async () => {
    const body = Buffer.from(`<propfind xmlns="DAV:"><!--${'x'.repeat(5_000_000)}--></propfind>`);
    expect((await request(face, 'PROPFIND', '/caldav/', { headers: { depth: '0' }, body })).status).toBe(413);
    expect((await request(face, 'PROPFIND', '/caldav/', { headers: { depth: '0', 'content-encoding': 'gzip' }, body: gzipSync(body) })).status).toBe(413);
  });

  it('gives an address to a client whose user name is none, and a path to one with an odd name', async () => {
    const odd = await openFace({ accounts: [{ requester: { ...PEER, name: 'Zimbra & co/50% ü' }, credentials: { username: 'CORP\\zimbra', password: 'pw' } }] });
    const ours = basic('CORP\\zimbra', 'pw');
    const principal = '/caldav/principals/Zimbra%20%26%20co%2F50%25%20%C3%BC/';
    const body = '<propfind xmlns="DAV:"><prop><current-user-principal/><displayname/><C:calendar-user-address-set xmlns:C="urn:ietf:params:xml:ns:caldav"/></prop></propfind>';
    const answer = await ask(odd.url, principal, { method: 'PROPFIND', headers: { ...ours, depth: '0' }, body });
    expect(await multiStatus(answer.body)).toEqual({ [principal]: { 200: { 'current-user-principal': principal, displayname: 'Zimbra & co/50% ü', 'calendar-user-address-set': 'mailto:zimbra-co-50-ü@127.0.0.1' } } });
    await odd.close();
  });

  it('shows nobody anything but what is its own', async () => {
    for (const target of ['/caldav/principals/other/', '/caldav/calendars/other/', '/caldav/calendars/other/outbox/', '/caldav/calendars/peer/other/', '/caldav/x', `${HOME}calendar/1.ics`, '/caldav/%zz/', '/caldav/principals%2Fpeer/']) {
      expect([target, (await request(face, 'PROPFIND', target, { headers: { depth: '0' } })).status]).toEqual([target, 404]);
    }
  });
});

describe('sign-in', () => {
  it('comes first, on every path and with every method', async () => {
    for (const target of ['/.well-known/caldav', '/caldav', '/caldav/', HOME, OUTBOX, '/caldav/nothing']) {
      for (const method of ['GET', 'OPTIONS', 'PROPFIND', 'REPORT', 'POST', 'PUT', 'LOCK']) {
        const answer = await ask(face.url, target, { method });
        expect([target, method, answer.status, answer.headers['www-authenticate']]).toEqual([target, method, 401, 'Basic realm="freebusy-bridge"']);
        expect(answer.headers['dav']).toBeUndefined();
      }
    }
    expect((await ask(face.url, '/', { method: 'PROPFIND' })).status).toBe(401);
    expect((await ask(face.url, '/', { method: 'GET' })).status).toBe(404);
    expect((await ask(face.url, '/caldavx', { method: 'PROPFIND' })).status).toBe(404);
  });

  it('lets an anonymous client ask, as the principal `anonymous`', async () => {
    const { AddressSet } = await import('../../../src/platform/auth/address-set.ts');
    const open = await openFace({ accounts: [{ requester: { ...PEER, name: 'web', anonymous: true }, addresses: new AddressSet(['127.0.0.0/8']) }] });
    const answer = await ask(open.url, '/caldav/', { method: 'PROPFIND', headers: { depth: '0' } });
    expect(await multiStatus(answer.body)).toHaveProperty(['/caldav/', '200', 'current-user-principal'], '/caldav/principals/anonymous/');
    await open.close();
  });
});

describe('the well-known path', () => {
  it.each(['GET', 'HEAD', 'PROPFIND', 'OPTIONS', 'REPORT', 'POST'])('leads %s to the root, and keeps its body', async (method) => {
    for (const target of ['/.well-known/caldav', '/.well-known/caldav/', '/.well-known/caldav?x=1']) {
      const answer = await request(face, method, target, { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } });
      expect([answer.status, answer.headers['location']]).toEqual([307, '/caldav/']);
    }
  });
});

describe('OPTIONS', () => {
  it('says what clients look for before they ask about anybody', async () => {
    const answer = await request(face, 'OPTIONS', HOME);
    expect(answer.status).toBe(200);
    const features = String(answer.headers['dav']).split(/,\s*/);
    // Thunderbird drops the first, then looks for one of the schedules; python-caldav and RFC 6638 §2 want the second.
    expect(features[0]).toBe('1');
    expect(features).toEqual(expect.arrayContaining(['3', 'access-control', 'calendar-access', 'calendar-schedule', 'calendar-auto-schedule']));
  });

  it('lists the methods of a resource', async () => {
    expect((await request(face, 'OPTIONS', OUTBOX)).headers['allow']).toBe('OPTIONS, PROPFIND, POST');
    expect((await request(face, 'OPTIONS', `${HOME}calendar/`)).headers['allow']).toBe('OPTIONS, PROPFIND, REPORT');
    expect((await request(face, 'OPTIONS', '/caldav/nothing')).status).toBe(404);
  });
});

describe('what would write', () => {
  it.each([
    ['PUT', `${HOME}calendar/1.ics`, 'bind'],
    ['DELETE', `${HOME}calendar/`, 'unbind'],
    ['MKCALENDAR', `${HOME}new/`, 'bind'],
    ['MKCOL', `${HOME}new/`, 'bind'],
    ['PROPPATCH', `${HOME}calendar/`, 'write-properties'],
    ['MOVE', `${HOME}calendar/`, 'bind'],
    ['COPY', `${HOME}calendar/`, 'bind'],
    ['ACL', HOME, 'write-acl'],
  ])('%s %s is refused for want of %s', async (method, target, privilege) => {
    const answer = await request(face, method, target);
    expect([answer.status, await errorIn(answer.body)]).toEqual([403, '{DAV:}need-privileges']);
    expect(answer.body).toContain(`<D:privilege><D:${privilege}/></D:privilege>`);
  });

  it.each(['GET', 'HEAD', 'LOCK', 'UNLOCK', 'SUBSCRIBE'])('%s has no meaning here', async (method) => {
    const answer = await request(face, method, `${HOME}calendar/`);
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'OPTIONS, PROPFIND, REPORT']);
  });
});
