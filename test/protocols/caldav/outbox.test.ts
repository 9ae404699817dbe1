import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import ICAL from 'ical.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import type { RawAnswer } from '../../flows/raw-http.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { HOME, OUTBOX, errorIn, one, openFace, request, text } from './caldav-face.ts';

const CALDAV = 'urn:ietf:params:xml:ns:caldav';
const ICALENDAR = 'text/calendar; charset=utf-8';

interface Message {
  readonly attendees?: readonly string[];
  readonly start?: string;
  readonly end?: string;
  readonly more?: readonly string[];
}

function message({ attendees = [], start = '20261118T080000Z', end = '20261118T180000Z', more = [] }: Message): string {
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Somebody//EN', 'METHOD:REQUEST', 'BEGIN:VFREEBUSY', 'UID:4FD3AD926350', 'DTSTAMP:20261117T101500Z', `DTSTART:${start}`, `DTEND:${end}`];
  return [...lines, 'ORGANIZER;CN="The Boss":mailto:boss@elsewhere.example', ...attendees.map((one) => `ATTENDEE;CUTYPE=INDIVIDUAL:${one}`), ...more, 'END:VFREEBUSY', 'END:VCALENDAR', ''].join('\r\n');
}

interface Reply {
  readonly recipient: string;
  readonly status: string;
  readonly data: string | undefined;
}

async function replies(answer: RawAnswer): Promise<readonly Reply[]> {
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/xml; charset=utf-8']);
  const root = await readXml(answer.body);
  expect([root.ns, root.name]).toEqual([CALDAV, 'schedule-response']);
  return root.children.map((response) => {
    expect([response.ns, response.name]).toEqual([CALDAV, 'response']);
    const data = response.children.filter((child) => child.name === 'calendar-data');
    expect(data.length).toBeLessThan(2);
    const href = one(one(response, 'recipient'), 'href');
    expect(href.ns).toBe('DAV:');
    return { recipient: text(href), status: text(one(response, 'request-status')), data: data[0]?.text };
  });
}

/** By ical.js, whose parser we did not write: the properties of the one VFREEBUSY, periods as `TYPE start/end`. */
function read(data: string | undefined): Record<string, readonly string[]> {
  const calendar = new ICAL.Component(ICAL.parse(data!) as [string, unknown[], unknown[]]);
  expect(calendar.getFirstPropertyValue('method')).toBe('REPLY');
  expect(calendar.getAllSubcomponents().map((component) => component.name)).toEqual(['vfreebusy']);
  const out: Record<string, string[]> = {};
  for (const property of calendar.getFirstSubcomponent('vfreebusy')!.getAllProperties()) {
    const parameters = property.name === 'freebusy' ? `${String(property.getParameter('fbtype'))}${property.getParameter('x-fb-nodata') === 'TRUE' ? ' (no data)' : ''} ` : '';
    (out[property.name] ??= []).push(`${parameters}${property.getValues().join(',')}`);
  }
  return out;
}

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

const post = async (body: string | Buffer, headers: Record<string, string> = {}, target = OUTBOX): Promise<RawAnswer> => request(face, 'POST', target, { headers: { 'content-type': ICALENDAR, ...headers }, body });
const statuses = async (attendees: readonly string[], headers: Record<string, string> = {}): Promise<readonly (readonly [string, string])[]> =>
  (await replies(await post(message({ attendees }), headers))).map(({ recipient, status, data }) => {
    // Never a calendar for what is not known, never none for what is.
    expect([recipient, data !== undefined]).toEqual([recipient, status.startsWith('2.')]);
    return [recipient, status];
  });

const SUCCESS = '2.0;Success';
const NOBODY = '3.7;Invalid calendar user';
const AWAY = '5.1;Service unavailable';

describe('a question to the outbox', () => {
  it('is answered for each attendee, in the order and spelling of the question', async () => {
    const attendees = ['MAILTO:Kim@Zimbra.Example', 'mailto:anna@corp.example', 'mailto:nobody@corp.example', 'mailto:anna@corp.example', 'mailto:kim@zimbra.example'];
    expect(await statuses(attendees)).toEqual([
      [attendees[0], SUCCESS],
      [attendees[1], SUCCESS],
      [attendees[2], NOBODY],
      [attendees[3], SUCCESS],
      [attendees[4], SUCCESS],
    ]);
    expect(face.asked.at(-1)!.mailboxes).toEqual(['kim@zimbra.example', 'anna@corp.example', 'nobody@corp.example']);
  });

  it('gets a reply that carries the question’s UID, organizer, attendee and window', async () => {
    const [kim] = await replies(await post(message({ attendees: ['MAILTO:Kim@Zimbra.Example'] })));
    expect(read(kim!.data)).toMatchObject({
      uid: ['4FD3AD926350'],
      organizer: ['mailto:boss@elsewhere.example'],
      attendee: ['MAILTO:Kim@Zimbra.Example'],
      dtstart: ['2026-11-18T08:00:00Z'],
      dtend: ['2026-11-18T18:00:00Z'],
      freebusy: ['BUSY 2026-11-18T09:00:00Z/2026-11-18T10:00:00Z'],
    });
    expect(kim!.data).toMatch(/^BEGIN:VCALENDAR\r\n[^]*END:VCALENDAR\r\n$/);
    expect(kim!.data).not.toMatch(/secret/i);
    expect(face.asked.at(-1)!.details).toBe(false);
  });

  it('shows what each type is, and working elsewhere as free', async () => {
    const [anna, free] = await replies(await post(message({ attendees: ['mailto:anna@corp.example', 'mailto:free@corp.example'] })));
    expect(read(anna!.data)['freebusy']).toEqual(['BUSY-UNAVAILABLE 2026-11-18T12:00:00Z/2026-11-18T14:00:00Z']);
    expect([free!.status, read(free!.data)['freebusy']]).toEqual([SUCCESS, undefined]);
  });

  it('shows working elsewhere as the site says', async () => {
    const other = await openFace({ workingElsewhereAs: 'tentative' });
    const answer = await request(other, 'POST', OUTBOX, { headers: { 'content-type': ICALENDAR }, body: message({ attendees: ['mailto:anna@corp.example'] }) });
    expect(read((await replies(answer))[0]!.data)['freebusy']).toContain('BUSY-TENTATIVE 2026-11-18T15:00:00Z/2026-11-18T16:00:00Z');
    await other.close();
  });

  it('never shows as free what is not known: a stretch is marked, a whole window is no calendar', async () => {
    const [half, nothing, away] = await replies(await post(message({ attendees: ['mailto:half@corp.example', 'mailto:nothing@corp.example', 'mailto:away@corp.example'] })));
    expect(read(half!.data)['freebusy']).toEqual(['BUSY 2026-11-18T09:00:00Z/2026-11-18T10:00:00Z', 'BUSY-TENTATIVE (no data) 2026-11-18T13:00:00Z/2026-11-18T18:00:00Z']);
    expect([nothing, away].map((reply) => [reply!.status, reply!.data])).toEqual([
      [AWAY, undefined],
      [AWAY, undefined],
    ]);
  });

  it('calls invalid whoever it may not ask about, and every address that names no mailbox', async () => {
    const odd = ['mailto:hidden@corp.example', 'mailto:nobody@corp.example', 'urn:uuid:10000000-0000-0000-0000-000000000001', '/caldav/principals/peer/', 'invalid:nomail', 'mailto:', 'mailto:a@b@c', 'http://corp.example/anna', 'mailto:x/../y@corp.example', 'mailto:anna@corp.example?subject=x'];
    expect(await statuses(odd)).toEqual(odd.map((attendee) => [attendee, NOBODY]));
    expect(face.asked.at(-1)!.mailboxes).toEqual(['hidden@corp.example', 'nobody@corp.example']);
  });

  it('knows a mailto that is percent-encoded, and an address without a scheme', async () => {
    expect(await statuses(['mailto:kim%40zimbra.example', 'kim@zimbra.example'])).toEqual([
      ['mailto:kim%40zimbra.example', SUCCESS],
      ['kim@zimbra.example', SUCCESS],
    ]);
  });

  it('answers Thunderbird, which names organizer and attendee in the headers too', async () => {
    const body = readFileSync(new URL('../../../fixtures/icalendar/free-busy-request/thunderbird/message.ics', import.meta.url));
    const [kim] = await replies(await post(body, { originator: 'mailto:peer@corp.example', recipient: 'mailto:kim@zimbra.example' }));
    expect(read(kim!.data)).toMatchObject({ attendee: ['mailto:kim@zimbra.example'], freebusy: ['BUSY 2026-11-18T09:00:00Z/2026-11-18T10:00:00Z'] });
  });

  it('takes the headers of the old drafts where the message names nobody', async () => {
    const bare = message({}).replace(/ORGANIZER.*\r\n/, '');
    const [kim, nobody] = await replies(await post(bare, { originator: 'mailto:old@elsewhere.example', recipient: 'mailto:kim@zimbra.example, mailto:nobody@corp.example' }));
    expect(read(kim!.data)['organizer']).toEqual(['mailto:old@elsewhere.example']);
    expect(nobody!.status).toBe(NOBODY);
  });

  it('may be compressed, and come without a media type', async () => {
    const body = message({ attendees: ['mailto:kim@zimbra.example'] });
    expect(await replies(await post(gzipSync(body), { 'content-encoding': 'gzip' }))).toHaveLength(1);
    expect(await replies(await request(face, 'POST', OUTBOX, { body }))).toHaveLength(1);
    expect(await replies(await post(body, {}, OUTBOX.slice(0, -1)))).toHaveLength(1);
  });

  it('keeps markup in an address to itself', async () => {
    const attendee = 'mailto:<&"\'>@corp.example]]>';
    expect((await replies(await post(message({ attendees: [attendee] })))).map((reply) => reply.recipient)).toEqual([attendee]);
  });

  it('says of an attendee whose calendar no longer fits into the answer that it is not to be had, never that the time is free', async () => {
    const found = await statuses([...Array.from({ length: 22 }, () => 'mailto:crowded@corp.example'), 'mailto:kim@zimbra.example']);
    expect(found.map(([, status]) => status)).toEqual([...Array.from({ length: 20 }, () => SUCCESS), AWAY, AWAY, SUCCESS]);
  });

  it('is answered for as many as an outbox takes', async () => {
    const attendees = Array.from({ length: LIMITS.outboxAttendees }, (_, at) => `mailto:user${at}@corp.example`);
    expect(await statuses(attendees)).toHaveLength(LIMITS.outboxAttendees);
  });
});

describe('what the outbox refuses', () => {
  const kim = ['mailto:kim@zimbra.example'];
  const refused = async (answer: RawAnswer): Promise<readonly [number, string]> => [answer.status, await errorIn(answer.body)];
  const cases: Readonly<Record<string, readonly [precondition: string, body: string | Buffer, headers?: Record<string, string>]>> = {
    'a UID that would stand a hundred times in the answer': ['valid-scheduling-message', message({ attendees: kim }).replace('UID:4FD3AD926350', `UID:${'u'.repeat(1_001)}`)],
    'an organizer of such a length': ['valid-scheduling-message', message({ attendees: kim }).replace('boss@', `${'b'.repeat(1_001)}@`)],
    'one in the headers': ['valid-scheduling-message', message({ attendees: kim }).replace(/ORGANIZER.*\r\n/, ''), { originator: `mailto:${'b'.repeat(1_001)}` }],
    'another media type': ['supported-calendar-data', message({ attendees: kim }), { 'content-type': 'text/plain' }],
    'XML in place of a calendar': ['supported-calendar-data', '<a/>', { 'content-type': 'application/xml' }],
    'a media type that only begins like it': ['supported-calendar-data', message({ attendees: kim }), { 'content-type': 'text/calendarx' }],
    'nothing at all': ['valid-calendar-data', ''],
    'half a calendar': ['valid-calendar-data', message({ attendees: kim }).slice(0, -20)],
    'octets that are no UTF-8': ['valid-calendar-data', Buffer.from([0xc3, 0x28, 0xff])],
    'UTF-16 that says it is UTF-8': ['valid-calendar-data', Buffer.from(message({ attendees: kim }), 'utf16le')],
    'an end before the start': ['valid-calendar-data', message({ attendees: kim, start: '20261119T000000Z', end: '20261118T000000Z' })],
    'a recurrence': ['valid-calendar-data', message({ attendees: kim, more: ['RRULE:FREQ=SECONDLY'] })],
    'nobody to be asked about': ['valid-scheduling-message', message({})],
    'a window of two years': ['valid-scheduling-message', message({ attendees: kim, end: '20281118T000000Z' })],
    'a window to the end of time': ['valid-scheduling-message', message({ attendees: kim, end: '99991231T235959Z' })],
    'one attendee too many': ['max-attendees-per-instance', message({ attendees: Array.from({ length: LIMITS.outboxAttendees + 1 }, (_, at) => `mailto:user${at}@corp.example`) })],
    '10,000 attendees': ['max-attendees-per-instance', message({ attendees: Array.from({ length: 10_000 }, (_, at) => `mailto:user${at}@corp.example`) })],
    'too many in the headers': ['max-attendees-per-instance', message({}), { recipient: Array.from({ length: LIMITS.outboxAttendees + 1 }, (_, at) => `mailto:user${at}@corp.example`).join(',') }],
    'an invitation': ['supported-calendar-component', message({ attendees: kim }).replaceAll('VFREEBUSY', 'VEVENT')],
    'an answer': ['valid-scheduling-message', message({ attendees: kim }).replace('METHOD:REQUEST', 'METHOD:REPLY')],
  };
  it.each(Object.entries(cases))('%s, and asks nobody', async (_name, [precondition, body, headers]) => {
    const before = face.asked.length;
    expect(await refused(await post(body, headers))).toEqual([403, `{${CALDAV}}${precondition}`]);
    expect(face.asked).toHaveLength(before);
  });

  it('a question that goes to another resource', async () => {
    for (const target of [HOME, `${HOME}inbox/`, `${HOME}calendar/`, '/caldav/']) expect(await refused(await post(message({ attendees: kim }), {}, target))).toEqual([403, `{${CALDAV}}supported-collection`]);
    expect((await post(message({ attendees: kim }), {}, '/caldav/calendars/other/outbox/')).status).toBe(404);
  });

  it('a body that is too large, also when it is so only after decompression', async () => {
    const huge = message({ attendees: kim, more: [`X-PADDING:${'x'.repeat(5_000_000)}`] });
    expect((await post(huge)).status).toBe(413);
    expect((await post(gzipSync(huge), { 'content-encoding': 'gzip' })).status).toBe(413);
  });
});
