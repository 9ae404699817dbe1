import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import type { Exchange2003, Exchange2003Options } from '../../src/sandbox/exchange-2003.ts';
import { shapeOf } from './xml-shape.ts';
import { SHARED } from '../shared.ts';

const CAPTURES = `${SHARED}/captures/exchange-webdav`;
const FIXTURES = new URL('../../fixtures/sandbox/', import.meta.url);
const fixture = (path: string): string => readFileSync(new URL(path, FIXTURES), 'utf8');
const at = (text: string): number => Date.parse(text);
const MSIE = 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.2)';
const BASIC = `Basic ${Buffer.from('EXCH\\svc:pass').toString('base64')}`;
const SIGNED_IN = { 'User-Agent': MSIE, Authorization: BASIC };
const FOLDER = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/EX:_xF8FF_o=Contoso_xF8FF_ou=First%20Administrative%20Group';

let server: Exchange2003;
afterEach(() => server.close());

async function start(options: Partial<Exchange2003Options> = {}, now = '2026-03-01T12:34:56.789Z'): Promise<void> {
  const calendars = createCalendarStore([
    { address: 'anna@exch.example', displayName: 'Anna' },
    { address: 'bob@exch.example', displayName: 'Bob & Co' },
    { address: 'jdoe@exch.example', displayName: 'J. Doe' },
  ]);
  calendars.add('anna@exch.example', { start: at('2026-03-10T09:00:00Z'), end: at('2026-03-10T10:30:00Z'), type: 'busy' });
  calendars.add('anna@exch.example', { start: at('2026-03-10T11:15:00Z'), end: at('2026-03-10T11:30:00Z'), type: 'tentative' });
  calendars.add('bob@exch.example', { start: at('2026-03-10T10:30:00Z'), end: at('2026-03-10T10:45:00Z'), type: 'busy' });
  calendars.add('jdoe@exch.example', { start: at('2026-03-10T09:00:00Z'), end: at('2026-03-10T10:30:00Z'), type: 'busy' });
  calendars.add('jdoe@exch.example', { start: at('2026-03-31T22:00:00Z'), end: at('2026-04-01T02:00:00Z'), type: 'busy' });
  calendars.add('jdoe@exch.example', { start: at('2026-03-18T13:15:00Z'), end: at('2026-03-18T14:00:00Z'), type: 'tentative' });
  calendars.add('jdoe@exch.example', { start: at('2026-04-06T00:00:00Z'), end: at('2026-04-11T00:00:00Z'), type: 'oof' });
  server = createExchange2003({
    username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => at(now) }, auth: 'basic',
    organisation: '/o=Contoso/ou=First Administrative Group', ...options,
  });
  await server.listen();
}

const ask = (target: string, init: RequestInit = {}): Promise<Response> => fetch(server.url + target, { headers: SIGNED_IN, redirect: 'manual', ...init });
const freeBusy = (rest: string): string => `/public/?cmd=freebusy&${rest}`;

describe('cmd=freebusy of the stand-in Exchange 2003', () => {
  it('answers byte for byte in the style of the captured answer, the union of all attendees first', async () => {
    await start();
    const answer = await ask(freeBusy('start=2026-03-10T09:00:00Z&end=2026-03-10T12:00:00Z&interval=30&u=SMTP:anna@exch.example&u=smtp:BOB@exch.example&u=ghost@exch.example'));
    expect(answer.status).toBe(200);
    // The union's slots: 2 2 2 2 1 and, where nobody is busy and one is unknown, 4.
    expect(await answer.text()).toBe(fixture('free-busy-query/two-attendees/message.xml'));
    expect(answer.headers.get('x-sandbox-source')).toBe('captures/exchange-webdav/FreeBusyResponse.xml');
    expect(answer.headers.get('ms-webstorage')).toBe('6.5.7226');
    expect(server.requests.at(-1)).toEqual({ method: 'GET', path: '/public/', mailboxes: 3, status: 200 });
  });

  it.skipIf(!existsSync(CAPTURES))('has the elements, namespaces and order of the captured answer', async () => {
    await start();
    const answer = await ask(freeBusy('start=2026-03-10T09:00:00Z&end=2026-03-10T12:00:00Z&interval=30&u=SMTP:anna@exch.example'));
    expect(shapeOf(await readXml(await answer.text()))).toEqual(shapeOf(await readXml(readFileSync(`${CAPTURES}/FreeBusyResponse.xml`))));
  });

  it('reads the raw plus of an offset, and answers a slot for a part of an interval too', async () => {
    await start();
    const answer = await ask(freeBusy('start=2026-03-10T14:30:00+05:30&end=2026-03-10T15:40:00+05:30&interval=30&u=anna@exch.example'));
    expect(await answer.text()).toContain('<a:fbdata>222</a:fbdata>');
  });

  it('has no data outside of the months that are published', async () => {
    await start();
    const answer = await ask(freeBusy('start=2026-02-28T23:00:00Z&end=2026-03-01T01:00:00Z&interval=60&u=anna@exch.example'));
    expect(await answer.text()).toContain('<a:fbdata>40</a:fbdata>');
  });

  it('shows its HTML page to anything but Internet Explorer', async () => {
    await start();
    const answer = await ask(freeBusy('start=2026-03-10T09:00:00Z&end=2026-03-10T12:00:00Z&interval=30&u=anna@exch.example'), { headers: { Authorization: BASIC } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html');
  });

  it('refuses a query of 2,048 characters as IIS does, and takes one of 2,047', async () => {
    await start();
    const query = (length: number): string => `cmd=freebusy&start=2026-03-10T09:00:00Z&end=2026-03-10T12:00:00Z&interval=30&u=`.padEnd(length, 'x');
    expect((await ask(`/public/?${query(2047)}`)).status).toBe(200);
    const refused = await ask(`/public/?${query(2048)}`);
    expect(refused.status).toBe(404);
    expect(await refused.text()).toContain('404.15');
  });

  it('answers 400 to a reversed window, a missing end and a window of ten million slots', async () => {
    await start();
    for (const rest of ['start=2026-03-10T12:00:00Z&end=2026-03-10T09:00:00Z', 'start=2026-03-10T12:00:00Z', 'start=1601-01-01T00:00:00Z&end=9999-01-01T00:00:00Z&interval=1']) {
      expect((await ask(freeBusy(`${rest}&u=anna@exch.example`))).status).toBe(400);
    }
  });
});

describe('the free/busy message in the stand-in’s public folder', () => {
  it('is the worked example of exchange.md §1.5, byte for byte in the style of the captured answer', async () => {
    await start();
    const answer = await ask(`${FOLDER}/USER-_xF8FF_cn=Recipients_xF8FF_cn=jdoe.EML`, { method: 'PROPFIND' });
    expect(answer.status).toBe(207);
    expect((await answer.text()).replace(server.url, 'http://HOST')).toBe(fixture('public-folder/worked-example/message.xml'));
  });

  it.skipIf(!existsSync(CAPTURES))('has the elements, namespaces and order of the captured answer', async () => {
    await start();
    const answer = await ask(`${FOLDER}/USER-_xF8FF_cn=Recipients_xF8FF_cn=jdoe.EML`, { method: 'PROPFIND' });
    expect(shapeOf(await readXml(await answer.text()))).toEqual(shapeOf(await readXml(readFileSync(`${CAPTURES}/FreeBusyPublicFolderResponse.xml`))));
  });

  it('gives what was asked for, in any case of the path, and the rest as 404 in a second propstat', async () => {
    await start();
    const body = '<D:propfind xmlns:D="DAV:"><D:prop xmlns:p="http://schemas.microsoft.com/mapi/proptag/"><p:x68531003/><p:x12345678/></D:prop></D:propfind>';
    const answer = await ask(`${FOLDER}/user-_xf8ff_CN=RECIPIENTS_xF8FF_CN=JDOE.eml`.replace('NON_IPM', 'non_ipm'), { method: 'PROPFIND', body });
    const names = shapeOf(await readXml(await answer.text())).map((line) => line.trim().split(' ')[0]?.split('|')[1]);
    expect(names).toEqual(['multistatus', 'response', 'href', 'propstat', 'status', 'prop', 'x68531003', 'v', 'v', 'v', 'propstat', 'status', 'prop', 'x12345678']);
  });

  it('is 404 for somebody unknown and for another organisation, and 400 for a broken body', async () => {
    await start();
    expect((await ask(`${FOLDER}/USER-_xF8FF_cn=Recipients_xF8FF_cn=ghost.EML`, { method: 'PROPFIND' })).status).toBe(404);
    expect((await ask(`${FOLDER.replace('Contoso', 'Other')}/USER-_xF8FF_cn=Recipients_xF8FF_cn=jdoe.EML`, { method: 'PROPFIND' })).status).toBe(404);
    expect((await ask(`${FOLDER}/USER-_xF8FF_cn=Recipients_xF8FF_cn=jdoe.EML`, { method: 'PROPFIND', body: '<a><b></a>' })).status).toBe(400);
  });
});

describe('signing in to the stand-in Exchange 2003', () => {
  const QUESTION = freeBusy('start=2026-03-10T09:00:00Z&end=2026-03-10T12:00:00Z&interval=30&u=anna@exch.example');

  it('challenges with Basic, and takes the account with and without its domain', async () => {
    await start();
    const refused = await ask(QUESTION, { headers: { 'User-Agent': MSIE } });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="127.0.0.1"']);
    for (const [account, status] of [['exch\\SVC:pass', 200], ['svc:pass', 200], ['svc:Pass', 401], ['OTHER\\svc:pass', 401]] as const) {
      const answer = await ask(QUESTION, { headers: { 'User-Agent': MSIE, Authorization: `Basic ${Buffer.from(account).toString('base64')}` } });
      expect([account, answer.status]).toEqual([account, status]);
    }
  });

  it('by form: a good logon leads to the destination with two cookies, a bad one back to the logon page with reason 2', async () => {
    await start({ auth: 'form' });
    const logOn = (password: string): Promise<Response> => ask('/exchweb/bin/auth/owaauth.dll', {
      method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: `destination=http%3A%2F%2Fh%2Fpublic%2F&flags=4&username=EXCH%5Csvc&password=${password}&SubmitCreds=Log+On&trusted=4`,
    });
    const bad = await logOn('wrong');
    expect(bad.status).toBe(302);
    expect(bad.headers.get('location')).toMatch(/^\/exchweb\/bin\/auth\/owalogon\.asp\?url=.*&reason=2$/);
    const good = await logOn('pass');
    expect([good.status, good.headers.get('location')]).toEqual([302, 'http://h/public/']);
    const cookie = good.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
    expect(cookie).toMatch(/^sessionid=\w+; cadata="[\w-]+"$/);
    expect((await ask(QUESTION, { headers: { 'User-Agent': MSIE, Cookie: cookie } })).status).toBe(200);
    server.expireSessions();
    const toLogon = await ask(QUESTION, { headers: { 'User-Agent': MSIE, Cookie: cookie } });
    expect([toLogon.status, toLogon.headers.get('location')]).toEqual([302, expect.stringMatching(/owalogon\.asp\?url=.*&reason=0$/)]);
    expect((await ask(`${FOLDER}/USER-_xF8FF_cn=Recipients_xF8FF_cn=jdoe.EML`, { method: 'PROPFIND', headers: { Cookie: cookie } })).status).toBe(440);
  });
});
