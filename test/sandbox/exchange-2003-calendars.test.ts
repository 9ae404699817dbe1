import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore, Entry, NewEntry } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import type { Exchange2003, Exchange2003Options } from '../../src/sandbox/exchange-2003.ts';
import { openWire } from '../../src/sandbox/wire-request.ts';
import type { WireAnswer } from '../../src/sandbox/wire-request.ts';
import { SHARED } from '../shared.ts';
import { startDatagramListener } from './datagram-listener.ts';
import type { DatagramListener } from './datagram-listener.ts';
import { shapeOf } from './xml-shape.ts';

const CAPTURE = `${SHARED}/captures/exchange-webdav/AppointmentResponse.xml`;
const at = (text: string): number => Date.parse(text);
const ANNA = 'anna@exch.example';
const BOB = 'bob@exch.example';
const basic = (account: string): string => `Basic ${Buffer.from(account).toString('base64')}`;

let server: Exchange2003;
let calendars: CalendarStore;
let listener: DatagramListener;
beforeEach(async () => {
  listener = await startDatagramListener();
});
afterEach(async () => {
  await server.close();
  await listener.close();
});

async function start(options: Partial<Exchange2003Options> = {}): Promise<void> {
  calendars = createCalendarStore([{ address: ANNA, displayName: 'Anna' }, { address: BOB, displayName: 'Bob' }]);
  server = createExchange2003({
    username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => at('2026-03-10T08:00:00Z') }, auth: 'basic',
    people: [{ username: 'bob', password: 'own', address: BOB }], calendarNames: { [ANNA]: 'Kalender' }, ...options,
  });
  await server.listen();
}

interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly account?: string;
}

/** fetch knows SEARCH, but undici neither POLL nor a way to leave it to us: raw requests. */
async function ask(method: string, target: string, { headers = {}, body = '', account = 'EXCH\\svc:pass' }: Ask = {}): Promise<WireAnswer & { readonly text: string }> {
  const url = new URL(server.url);
  if (method !== 'POLL') {
    const wire = openWire(url);
    const answer = await wire.send(method, target, ['Host', url.host, 'Authorization', basic(account), 'Content-Length', String(Buffer.byteLength(body)), ...Object.entries(headers).flat()], body);
    wire.close();
    return { ...answer, text: answer.body.toString('utf8') };
  }
  const lines = [`POLL ${target} HTTP/1.1`, `Host: ${url.host}`, `Authorization: ${basic(account)}`, 'Connection: close', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''];
  const text = await exchange([lines.join('\r\n')]);
  const [head = '', rest = ''] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), headers: {}, body: Buffer.from(rest), text: rest };
}

/** Sends pieces with a turn of the event loop between them; everything that comes back until the connection is closed. */
async function exchange(pieces: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString('utf8');
  });
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  await closed;
  return text;
}

const propfind = (...names: readonly string[]): string => `<D:propfind xmlns:D="DAV:" xmlns:h="urn:schemas:httpmail:"><D:prop>${names.map((name) => `<h:${name}/>`).join('')}</D:prop></D:propfind>`;
const sql = (text: string): string => `<D:searchrequest xmlns:D="DAV:"><D:sql>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</D:sql></D:searchrequest>`;
const CAL = 'urn:schemas:calendar:';
const hours = (from: string, to: string): { start: number; end: number } => ({ start: at(`2026-03-10T${from}:00Z`), end: at(`2026-03-10T${to}:00Z`) });
const add = (entry: Partial<NewEntry> = {}, address = ANNA): Entry => calendars.add(address, { ...hours('09:00', '10:00'), type: 'busy', ...entry });

async function calendarUrlOf(user: string, account?: string): Promise<{ readonly status: number; readonly url: string | undefined; readonly path: string }> {
  const { status, text } = await ask('PROPFIND', `/exchange/${user}/`, { headers: { Depth: '0' }, body: propfind('calendar'), ...(account === undefined ? {} : { account }) });
  const url = /<d:calendar>([^<]*)<\/d:calendar>/.exec(text)?.[1];
  return { status, url, path: url === undefined ? '' : new URL(url).pathname };
}

describe('mailboxes of the stand-in Exchange 2003', () => {
  it.each(['Calendar', 'Kalender', 'Calendrier', 'Calendário', '予定表', 'Termine & Besuche (100%)'])('name the calendar folder in the language of its owner: %s', async (name) => {
    await start({ calendarNames: { [ANNA]: name } });
    const { status, url, path } = await calendarUrlOf('anna');
    expect([status, url]).toEqual([207, `${server.url}/exchange/anna/${encodeURIComponent(name)}`]);
    for (const folder of [path, `${path}/`]) expect((await ask('SEARCH', folder, { body: sql(`SELECT "${CAL}dtstart" FROM SCOPE('shallow traversal of "${url}"')`) })).status).toBe(207);
    expect((await ask('PROPFIND', path, { headers: { Depth: '0' } })).text).toContain(`<a:displayname>${name.replace('&', '&amp;')}</a:displayname>`);
  });

  it('are found by alias and address, with all their folders; what is not there is 404 in its own propstat', async () => {
    await start();
    for (const user of ['anna', 'ANNA', 'anna@exch.example', 'anna%40exch.example']) expect((await calendarUrlOf(user)).path).toBe('/exchange/anna/Kalender');
    const { text } = await ask('PROPFIND', '/exchange/anna', { headers: { Depth: '0' }, body: propfind('inbox', 'sentitems', 'junk') });
    expect(text).toContain(`<d:sentitems>${server.url}/exchange/anna/Sent%20Items</d:sentitems>`);
    expect(text).toContain('<a:propstat><a:status>HTTP/1.1 404 Resource Not Found</a:status><a:prop><d:junk/></a:prop></a:propstat>');
    expect((await calendarUrlOf('ghost')).status).toBe(404);
  });

  it('can have their calendar renamed while somebody knows the old name', async () => {
    await start();
    const { path } = await calendarUrlOf('anna');
    server.renameCalendar(ANNA, '予定表');
    for (const method of ['SEARCH', 'SUBSCRIBE', 'PROPFIND']) expect([method, (await ask(method, path, { headers: { Depth: '0' } })).status]).toEqual([method, 404]);
    expect((await calendarUrlOf('anna')).path).toBe('/exchange/anna/%E4%BA%88%E5%AE%9A%E8%A1%A8');
  });

  it('are open to the service account as long as it has Receive-As, and to their owners', async () => {
    await start();
    expect((await calendarUrlOf('bob', 'EXCH\\bob:own')).status).toBe(207);
    expect((await calendarUrlOf('anna', 'bob:own')).status).toBe(403);
    expect((await calendarUrlOf('anna', 'bob:wrong')).status).toBe(401);
    expect((await ask('SUBSCRIBE', '/exchange/anna/Kalender', { account: 'bob:own' })).status).toBe(403);
    server.setReceiveAs(false);
    expect((await calendarUrlOf('anna')).status).toBe(403);
  });

  it('are entered by the form too, and POLL without a cookie is 440', async () => {
    await start({ auth: 'form' });
    const logon = await fetch(`${server.url}/exchweb/bin/auth/owaauth.dll`, { method: 'POST', redirect: 'manual', body: 'destination=%2F&username=bob&password=own', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    const cookie = logon.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
    expect((await ask('PROPFIND', '/exchange/bob/', { headers: { Cookie: cookie, Depth: '0' } })).status).toBe(207);
    expect((await ask('PROPFIND', '/exchange/anna/', { headers: { Cookie: cookie, Depth: '0' } })).status).toBe(403);
    expect((await ask('POLL', '/exchange/bob/Calendar', { headers: { Cookie: cookie, 'Subscription-ID': '1' } })).status).toBe(412);
    expect((await ask('POLL', '/exchange/bob/Calendar', { headers: { 'Subscription-ID': '1' } })).status).toBe(440);
  });
});

describe('SEARCH of a calendar', () => {
  const search = async (where: string, properties: readonly string[] = [`${CAL}uid`]): Promise<string> => (await ask('SEARCH', '/exchange/anna/Kalender', { body: sql(`SELECT ${properties.map((one) => `"${one}"`).join(', ')} FROM SCOPE('SHALLOW TRAVERSAL OF ""')${where}`) })).text;
  const uids = (text: string): readonly string[] => [...text.matchAll(/<d:uid>([^<]*)</g)].map((match) => match[1]!);

  it.skipIf(!existsSync(CAPTURE))('has the elements, namespaces and order that a real Exchange 2003 answered with', async () => {
    await start();
    add({ subject: 'fefefewfew' });
    const asked = [
      'DAV:contentclass', 'DAV:creationdate', ...['dtstart', 'dtend', 'alldayevent', 'busystatus', 'instancetype', 'busystatus', 'instancetype', 'location', 'meetingstatus'].map((one) => CAL + one), 'urn:schemas:mailheader:subject',
      'http://schemas.microsoft.com/mapi/proptag/x1000001e', 'http://schemas.microsoft.com/mapi/id/{00062002-0000-0000-C000-000000000046}/0x8218', 'DAV:comment', 'http://schemas.microsoft.com/mapi/id/{00062008-0000-0000-C000-000000000046}/0x8506',
    ];
    const captured = readFileSync(CAPTURE, 'utf8');
    // The stand-in has no organizers, and one appointment.
    const first = captured.slice(0, captured.indexOf('</a:response>')).replace(/<d:organizer>.*?<\/d:organizer>/, '') + '</a:response></a:multistatus>';
    expect(shapeOf(await readXml(await search('', asked)))).toEqual(shapeOf(await readXml(first)));
  });

  it('tells each kind of entry as 2003 does', async () => {
    await start();
    const h = 'http://schemas.microsoft.com/mapi/id/{00062002-0000-0000-C000-000000000046}/';
    const tell = async (entry: Partial<NewEntry>): Promise<readonly string[]> => {
      calendars.clear(ANNA);
      add(entry);
      const text = await search('', [`${CAL}busystatus`, `${CAL}alldayevent`, `${CAL}meetingstatus`, 'http://schemas.microsoft.com/exchange/sensitivity', `${h}0x8217`, `${h}0x8218`]);
      return [...text.matchAll(/<[d-f]:[^>]*>([^<]+)</g)].map((match) => match[1]!);
    };
    expect(await tell({ type: 'oof', isAllDay: true })).toEqual(['OUTOFOFFICE', '1', 'TENTATIVE', '0', '0', '0']);
    expect(await tell({ reply: 'declined', sensitivity: 'confidential' })).toEqual(['BUSY', '0', 'CONFIRMED', '3', '3', '4']);
    expect(await tell({ isCancelled: true, reply: 'accepted', private: true })).toEqual(['BUSY', '0', 'CANCELLED', '2', '7', '3']);
    expect(await tell({ type: 'tentative', reply: 'tentative' })).toEqual(['TENTATIVE', '0', 'CONFIRMED', '0', '3', '2']);
    expect(await tell({ type: 'working-elsewhere', reply: 'organizer' })).toEqual(['FREE', '0', 'CONFIRMED', '0', '1', '1']);
  });

  it('compares times, texts and numbers, with brackets, AND, OR and NOT', async () => {
    await start();
    const [early, noon, late] = [add(hours('08:00', '09:00')), add({ ...hours('12:00', '13:00'), type: 'tentative' }), add(hours('18:00', '19:00'))];
    expect(uids(await search(` WHERE "${CAL}dtend" > '2026/03/10 09:00:00' AND "${CAL}dtstart" < '2026/03/10 18:00:00'`))).toEqual([noon.id]);
    expect(uids(await search(` WHERE "${CAL}dtstart" >= CAST("2026-03-10T12:00:00Z" AS "dateTime.tz") AND ("${CAL}instancetype" = 0 OR "${CAL}instancetype" = 2)`))).toEqual([noon.id, late.id]);
    expect(uids(await search(` WHERE NOT "${CAL}busystatus" = 'Busy' OR "${CAL}dtend" <= '2026-03-10T09:00:00.000Z'`))).toEqual([early.id, noon.id]);
    expect(uids(await search(` WHERE "DAV:contentclass" = 'urn:content-classes:appointment' AND "${CAL}alldayevent" = false ORDER BY "${CAL}dtstart" DESC`))).toEqual([late.id, noon.id, early.id]);
    expect(uids(await search(` WHERE "${CAL}nosuchthing" = 1`))).toEqual([]);
  });

  it.each([
    ['no select', 'DELETE FROM x'], ['no property', `SELECT FROM SCOPE('shallow traversal of ""')`], ['a broken scope', `SELECT "DAV:href" FROM SCOPE('everything')`], ['an open bracket', `SELECT "DAV:href" FROM SCOPE('shallow traversal of ""') WHERE ("DAV:isfolder" = false`],
    ['no literal', `SELECT "DAV:href" FROM SCOPE('shallow traversal of ""') WHERE "DAV:isfolder" =`], ['an open text', `SELECT "DAV:href" FROM SCOPE('shallow traversal of "') WHERE "DAV:href" = 'x`], ['no time', `SELECT "DAV:href" FROM SCOPE('shallow traversal of ""') WHERE "${CAL}dtend" > CAST("soon" AS "dateTime")`],
    ['a deep nest', `SELECT "DAV:href" FROM SCOPE('shallow traversal of ""') WHERE ${'('.repeat(10_000)}`],
  ])('refuses what is no such query: %s', async (_, text) => {
    await start();
    expect((await ask('SEARCH', '/exchange/anna/Kalender', { body: sql(text) })).status).toBe(400);
  });

  it('searches the folder that it was sent to', async () => {
    await start();
    expect((await ask('SEARCH', '/exchange/anna/Kalender', { body: sql(`SELECT "DAV:href" FROM SCOPE('shallow traversal of "/exchange/bob/Calendar"')`) })).status).toBe(404);
  });
});

describe('subscriptions of the stand-in Exchange 2003', () => {
  const FOLDER = '/exchange/anna/Kalender';
  const callBack = (token = 'token'): string => `httpu://127.0.0.1:${listener.port}/${token}`;
  const subscribe = (headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer & { readonly text: string }> => ask('SUBSCRIBE', FOLDER, { headers: { 'Notification-Type': 'update', Depth: '1', 'Call-Back': callBack(), 'Subscription-Lifetime': '3600', ...headers } });
  const idOf = async (headers?: Readonly<Record<string, string>>): Promise<string> => String((await subscribe(headers)).headers['subscription-id']);
  const poll = async (ids: string): Promise<string> => (await ask('POLL', FOLDER, { headers: { 'Subscription-ID': ids } })).text;

  it('call by UDP at every change; POLL says what has fired, once', async () => {
    await start();
    const { status, headers } = await subscribe();
    const id = String(headers['subscription-id']);
    expect([status, headers['content-location'], headers['subscription-lifetime']]).toEqual([200, `${server.url}${FOLDER}`, '3600']);
    const other = await idOf({ 'Call-Back': '' });
    const entry = add();
    expect(await listener.next()).toBe(`NOTIFY ${callBack()} HTTP/1.1\r\nSubscription-id: ${id}\r\n\r\n`);
    calendars.remove(ANNA, entry.id);
    await listener.next();
    add({}, BOB);
    const fired = (ids: readonly string[]): string => `<a:multistatus xmlns:b="http://schemas.microsoft.com/Exchange/" xmlns:a="DAV:"><a:response><a:href>${server.url}${FOLDER}</a:href><a:status>HTTP/1.1 200 OK</a:status><b:subscriptionID>${ids.map((one) => `<li>${one}</li>`).join('')}</b:subscriptionID></a:response>`;
    expect(await poll(`${id},${other}`)).toContain(fired([id, other]));
    expect(await poll(`${id}, ${other}`)).toContain(`<a:status>HTTP/1.1 204 No Content</a:status><b:subscriptionID><li>${id}</li><li>${other}</li></b:subscriptionID>`);
    expect(listener.datagrams.length).toBe(2);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POLL', status: 207 });
  });

  it('call again until they are polled', async () => {
    await start({ secondMs: 1 });
    const id = await idOf();
    add();
    const first = await listener.next();
    expect(await listener.next()).toBe(first);
    await poll(id);
    expect(await poll(id)).toContain('204 No Content');
  });

  it('fire by their type, and hold back what Notification-Delay wants held back', async () => {
    await start({ secondMs: 40 });
    const born = await idOf({ 'Notification-Type': 'update/newmember', 'Call-Back': '' });
    const gone = await idOf({ 'Notification-Type': 'delete', 'Call-Back': '' });
    await idOf({ 'Notification-Delay': '5' });
    for (let count = 0; count < 5; count++) add();
    expect(await poll(`${born},${gone}`)).toMatch(new RegExp(`200 OK.*<li>${born}</li>.*204 No Content.*<li>${gone}</li>`));
    await listener.next();
    expect(listener.datagrams.length).toBe(1);
    add();
    await listener.next();
  });

  it('are renewed by their numbers alone, live as long as the server lets them, and end', async () => {
    await start({ secondMs: 5, mostLifetimeSeconds: 1_000 });
    const { headers } = await subscribe({ 'Subscription-Lifetime': '99999' });
    const id = String(headers['subscription-id']);
    expect(headers['subscription-lifetime']).toBe('1000');
    const renew = (more: Readonly<Record<string, string>>): Promise<WireAnswer & { readonly text: string }> => ask('SUBSCRIBE', FOLDER, { headers: { 'Subscription-ID': id, ...more } });
    for (const forbidden of [{ 'Call-Back': callBack() }, { 'Notification-Type': 'update' }, { Depth: '1' }]) expect((await renew(forbidden)).status).toBe(400);
    expect((await renew({ 'Subscription-Lifetime': '500' })).headers['subscription-lifetime']).toBe('500');
    const some = await ask('SUBSCRIBE', FOLDER, { headers: { 'Subscription-ID': `${id},999` } });
    expect([some.status, some.text]).toEqual([207, expect.stringContaining('<a:status>HTTP/1.1 412 Precondition Failed</a:status><b:subscriptionID><li>999</li>')]);
    await renew({ 'Subscription-Lifetime': '1' });
    await expect.poll(() => server.subscriptions).toEqual([]);
    expect((await renew({})).status).toBe(412);
    add();
    expect((await ask('POLL', FOLDER, { headers: { 'Subscription-ID': id } })).status).toBe(412);
    expect(listener.datagrams).toEqual([]);
  });

  it('end by UNSUBSCRIBE and by a restart', async () => {
    await start();
    const [one, other] = [await idOf(), await idOf()];
    const left = await ask('UNSUBSCRIBE', FOLDER, { headers: { 'Subscription-ID': one } });
    expect([left.status, left.text]).toEqual([207, expect.stringContaining(`200 OK</a:status><b:subscriptionID><li>${one}</li>`)]);
    expect((await ask('UNSUBSCRIBE', FOLDER, { headers: { 'Subscription-ID': one } })).status).toBe(412);
    expect(server.subscriptions).toEqual([Number(other)]);
    server.forgetSubscriptions();
    expect((await ask('POLL', FOLDER, { headers: { 'Subscription-ID': other } })).status).toBe(412);
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['no type', { 'Notification-Type': '' }], ['an unknown type', { 'Notification-Type': 'everything' }], ['blanks in the type', { 'Notification-Type': 'update / newmember' }],
    ['no port', { 'Call-Back': 'httpu://127.0.0.1/x' }], ['another scheme', { 'Call-Back': 'http://127.0.0.1:5/x' }], ['port 0', { 'Call-Back': 'httpu://127.0.0.1:0/' }],
    ['a depth of 2', { Depth: '2' }], ['no lifetime', { 'Subscription-Lifetime': 'long' }],
  ])('are refused with 400: %s', async (_, headers) => {
    await start();
    expect((await subscribe(headers)).status).toBe(400);
  });

  it('go wrong as the faults say', async () => {
    await start();
    const id = await idOf();
    server.setFaults({ drop: 1 });
    const entry = add();
    await expect.poll(() => server.faults.drop).toBe(0);
    server.setFaults({ duplicate: 1 });
    calendars.remove(ANNA, entry.id);
    expect(await listener.next()).toBe(await listener.next());
    server.notifyUnsolicited();
    expect(await listener.next()).toBe(`NOTIFY ${callBack()} HTTP/1.1\r\n\r\n`);
    server.setFaults({ refused: ['SUBSCRIBE'] });
    expect((await subscribe()).status).toBe(501);
    expect(await poll(id)).toContain('200 OK');
    server.setFaults({ retryAfterSeconds: 9 });
    const away = await subscribe();
    expect([away.status, away.headers['retry-after']]).toEqual([503, '9']);
  });

  it('hear POLL on a kept connection, in packets cut anywhere, before and behind bodies of both kinds', async () => {
    await start();
    const id = await idOf();
    const head = (method: string, ...headers: readonly string[]): string => [`${method} ${FOLDER} HTTP/1.1`, 'Host: x', `Authorization: ${basic('svc:pass')}`, ...headers, '', ''].join('\r\n');
    const body = sql(`SELECT "DAV:href" FROM SCOPE('shallow traversal of ""') WHERE "DAV:displayname" = 'POLL /x HTTP/1.1'`);
    const conversation = [
      head('POLL', `Subscription-ID: ${id}`),
      head('SEARCH', `Content-Length: ${Buffer.byteLength(body)}`) + body,
      head('SEARCH', 'Transfer-Encoding: chunked') + `${body.length.toString(16)};x=y\r\n${body}\r\n0\r\nX-Trailer: 1\r\n\r\n`,
      head('POLL', `Subscription-ID: ${id}`, 'Content-Length: 5') + 'POLL ',
      head('POLL', `Subscription-ID: ${id}`, 'Connection: close'),
    ].join('');
    for (const size of [conversation.length, 1, 7]) {
      const pieces = Array.from({ length: Math.ceil(conversation.length / size) }, (_, index) => conversation.slice(index * size, (index + 1) * size));
      expect([...(await exchange(pieces)).matchAll(/(?<!<a:status>)HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1])).toEqual(['207', '207', '207', '207', '207']);
      expect(server.requests.slice(-5).map((one) => one.method).sort()).toEqual(['POLL', 'POLL', 'POLL', 'SEARCH', 'SEARCH']);
    }
  });

  it('leaves nonsense on the connection to Node’s parser', async () => {
    await start();
    expect(await exchange(['POOL / HTTP/1.1\r\n\r\n'])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange([`GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`])).toMatch(/^HTTP\/1\.1 431 /);
  });
});
