import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../../src/core/clock.ts';
import type { WorkingHours } from '../../../../src/freebusy/free-busy.ts';
import { zoneWithoutDaylight } from '../../../../src/timezones/bias-rules.ts';
import { serializableTimeZoneFor } from '../../../../src/timezones/iana-rules.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { END, START, openFace, send, sendJson, xmlMessage } from './asking.ts';

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'] as const;
const berlin: WorkingHours = { timeZone: serializableTimeZoneFor('Europe/Berlin', 2026), periods: [{ days: WEEKDAYS, startMinute: 480, endMinute: 1_020 }] };
const kolkata: WorkingHours = { timeZone: zoneWithoutDaylight(-330), periods: [{ days: WEEKDAYS, startMinute: 540, endMinute: 720 }, { days: WEEKDAYS, startMinute: 780, endMinute: 1_080 }] };
const nights: WorkingHours = { timeZone: zoneWithoutDaylight(0), periods: [{ days: ['Sunday', 'Wednesday'], startMinute: 1_320, endMinute: 360 }] };

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace({
    calendars: {
      'berlin@zimbra.example': { workingHours: berlin, busy: [{ start: START, end: END, busyType: 'busy' }] },
      'berlin2@zimbra.example': { workingHours: berlin },
      'kolkata@zimbra.example': { workingHours: kolkata },
      'nights@zimbra.example': { workingHours: nights },
      'round@zimbra.example': { workingHours: { timeZone: zoneWithoutDaylight(0), periods: [{ days: ['Sunday', 'Saturday', ...WEEKDAYS], startMinute: 0, endMinute: 1_440 }] } },
      'silent@zimbra.example': {},
    },
  });
});
afterAll(() => face.close());

async function slots(name: string, start: number, end: number): Promise<readonly string[]> {
  const { Body } = await sendJson(face, { GetWorkingHoursRequest: { _jsns: 'urn:zimbraMail', s: start, e: end, name } });
  const { id: _id, ...kinds } = Body.GetWorkingHoursResponse.usr[0]!;
  const all = Object.entries(kinds).flatMap(([kind, list]) => list.map((slot) => ({ kind, ...slot }))).sort((one, other) => one.s - other.s);
  // Exact tiling: from the start to the end without a gap, and neighbours differ.
  expect([all[0]!.s, all.at(-1)!.e]).toEqual([start, end]);
  for (const [index, slot] of all.slice(1).entries()) expect([slot.s, slot.kind]).toEqual([all[index]!.e, expect.not.stringMatching(all[index]!.kind)]);
  return all.map(({ kind, s, e }) => `${kind} ${new Date(s).toISOString().slice(5, 16)} ${new Date(e).toISOString().slice(5, 16)}`);
}

const utc = (text: string): number => Date.parse(`${text}Z`);

describe('GetWorkingHoursRequest', () => {
  it('says f inside and u outside of working hours, by the clock of the owner’s zone', async () => {
    expect(await slots('berlin@zimbra.example', utc('2026-11-20T00:00'), utc('2026-11-23T12:00'))).toEqual([
      'u 11-20T00:00 11-20T07:00',
      'f 11-20T07:00 11-20T16:00',
      'u 11-20T16:00 11-23T07:00',
      'f 11-23T07:00 11-23T12:00',
    ]);
    expect(await slots('kolkata@zimbra.example', utc('2026-11-18T03:00'), utc('2026-11-18T13:00'))).toEqual([
      'u 11-18T03:00 11-18T03:30',
      'f 11-18T03:30 11-18T06:30',
      'u 11-18T06:30 11-18T07:30',
      'f 11-18T07:30 11-18T12:30',
      'u 11-18T12:30 11-18T13:00',
    ]);
  });

  it('keeps to local hours when the clocks change', async () => {
    expect(await slots('berlin@zimbra.example', utc('2026-10-23T12:00'), utc('2026-10-26T17:00'))).toEqual([
      'f 10-23T12:00 10-23T15:00',
      'u 10-23T15:00 10-26T07:00',
      'f 10-26T07:00 10-26T16:00',
      'u 10-26T16:00 10-26T17:00',
    ]);
  });

  it('joins shifts over midnight, and days that have no end', async () => {
    expect(await slots('nights@zimbra.example', utc('2026-11-19T00:00'), utc('2026-11-19T12:00'))).toEqual(['f 11-19T00:00 11-19T06:00', 'u 11-19T06:00 11-19T12:00']);
    expect(await slots('round@zimbra.example', START, START + 3 * DAY_MS)).toEqual(['f 11-18T08:00 11-21T08:00']);
  });

  it('is n where nobody knows: no such mailbox, no hours given, an id', async () => {
    const { Body } = await sendJson(face, { GetWorkingHoursRequest: { _jsns: 'urn:zimbraMail', s: START, e: END, id: '1f2e3d4c-0000-4000-8000-000000000001', name: 'silent@zimbra.example,nobody@zimbra.example, berlin@zimbra.example' } });
    const nothing = [{ s: START, e: END }];
    expect(Body.GetWorkingHoursResponse.usr).toEqual([
      { id: '1f2e3d4c-0000-4000-8000-000000000001', n: nothing },
      { id: 'silent@zimbra.example', n: nothing },
      { id: 'nobody@zimbra.example', n: nothing },
      { id: ' berlin@zimbra.example', n: nothing },
    ]);
  });

  it('keeps the order asked, everybody once by the caller’s own string', async () => {
    const { text } = await send(face, xmlMessage(`<GetWorkingHoursRequest xmlns="urn:zimbraMail" s="${START}" e="${END}" name="kolkata@zimbra.example,Berlin@Zimbra.example,kolkata@zimbra.example,berlin2@zimbra.example"/>`));
    expect([...text.matchAll(/<usr id="([^"]*)"/g)].map((one) => one[1])).toEqual(['kolkata@zimbra.example', 'Berlin@Zimbra.example', 'berlin2@zimbra.example']);
  });

  it.each([
    ['201 days', { s: START, e: START + 201 * DAY_MS }, 'invalid request: Requested range is too large (Maximum 200 days)'],
    ['an end before the start', { s: START, e: START - 1 }, 'invalid request: End time must be after Start time'],
    ['no start', { e: END }, 'invalid request: missing required attribute: s'],
    ['501 mailboxes', { s: START, e: END, name: Array.from({ length: 501 }, (_, index) => `u${index}@b.example`).join(',') }, 'invalid request: more than 500 mailboxes in one question'],
  ])('refuses %s', async (_what, more, reason) => {
    const { Body } = await sendJson(face, { GetWorkingHoursRequest: { _jsns: 'urn:zimbraMail', ...more } });
    expect([Body.Fault.Detail.Error.Code, Body.Fault.Reason.Text]).toEqual(['service.INVALID_REQUEST', reason]);
  });

  it('asks about no more than it needs of a long window, and answers for all of it', async () => {
    const found = await slots('berlin@zimbra.example', START, START + 200 * DAY_MS);
    expect(found.filter((one) => one.startsWith('f'))).toHaveLength(143);
    const { window } = face.asked.at(-1)!;
    expect(window.end - window.start).toBe(35 * DAY_MS);
  });
});
