import ICAL from 'ical.js';
import { describe, expect, it } from 'vitest';
import { durationMs, encodeUtcDateTime, utcDateTime, utcPeriod } from '../../../src/protocols/icalendar/date-time.ts';

describe('utcDateTime', () => {
  it('reads the UTC example of RFC 5545 §3.3.5', () => {
    expect(utcDateTime('19980119T070000Z')).toBe(Date.parse('1998-01-19T07:00:00Z'));
  });

  it('agrees with ical.js on well-formed times', () => {
    for (const text of ['20260301T000000Z', '20240229T235959Z', '19700101T000000Z', '20261231T120000Z']) {
      const judge = ICAL.Time.fromDateTimeString(text.replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z'));
      expect(utcDateTime(text)).toBe(judge.toUnixTime() * 1000);
    }
  });

  it('reads the leap second of RFC 5545 §3.3.12 as the next minute', () => {
    expect(utcDateTime('19970630T235960Z')).toBe(Date.parse('1997-07-01T00:00:00Z'));
  });

  it.each([
    '20261131T090000Z', '20260229T090000Z', '20261301T090000Z', '20260001T090000Z', '20261118T240000Z', '20261118T096000Z', '20261118T090061Z',
    '20261118T090000', '20261118', '20261118T0900Z', '20261118T090000ZZ', ' 20261118T090000Z', '2026-11-18T09:00:00Z', '20261118T090000+0100', '00001118T090000Z', '',
  ])('refuses %j', (text) => {
    expect(utcDateTime(text)).toBeUndefined();
  });

  it('is written as the URL templates want it', () => {
    expect(encodeUtcDateTime(Date.parse('2026-11-21T00:00:00.000Z'))).toBe('20261121T000000Z');
  });
});

describe('durationMs', () => {
  it.each([
    ['P15DT5H0M20S', ((15 * 24 + 5) * 3600 + 20) * 1000],
    ['P7W', 7 * 7 * 86_400_000],
    ['PT8H30M', 30_600_000],
    ['PT1H', 3_600_000],
    ['P1D', 86_400_000],
    ['+PT0S', 0],
  ])('reads %s of RFC 5545 as %i ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['-PT1H', 'P', 'PT', 'P1', 'PT1', '1H', 'P1DT', 'P1H', 'PT1D', 'P1Y', 'PT1.5H', 'PT1H30', 'P1W2D', 'PT99999999999999H'])('refuses %j', (text) => {
    expect(durationMs(text)).toBeUndefined();
  });
});

describe('utcPeriod', () => {
  it('reads both examples of RFC 5545 §3.3.9', () => {
    const start = Date.parse('1997-01-01T18:00:00Z');
    expect(utcPeriod('19970101T180000Z/19970102T070000Z')).toEqual({ start, end: Date.parse('1997-01-02T07:00:00Z') });
    expect(utcPeriod('19970101T180000Z/PT5H30M')).toEqual({ start, end: Date.parse('1997-01-01T23:30:00Z') });
  });

  it.each(['', '/', '19970101T180000Z', '19970101T180000Z/', '19970101T180000Z/19970101T170000Z', 'PT1H/19970101T180000Z', '19970101T180000Z/PT1H/PT1H', '19970101T180000Z/-PT1H'])(
    'refuses %j',
    (text) => {
      expect(utcPeriod(text)).toBeUndefined();
    },
  );
});
