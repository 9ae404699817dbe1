import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toBridgeError } from '../../../../src/core/errors.ts';
import { formatIsoTime } from '../../../../src/core/iso-time.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { CalendarEvent } from '../../../../src/freebusy/free-busy.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { decodeFolderPropfind, encodeFolderPropfind, folderUrl, readablePath } from '../../../../src/protocols/owa-webdav/watch/calendar-folder.ts';
import { decodeCalendarSearch, encodeCalendarSearch } from '../../../../src/protocols/owa-webdav/watch/calendar-search.ts';
import { readAnswer } from '../../../../src/protocols/owa-webdav/read-answer.ts';
import { decodeSubscriptionStatuses } from '../../../../src/protocols/owa-webdav/watch/subscription-multistatus.ts';
import { idHeader, idsInNotify, lifetimeIn, namesIds, renewalHeaders, subscribeHeaders, subscribedOf } from '../../../../src/protocols/owa-webdav/watch/subscription.ts';
import { SHARED } from '../../../shared.ts';

const FIXTURES = new URL('../../../../fixtures/owa-webdav/', import.meta.url);
const cases = (operation: string) => readdirSync(new URL(`${operation}/`, FIXTURES));
const document = (path: string) => readXml(readFileSync(new URL(`${path}/message.xml`, FIXTURES)));
const expectedOf = (path: string) => JSON.parse(readFileSync(new URL(`${path}/expected.json`, FIXTURES), 'utf8')) as Record<string, unknown>;

/** What a decoder makes of it, or the code with which it refuses. */
async function madeOf<T>(work: () => T | Promise<T>): Promise<T | { error: string }> {
  try {
    return await work();
  } catch (thrown) {
    return { error: toBridgeError(thrown).code };
  }
}

describe('where the calendar is', () => {
  it.each(cases('calendar-folder'))('fixture %s', async (name) => {
    const found = await madeOf(async () => ({ calendar: decodeFolderPropfind(await document(`calendar-folder/${name}`)) ?? null }));
    expect(found).toEqual(expectedOf(`calendar-folder/${name}`));
  });

  it('is asked for by the property, which has no language', () => {
    expect(encodeFolderPropfind()).toBe('<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:" xmlns:h="urn:schemas:httpmail:"><D:prop><h:calendar/></D:prop></D:propfind>');
  });

  const root = new URL('https://mail.exch.example');
  it.each([
    ['https://mail.exch.example/exchange/anna/Kalender', '/exchange/anna/Kalender', '/exchange/anna/Kalender'],
    ['https://mail.exch.example/exchange/anna/Calendrier/', '/exchange/anna/Calendrier/', '/exchange/anna/Calendrier/'],
    ['https://mail.exch.example/exchange/anna/Calend%C3%A1rio', '/exchange/anna/Calend%C3%A1rio', '/exchange/anna/Calendário'],
    ['https://mail.exch.example/exchange/anna/%e4%ba%88%e5%AE%9A%E8%A1%A8', '/exchange/anna/%e4%ba%88%e5%AE%9A%E8%A1%A8', '/exchange/anna/予定表'],
    ['https://MAIL.exch.example:443/exchange/anna@exch.example/Agenda%20(priv%E9)', '/exchange/anna@exch.example/Agenda%20(priv%E9)', '/exchange/anna@exch.example/Agenda%20(priv%E9)'],
    ['/exchange/anna/_xF8FF_%2B', '/exchange/anna/_xF8FF_%2B', '/exchange/anna/_xF8FF_+'],
  ])('%s goes out as it came in', (text, path, readable) => {
    const url = folderUrl(text, root, []);
    expect([url.origin, url.pathname, readablePath(url)]).toEqual([root.origin, path, readable]);
  });

  it.each([
    ['https://evil.example/exchange/anna/Calendar', 'BACKEND_REDIRECT'],
    ['//evil.example/exchange/anna/Calendar', 'BACKEND_REDIRECT'],
    ['/\\evil.example/x', 'BACKEND_REDIRECT'],
    ['https://mail.exch.example.evil.example/x', 'BACKEND_REDIRECT'],
    ['https://mail.exch.example:8443/exchange/anna/Calendar', 'BACKEND_REDIRECT'],
    ['http://mail.exch.example/exchange/anna/Calendar', 'BACKEND_REDIRECT'],
    ['file:///etc/passwd', 'BACKEND_REDIRECT'],
    ['javascript:alert(1)', 'BACKEND_REDIRECT'],
    ['https://user:secret@mail.exch.example/x', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/exchange/../admin/', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/exchange/%2e%2E/admin/', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/exchange/.%2e/admin', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example\\evil\\x', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/public/?cmd=x', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/x#y', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/x\ty', 'BACKEND_MALFORMED'],
    ['https://mail.exch.example/', 'BACKEND_MALFORMED'],
    ['https:x/y', 'BACKEND_MALFORMED'],
    ['https://[/x', 'BACKEND_MALFORMED'],
    [`https://mail.exch.example/${'x'.repeat(3_000)}`, 'BACKEND_MALFORMED'],
  ])('%s is not gone to', (text, code) => {
    expect(() => folderUrl(text, root, [])).toThrow(expect.objectContaining({ code }));
  });

  it('another host counts where it is listed, and over TLS only', () => {
    expect(folderUrl('https://back.exch.example/exchange/anna/Calendar', root, ['back.exch.example']).hostname).toBe('back.exch.example');
    expect(folderUrl('https://back.exch.example:444/x', root, ['back.exch.example:444']).port).toBe('444');
    expect(() => folderUrl('https://back.exch.example:445/x', root, ['back.exch.example:444'])).toThrow();
    expect(() => folderUrl('http://back.exch.example/x', root, ['back.exch.example'])).toThrow();
  });
});

describe('SEARCH', () => {
  const told = ({ start, end, busyType, isCancelled, ownReply, isPrivate, isAllDay }: CalendarEvent) => [
    formatIsoTime(start),
    formatIsoTime(end),
    busyType,
    ...(isCancelled === true ? ['cancelled'] : []),
    ...(ownReply === 'declined' ? ['declined'] : []),
    ...(isPrivate === true ? ['private'] : []),
    ...(isAllDay === true ? ['all-day'] : []),
  ];
  const edge = (instant: number) => (Number.isFinite(instant) ? formatIsoTime(instant) : null);

  it.each(cases('calendar-search'))('fixture %s', async (name) => {
    const found = await madeOf(async () => {
      const { events, unreadable } = await decodeCalendarSearch(await document(`calendar-search/${name}`));
      return { events: events.map(told), unreadable: unreadable.map(({ start, end }) => [edge(start), edge(end)]) };
    });
    expect(found).toEqual(expectedOf(`calendar-search/${name}`));
  });

  const capture = `${SHARED}/captures/exchange-webdav/AppointmentResponse.xml`;
  it.skipIf(!existsSync(capture))('the captured answer of an Exchange 2003 is read whole', async () => {
    const { events, unreadable } = await decodeCalendarSearch(await readAnswer({ body: readFileSync(capture), headers: {} }));
    expect([events.length, unreadable.length]).toEqual([6, 0]);
    expect(JSON.stringify(events)).not.toContain('fefe');
  });

  it('asks for what touches the window, for no master, and for no subject and no place', async () => {
    const start = Date.UTC(2026, 2, 2, 9);
    const request = await readXml(encodeCalendarSearch({ start, end: start + 3_600_000 }));
    const sql = request.children[0]!.text;
    expect([request.name, request.ns, request.children[0]!.name]).toEqual(['searchrequest', 'DAV:', 'sql']);
    expect(sql.slice(0, sql.indexOf(' FROM '))).not.toMatch(/subject|location|description|organizer|displayname|href/i);
    expect(sql).toContain(`FROM Scope('SHALLOW TRAVERSAL OF ""') WHERE "DAV:contentclass" = 'urn:content-classes:appointment'`);
    expect(sql).toContain('NOT "urn:schemas:calendar:instancetype" = 1');
    // Fifteen hours more at both ends, of those that end after the start and begin before the end.
    expect(sql).toContain(`"urn:schemas:calendar:dtstart" < '2026/03/03 01:00:00'`);
    expect(sql).toContain(`"urn:schemas:calendar:dtend" > '2026/03/01 18:00:00'`);
  });

  it('what is no XML, has a DOCTYPE or too much in it, is refused', async () => {
    for (const body of ['<a:multistatus xmlns:a="DAV:"><a:response>', '<!DOCTYPE x [<!ENTITY y "z">]><a:multistatus xmlns:a="DAV:"/>', '']) {
      expect(await madeOf(() => readAnswer({ body: Buffer.from(body), headers: {} }))).toEqual({ error: 'BACKEND_MALFORMED' });
    }
    const many = { name: 'multistatus', ns: 'DAV:', attributes: [], text: '', children: new Array(LIMITS.eventsPerMailbox + 1).fill({ name: 'response', ns: 'DAV:', attributes: [], text: '', children: [] }) };
    expect(await madeOf(() => decodeCalendarSearch(many))).toEqual({ error: 'BACKEND_TOO_LARGE' });
  });
});

describe('subscriptions', () => {
  it.each(cases('subscription-statuses'))('fixture %s', async (name) => {
    const found = await madeOf(async () => ({ statuses: Object.fromEntries(decodeSubscriptionStatuses(await document(`subscription-statuses/${name}`))) }));
    expect(found).toEqual(expectedOf(`subscription-statuses/${name}`));
  });

  it('a new one is asked for as presence.md §B.4 has it, a renewal without what is forbidden there', () => {
    const callBack = 'httpu://bridge.example.org:50020/token';
    expect(subscribeHeaders(callBack)).toEqual({ 'notification-type': 'update', depth: '1', 'call-back': callBack, 'subscription-lifetime': '3600', 'notification-delay': '5' });
    expect(subscribeHeaders(undefined)).toEqual({ 'notification-type': 'update', depth: '1', 'subscription-lifetime': '3600' });
    expect(renewalHeaders(['1', '18', '243'])).toEqual({ 'subscription-id': '1,18,243', 'subscription-lifetime': '3600' });
    expect(idHeader(['15', '16'])).toEqual({ 'subscription-id': '15,16' });
  });

  it('an answer gives an id, a place and a lifetime within bounds', () => {
    const bounds = LIMITS.webdavSubscription;
    const of = (lifetime: string) => lifetimeIn({ 'subscription-lifetime': lifetime }, bounds) / 1_000;
    expect(['3600', '60', '59', '0', '1800', '999999999', '', '-5', '1e9', 'soon'].map(of)).toEqual([3_600, 60, 60, 60, 1_800, 86_400, 3_600, 3_600, 3_600, 3_600]);
    expect(subscribedOf({ 'subscription-id': ' 21 ', 'content-location': 'https://x/y', 'subscription-lifetime': '3600' }, bounds)).toEqual({ id: '21', location: 'https://x/y', lifetimeMs: 3_600_000 });
    expect(subscribedOf({ 'subscription-id': '21' }, bounds)).toMatchObject({ location: undefined });
    for (const id of ['', '2 1', '21,22', 'x'.repeat(65), '2\u00001']) expect(subscribedOf({ 'subscription-id': id }, bounds)).toBeUndefined();
    expect(subscribedOf({}, bounds)).toBeUndefined();
  });

  it('the ids of a notification are read whatever ends its lines', () => {
    expect(idsInNotify('NOTIFY httpu://bridge.example.org:50020/t HTTP/1.1\r\nSubscription-id: 15')).toEqual(['15']);
    expect(idsInNotify('NOTIFY /t HTTP/1.1\nSUBSCRIPTION-ID:15,16 , 15\n')).toEqual(['15', '16']);
    expect(idsInNotify('NOTIFY /t HTTP/1.1\rHost: x\rSubscription-ID : 7')).toEqual(['7']);
    expect(idsInNotify('NOTIFY /t HTTP/1.1\r\nHost: x')).toEqual([]);
    expect(idsInNotify('Subscription-id: 15')).toEqual([]);
    expect(idsInNotify(`NOTIFY /t HTTP/1.1\nSubscription-ID: ${'x'.repeat(100)},<>`)).toEqual([]);
    expect([namesIds('NOTIFY /t HTTP/1.1\nSubscription-ID: <>'), namesIds('NOTIFY /t HTTP/1.1\nSubscription-ID:\nX: y'), namesIds('NOTIFY /t HTTP/1.1')]).toEqual([true, false, false]);
  });
});
