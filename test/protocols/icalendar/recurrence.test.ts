import ICAL from 'ical.js';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/clock.ts';
import { expandRecurrence, expansionPace } from '../../../src/protocols/icalendar/recurrence.ts';
import type { Frequency, RecurrenceRule } from '../../../src/protocols/icalendar/recurrence.ts';
import { turnsDuring } from '../../event-loop-turns.ts';

const DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** A rule as RFC 5545 writes it, in our form. */
function rule(text: string): RecurrenceRule {
  const parts = new Map(text.split(';').map((part) => part.split('=') as [string, string]));
  const numbers = (name: string): number[] => parts.get(name)?.split(',').map(Number) ?? [];
  const until = parts.get('UNTIL');
  return {
    frequency: parts.get('FREQ') as Frequency,
    interval: Number(parts.get('INTERVAL') ?? 1),
    ...(parts.has('COUNT') ? { count: Number(parts.get('COUNT')) } : {}),
    ...(until === undefined ? {} : { until: at(until) }),
    bySecond: numbers('BYSECOND'),
    byMinute: numbers('BYMINUTE'),
    byHour: numbers('BYHOUR'),
    byDay: (parts.get('BYDAY')?.split(',') ?? []).map((one) => {
      const day = DAYS.indexOf(one.slice(-2));
      return one.length > 2 ? { day, ordinal: Number(one.slice(0, -2)) } : { day };
    }),
    byMonthDay: numbers('BYMONTHDAY'),
    byYearDay: numbers('BYYEARDAY'),
    byWeekNumber: numbers('BYWEEKNO'),
    byMonth: numbers('BYMONTH'),
    bySetPosition: numbers('BYSETPOS'),
    weekStart: DAYS.indexOf(parts.get('WKST') ?? 'MO'),
  };
}

/** 19970902T090000 */
function at(text: string): number {
  const [year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(text)!.slice(1).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const unlimited = { steps: 1e9, instances: 1e9 };

async function expand(text: string, start: string, most = 100, more: { from?: number; to?: number; startCounts?: boolean } = {}): Promise<readonly number[]> {
  const to = more.to ?? at('20100101T000000');
  const found = await expandRecurrence({ rule: rule(text), start: at(start), from: more.from ?? 0, to, startCounts: more.startCounts ?? true }, { ...unlimited });
  return found.slice(0, most);
}

/** `97-09-02` */
const date = (instant: number): string => new Date(instant).toISOString().slice(2, 10);
const days = (text: string): readonly string[] => text.split(' ').flatMap((month) => {
  const [name, list] = month.split(':') as [string, string];
  return list.split(',').map((day) => `${name}-${day.padStart(2, '0')}`);
});

describe('the examples of RFC 5545 §3.8.5.3', () => {
  it.each([
    ['FREQ=DAILY;COUNT=10', '19970902T090000', '97-09:2,3,4,5,6,7,8,9,10,11'],
    ['FREQ=DAILY;INTERVAL=10;COUNT=5', '19970902T090000', '97-09:2,12,22 97-10:2,12'],
    ['FREQ=WEEKLY;COUNT=10', '19970902T090000', '97-09:2,9,16,23,30 97-10:7,14,21,28 97-11:4'],
    ['FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=9', '19970902T090000', '97-09:2,16,30 97-10:14,28 97-11:11,25 97-12:9,23'],
    ['FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH', '19970902T090000', '97-09:2,4,9,11,16,18,23,25,30 97-10:2'],
    ['FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000;WKST=SU;BYDAY=MO,WE,FR', '19970901T090000', '97-09:1,3,5,15,17,19,29 97-10:1,3,13,15,17,27,29,31 97-11:10,12,14,24,26,28 97-12:8,10,12,22'],
    ['FREQ=MONTHLY;COUNT=10;BYDAY=1FR', '19970905T090000', '97-09:5 97-10:3 97-11:7 97-12:5 98-01:2 98-02:6 98-03:6 98-04:3 98-05:1 98-06:5'],
    ['FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU', '19970907T090000', '97-09:7,28 97-11:2,30 98-01:4,25 98-03:1,29 98-05:3,31'],
    ['FREQ=MONTHLY;COUNT=6;BYDAY=-2MO', '19970922T090000', '97-09:22 97-10:20 97-11:17 97-12:22 98-01:19 98-02:16'],
    ['FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6', '19970928T090000', '97-09:28 97-10:29 97-11:28 97-12:29 98-01:29 98-02:26'],
    ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15', '19970902T090000', '97-09:2,15 97-10:2,15 97-11:2,15 97-12:2,15 98-01:2,15'],
    ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1', '19970930T090000', '97-09:30 97-10:1,31 97-11:1,30 97-12:1,31 98-01:1,31 98-02:1'],
    ['FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15', '19970910T090000', '97-09:10,11,12,13,14,15 99-03:10,11,12,13'],
    ['FREQ=YEARLY;COUNT=10;BYMONTH=6,7', '19970610T090000', '97-06:10 97-07:10 98-06:10 98-07:10 99-06:10 99-07:10 00-06:10 00-07:10 01-06:10 01-07:10'],
    ['FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3', '19970310T090000', '97-03:10 99-01:10 99-02:10 99-03:10 01-01:10 01-02:10 01-03:10 03-01:10 03-02:10 03-03:10'],
    ['FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200', '19970101T090000', '97-01:1 97-04:10 97-07:19 00-01:1 00-04:9 00-07:18 03-01:1 03-04:10 03-07:19 06-01:1'],
    ['FREQ=YEARLY;BYDAY=20MO;COUNT=3', '19970519T090000', '97-05:19 98-05:18 99-05:17'],
    ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3', '19970512T090000', '97-05:12 98-05:11 99-05:17'],
    ['FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=11', '19970313T090000', '97-03:13,20,27 98-03:5,12,19,26 99-03:4,11,18,25'],
    ['FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=10', '19970913T090000', '97-09:13 97-10:11 97-11:8 97-12:13 98-01:10 98-02:7 98-03:7 98-04:11 98-05:9 98-06:13'],
    ['FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3', '19961105T090000', '96-11:5 00-11:7 04-11:2'],
    ['FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', '19970904T090000', '97-09:4 97-10:7 97-11:6'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7', '19970929T090000', '97-09:29 97-10:30 97-11:27 97-12:30 98-01:29 98-02:26 98-03:30'],
    ['FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO', '19970805T090000', '97-08:5,10,19,24'],
    ['FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU', '19970805T090000', '97-08:5,17,19,31'],
    ['FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5', '20070115T090000', '07-01:15,30 07-02:15 07-03:15,30'],
  ])('%s', async (text, start, expected) => {
    const found = await expand(text, start);
    expect(found.map(date)).toEqual(days(expected));
    expect(new Set(found.map((one) => new Date(one).toISOString().slice(11)))).toEqual(new Set(['09:00:00.000Z']));
  });

  it.each([
    ['FREQ=DAILY;UNTIL=19971224T000000', '19970902T090000', 113],
    ['FREQ=YEARLY;UNTIL=20000131T140000;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA', '19980101T090000', 93],
    ['FREQ=DAILY;UNTIL=20000131T140000;BYMONTH=1', '19980101T090000', 93],
  ])('%s has the days that the example counts', async (text, start, expected) => {
    expect(await expand(text, start, 1_000)).toHaveLength(expected);
  });

  it.each([
    ['FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000', '09:00 12:00 15:00'],
    ['FREQ=MINUTELY;INTERVAL=15;COUNT=6', '09:00 09:15 09:30 09:45 10:00 10:15'],
    ['FREQ=MINUTELY;INTERVAL=90;COUNT=4', '09:00 10:30 12:00 13:30'],
    ['FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40;COUNT=6', '09:00 09:20 09:40 10:00 10:20 10:40'],
    ['FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10;COUNT=6', '09:00 09:20 09:40 10:00 10:20 10:40'],
  ])('%s', async (text, expected) => {
    expect((await expand(text, '19970902T090000')).map((one) => new Date(one).toISOString().slice(11, 16)).join(' ')).toBe(expected);
  });

  it('Friday the 13th, where the start itself is no instance of what is excluded', async () => {
    const text = 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13';
    expect((await expand(text, '19970902T090000', 5, { startCounts: false })).map(date)).toEqual(days('98-02:13 98-03:13 98-11:13 99-08:13 00-10:13'));
    expect((await expand(text, '19970902T090000', 2)).map(date)).toEqual(days('97-09:2 98-02:13'));
  });
});

describe('beside ical.js', () => {
  /** Numbers that are the same in every run. */
  const dice = (seed: number) => (most: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * most);
  };

  it('finds the same instances of random rules', async () => {
    const roll = dice(4);
    const pick = <T>(...list: readonly T[]): T => list[roll(list.length)]!;
    for (let round = 0; round < 400; round++) {
      const start = Date.UTC(2020 + roll(6), roll(12), 1 + roll(28), roll(24), roll(60));
      const weekday = DAYS[new Date(start).getUTCDay()]!;
      const monthDay = new Date(start).getUTCDate();
      // ical.js counts a start that the rule does not name differently, so each rule names its own.
      const pattern = pick(
        'FREQ=DAILY',
        `FREQ=WEEKLY;BYDAY=${[...new Set([weekday, pick(...DAYS), pick(...DAYS)])].join(',')}`,
        'FREQ=WEEKLY',
        `FREQ=MONTHLY;BYMONTHDAY=${monthDay}`,
        `FREQ=MONTHLY;BYDAY=${Math.ceil(monthDay / 7)}${weekday}`,
        'FREQ=YEARLY',
        'FREQ=HOURLY',
        'FREQ=MINUTELY;INTERVAL=7',
      );
      const text = [pattern, ...(pattern.includes('INTERVAL') ? [] : [`INTERVAL=${1 + roll(4)}`]), `COUNT=${1 + roll(40)}`, 'WKST=MO'].join(';');
      const iterator = ICAL.Recur.fromString(text).iterator(ICAL.Time.fromJSDate(new Date(start), true));
      const expected: string[] = [];
      for (let next = iterator.next() as ICAL.Time | undefined; next != null; next = iterator.next() as ICAL.Time | undefined) expected.push(next.toString().replace('Z', ''));
      const found = await expandRecurrence({ rule: rule(text), start, from: 0, to: Date.UTC(2400, 0, 1), startCounts: true }, { ...unlimited });
      expect([text, found.map((one) => new Date(one).toISOString().slice(0, 19))]).toEqual([text, expected]);
    }
  });
});

describe('what an expansion costs', () => {
  it('begins near the time that is asked about where nothing is counted', async () => {
    const budget = { steps: 1_000, instances: 100 };
    const from = at('20260301T000000');
    for (const frequency of ['SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']) {
      const found = await expandRecurrence({ rule: rule(`FREQ=${frequency};INTERVAL=3`), start: at('19970902T090000'), from, to: from + 60_000, startCounts: true }, budget);
      expect([frequency, found.every((one) => one >= from && one < from + 60_000)]).toEqual([frequency, true]);
    }
    const seconds = await expandRecurrence({ rule: rule('FREQ=SECONDLY;INTERVAL=3'), start: at('19970902T090000'), from, to: from + 10_000, startCounts: true }, budget);
    expect(seconds.map((one) => ((one - at('19970902T090000')) / 1000) % 3)).toEqual(seconds.map(() => 0));
    expect(seconds.length).toBeGreaterThanOrEqual(3);
  });

  it.each(['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'SECONDLY'])('ends where an interval leads beyond all dates: %s', async (frequency) => {
    const start = at('19970902T090000');
    const asked = expandRecurrence({ rule: rule(`FREQ=${frequency};INTERVAL=999999999999999`), start, from: 0, to: at('99990101T000000'), startCounts: true }, { steps: 1_000, instances: 10 });
    await expect(asked).resolves.toEqual([start]);
  });

  it('lets others run between many short rules that share a pace', async () => {
    const pace = expansionPace();
    const turns = await turnsDuring(async () => {
      for (let index = 0; index < 2_000; index++) await expandRecurrence({ rule: rule('FREQ=DAILY;COUNT=1'), start: 0, from: 0, to: DAY_MS, startCounts: true }, { ...unlimited }, pace);
    });
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it.each([
    ['a thousand million seconds', 'FREQ=SECONDLY;COUNT=1000000000'],
    ['every second of every day', 'FREQ=YEARLY;BYSECOND=0,1,2,3,4,5,6,7,8,9,10;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10;BYHOUR=0,1,2,3,4,5,6,7,8,9,10;BYDAY=MO,TU,WE,TH,FR,SA,SU'],
    ['a day that never comes', 'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2'],
    ['the 31st of a month of 30 days, every second', 'FREQ=SECONDLY;BYMONTH=4;BYMONTHDAY=31;COUNT=2'],
  ])('is bounded: %s', async (_what, text) => {
    const to = at('99990101T000000');
    const asked = expandRecurrence({ rule: rule(text), start: at('19970902T090000'), from: 0, to, startCounts: true }, { steps: 50_000, instances: 4_000 });
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('lets others run meanwhile', async () => {
    const turns = await turnsDuring(() => expandRecurrence({ rule: rule('FREQ=DAILY;COUNT=100000'), start: 0, from: 0, to: 100_000 * DAY_MS, startCounts: true }, { ...unlimited }));
    expect(turns).toBeGreaterThanOrEqual(10);
  });
});
