import { describe, expect, it } from 'vitest';
import { biasMinutesAt, hasDaylight, localFromUtc, utcFromLocal, UTC_ZONE, zoneWithoutDaylight } from '../../src/timezones/bias-rules.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from '../../src/timezones/serializable-time-zone.ts';
import { localByIntl, SHEET_ZONES } from './sheet-zones.ts';

const HOUR = 3_600_000;

/** Every half hour of these: each switch of 2024–2028 in these zones lies near the end or start of these months. */
function* instantsOf(years: readonly number[]): Generator<number> {
  for (const year of years) {
    for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += 11 * HOUR + 7 * 60_000) yield at;
    for (const month of [2, 3, 8, 9, 10]) {
      for (let at = Date.UTC(year, month, 1); at < Date.UTC(year, month + 1, 1); at += HOUR / 2) yield at;
    }
  }
}

/** Where the sheet itself says that the rule misses a year or a second. */
const EXACT_YEARS: Readonly<Record<string, readonly number[]>> = { 'Asia/Jerusalem': [2025, 2026, 2027] };

describe('the rules of exchange.md §6.1 against Intl', () => {
  for (const { name, zone } of SHEET_ZONES) {
    it(`${name} shows the wall clock that Intl shows, both ways`, () => {
      const wrong: string[] = [];
      for (const at of instantsOf(EXACT_YEARS[name] ?? [2024, 2025, 2026, 2027, 2028])) {
        const local = localByIntl(name, at);
        if (localFromUtc(zone, at) !== local) wrong.push(`${new Date(at).toISOString()} is ${new Date(localFromUtc(zone, at)).toISOString()}`);
        const back = utcFromLocal(zone, local);
        // In the hour that comes twice another instant has the same wall clock; any of the two shows it.
        if (localByIntl(name, back) !== local) wrong.push(`${new Date(local).toISOString()} names ${new Date(back).toISOString()}`);
      }
      expect(wrong).toEqual([]);
    });
  }
});

const BERLIN = zoneOf('Europe/Berlin');
const NEW_YORK = zoneOf('America/New_York');
const SYDNEY = zoneOf('Australia/Sydney');
const LORD_HOWE = zoneOf('Australia/Lord_Howe');

describe('hours that come twice or not at all', () => {
  it('takes the second of the two hours, the standard one, in autumn', () => {
    expect(utc(BERLIN, '2026-10-25T02:30:00Z')).toBe('2026-10-25T01:30:00.000Z');
    expect(utc(NEW_YORK, '2026-11-01T01:30:00Z')).toBe('2026-11-01T06:30:00.000Z');
    expect(utc(SYDNEY, '2026-04-05T02:30:00Z')).toBe('2026-04-04T16:30:00.000Z');
  });

  it('moves a time that does not exist on by the daylight delta in spring', () => {
    // 02:30 is 03:30 CEST.
    expect(utc(BERLIN, '2026-03-29T02:30:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(new Date(localFromUtc(BERLIN, Date.parse('2026-03-29T01:30:00Z'))).toISOString()).toBe('2026-03-29T03:30:00.000Z');
    // Lord Howe moves by half an hour only: 02:15 is 02:45.
    expect(utc(LORD_HOWE, '2026-10-04T02:15:00Z')).toBe('2026-10-03T15:45:00.000Z');
    expect(new Date(localFromUtc(LORD_HOWE, Date.parse('2026-10-03T15:45:00Z'))).toISOString()).toBe('2026-10-04T02:45:00.000Z');
  });

  it('changes at the very second of the switch', () => {
    const spring = Date.parse('2026-03-29T01:00:00Z');
    expect([biasMinutesAt(BERLIN, spring - 1), biasMinutesAt(BERLIN, spring)]).toEqual([-60, -120]);
    const autumn = Date.parse('2026-10-25T01:00:00Z');
    expect([biasMinutesAt(BERLIN, autumn - 1), biasMinutesAt(BERLIN, autumn)]).toEqual([-120, -60]);
  });

  it('keeps to the zone of the south over New Year, in summer', () => {
    expect(utc(SYDNEY, '2026-01-01T05:00:00Z')).toBe('2025-12-31T18:00:00.000Z');
    expect(utc(SYDNEY, '2026-12-31T23:30:00Z')).toBe('2026-12-31T12:30:00.000Z');
  });
});

describe('zones without daylight time', () => {
  const anySwitch: TimeZoneSwitch = { biasMinutes: 0, secondOfDay: 0, dayOrder: 1, month: 1, dayOfWeek: 'Sunday' };

  it('takes Month 0 as none, whatever the biases say', () => {
    const none: TimeZoneSwitch = { ...anySwitch, month: 0, dayOrder: 0 };
    const zone: SerializableTimeZone = { biasMinutes: -330, standard: none, daylight: { ...none, biasMinutes: -60 } };
    expect(hasDaylight(zone)).toBe(false);
    expect(utc(zone, '2026-07-01T12:00:00Z')).toBe('2026-07-01T06:30:00.000Z');
  });

  it('takes two equal switches as none', () => {
    const zone: SerializableTimeZone = { biasMinutes: 0, standard: anySwitch, daylight: { ...anySwitch, biasMinutes: -60 } };
    expect(utc(zone, '2026-07-01T12:00:00Z')).toBe('2026-07-01T12:00:00.000Z');
  });

  it('is UTC all year with UTC_ZONE, whose two switches are valid and differ', () => {
    for (let month = 0; month < 12; month++) expect(utcFromLocal(UTC_ZONE, Date.UTC(2026, month, 15))).toBe(Date.UTC(2026, month, 15));
    for (const one of [UTC_ZONE.standard, UTC_ZONE.daylight]) {
      expect(one.month).toBeGreaterThanOrEqual(1);
      expect(one.dayOrder).toBeGreaterThanOrEqual(1);
    }
    expect(UTC_ZONE.standard.month).not.toBe(UTC_ZONE.daylight.month);
  });

  it('reads a bias as minutes west of Greenwich', () => {
    expect(utc(zoneWithoutDaylight(-345), '2026-03-02T12:00:00Z')).toBe('2026-03-02T06:15:00.000Z'); // Kathmandu, +05:45
    expect(utc(zoneWithoutDaylight(210), '2026-03-02T12:00:00Z')).toBe('2026-03-02T15:30:00.000Z'); // −03:30
  });
});

describe('rules for one year', () => {
  // Day of the month in DayOrder, as the schema says where a Year stands.
  const zone: SerializableTimeZone = {
    biasMinutes: -60,
    standard: { biasMinutes: 0, secondOfDay: 10_800, dayOrder: 25, month: 10, dayOfWeek: 'Sunday', year: 2026 },
    daylight: { biasMinutes: -60, secondOfDay: 7_200, dayOrder: 29, month: 3, dayOfWeek: 'Sunday', year: 2026 },
  };

  it('takes DayOrder for a day of that month', () => {
    expect(utc(zone, '2026-07-01T12:00:00Z')).toBe('2026-07-01T10:00:00.000Z');
    expect(utc(zone, '2026-03-29T01:59:59Z')).toBe('2026-03-29T00:59:59.000Z');
    expect(utc(zone, '2026-03-29T03:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(utc(zone, '2026-10-25T03:00:00Z')).toBe('2026-10-25T02:00:00.000Z');
  });

  it('stays on standard time in other years', () => {
    for (const year of [2020, 2025, 2027, 2031]) expect(utc(zone, `${year}-07-01T12:00:00Z`)).toBe(`${year}-07-01T11:00:00.000Z`);
  });
});

function zoneOf(name: string): SerializableTimeZone {
  return SHEET_ZONES.find((one) => one.name === name)!.zone;
}

/** The instant that a wall clock time (written with a Z for want of a better way) names. */
function utc(zone: SerializableTimeZone, wall: string): string {
  return new Date(utcFromLocal(zone, Date.parse(wall))).toISOString();
}
