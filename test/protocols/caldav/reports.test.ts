import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFreeBusyReply } from '../../../src/protocols/icalendar/free-busy-reply.ts';
import type { RawAnswer } from '../../flows/raw-http.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { HOME, PEER, errorIn, hour, multiStatus, openFace, request } from './caldav-face.ts';

const NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"';
const CALENDAR = `${HOME}calendar/`;
const PRINCIPAL = '/caldav/principals/peer/';

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

const report = async (target: string, body: string, headers: Record<string, string> = { depth: '1' }): Promise<RawAnswer> => request(face, 'REPORT', target, { headers, body });

describe('REPORT', () => {
  it('finds no object in a calendar that holds none', async () => {
    const query = `<C:calendar-query ${NAMESPACES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`;
    expect(await multiStatus((await report(CALENDAR, query)).body)).toEqual({});
    const multiget = `<C:calendar-multiget ${NAMESPACES}><D:prop><D:getetag/></D:prop><D:href>${CALENDAR}1.ics</D:href><D:href>/a&amp;b</D:href></C:calendar-multiget>`;
    expect(await multiStatus((await report(CALENDAR, multiget)).body)).toEqual({ [`${CALENDAR}1.ics`]: 'HTTP/1.1 404 Not Found', '/a&b': 'HTTP/1.1 404 Not Found' });
    const many = `<C:calendar-multiget ${NAMESPACES}>${'<D:href>/a</D:href>'.repeat(1_001)}</C:calendar-multiget>`;
    const long = `<C:calendar-multiget ${NAMESPACES}>${`<D:href>/${'a'.repeat(1_000)}</D:href>`.repeat(500)}</C:calendar-multiget>`;
    for (const one of [many, long]) expect(await errorIn((await report(CALENDAR, one)).body)).toBe('{DAV:}number-of-matches-within-limits');
  });

  it('refuses what a resource does not give, and does not offer it', async () => {
    for (const [target, body] of [
      [CALENDAR, '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'],
      [PRINCIPAL, '<expand-property xmlns="DAV:"/>'],
      [`${HOME}outbox/`, `<C:free-busy-query ${NAMESPACES}/>`],
      [CALENDAR, '<calendar-query xmlns="DAV:"/>'],
      [CALENDAR, ''],
    ] as const) {
      const answer = await report(target, body);
      expect([answer.status, await errorIn(answer.body)]).toEqual([403, '{DAV:}supported-report']);
    }
    expect((await report(CALENDAR, '<a')).status).toBe(400);
  });
});

describe('the search for principals', () => {
  const search = (property: string, match: string, more = ''): string => `<D:principal-property-search ${NAMESPACES}><D:property-search><D:prop><${property}/></D:prop><D:match>${match}</D:match></D:property-search>${more}<D:prop><D:displayname/></D:prop></D:principal-property-search>`;
  const found = async (body: string, target = '/caldav/principals/'): Promise<readonly string[]> => Object.keys(await multiStatus((await report(target, body)).body));

  it('takes no more conditions than anybody sends', async () => {
    const condition = '<D:property-search><D:prop><D:displayname/></D:prop><D:match>pee</D:match></D:property-search>';
    expect(await found(search('D:displayname', 'pee', condition.repeat(99)))).toEqual([PRINCIPAL]);
    expect(await errorIn((await report('/caldav/principals/', search('D:displayname', 'pee', condition.repeat(100)))).body)).toBe('{DAV:}number-of-matches-within-limits');
  });

  it('finds the caller by name, by home as Thunderbird asks for it, and by its whole address', async () => {
    expect(await found(search('D:displayname', 'PEE'))).toEqual([PRINCIPAL]);
    expect(await found(search('C:calendar-home-set', HOME.slice(0, -1)))).toEqual([PRINCIPAL]);
    expect(await found(search('C:calendar-user-address-set', 'peer@corp.example'), '/')).toEqual([PRINCIPAL]);
    expect(await found(search('C:calendar-user-address-set', 'MAILTO:Peer@corp.example'), CALENDAR)).toEqual([PRINCIPAL]);
  });

  it('never finds the caller for somebody else: Evolution would show the caller’s time as theirs', async () => {
    for (const match of ['eer@corp.example', 'kim@zimbra.example', 'corp.example', '@', '']) {
      expect([match, await found(search('C:calendar-user-address-set', match))]).toEqual([match, []]);
      expect([match, await found(search('CS:email-address-set', match))]).toEqual([match, []]);
    }
    expect(await found(search('X', 'peer').replace('<X/>', ''))).toEqual([]);
    expect(await found(`<D:principal-property-search ${NAMESPACES}><D:prop><D:displayname/></D:prop></D:principal-property-search>`)).toEqual([]);
  });

  it('takes all conditions together, or any where that is asked for', async () => {
    const second = '<D:property-search><D:prop><D:displayname/></D:prop><D:match>nobody</D:match></D:property-search>';
    const both = search('D:displayname', 'peer', second);
    expect(await found(both)).toEqual([]);
    expect(await found(both.replace('<D:principal-property-search ', '<D:principal-property-search test="anyof" '))).toEqual([PRINCIPAL]);
  });

  it('says what can be searched for', async () => {
    const answer = await report('/caldav/principals/', '<principal-search-property-set xmlns="DAV:"/>', { depth: '0' });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/xml; charset=utf-8']);
    expect(answer.body).toContain('<D:prop><C:calendar-user-address-set/></D:prop>');
  });
});

describe('free-busy-query', () => {
  const query = (range: string): string => `<C:free-busy-query ${NAMESPACES}>${range}</C:free-busy-query>`;
  const DAY = query('<C:time-range start="20261118T000000Z" end="20261119T000000Z"/>');

  it('gives the caller’s own time, not that of the empty calendar', async () => {
    for (const target of [CALENDAR, HOME]) {
      const answer = await report(target, DAY);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/calendar; charset=utf-8']);
      expect((await decodeFreeBusyReply(answer.body)).busy).toEqual([{ start: hour(9), end: hour(11), busyType: 'tentative' }]);
    }
  });

  it('never gives an empty calendar for a caller whose time is not known', async () => {
    const nobody = await openFace({ accounts: [{ requester: PEER, credentials: { username: 'zimbra', password: 'pw' } }] });
    const { basic } = await import('../../flows/raw-http.ts');
    const refused = await request(nobody, 'REPORT', CALENDAR, { headers: basic('zimbra', 'pw'), body: DAY });
    expect([refused.status, await errorIn(refused.body)]).toEqual([403, '{DAV:}need-privileges']);
    await nobody.close();
    for (const calendars of [{}, { 'peer@corp.example': { known: [] } }] as const) {
      const other = await openFace({ calendars });
      const answer = await request(other, 'REPORT', CALENDAR, { body: DAY });
      expect([answer.status, answer.headers['retry-after'] !== undefined]).toEqual('peer@corp.example' in calendars ? [503, true] : [403, false]);
      await other.close();
    }
  });

  it('wants a range with two ends, and no endless one', async () => {
    for (const range of ['', '<C:time-range/>', '<C:time-range start="20261118T000000Z"/>', '<C:time-range start="20261119T000000Z" end="20261118T000000Z"/>', '<C:time-range start="20261118" end="20261119"/>']) {
      expect([range, await errorIn((await report(CALENDAR, query(range))).body)]).toEqual([range, '{urn:ietf:params:xml:ns:caldav}valid-filter']);
    }
    expect(await errorIn((await report(CALENDAR, query('<C:time-range start="20261118T000000Z" end="99991118T000000Z"/>'))).body)).toBe('{DAV:}number-of-matches-within-limits');
  });
});
