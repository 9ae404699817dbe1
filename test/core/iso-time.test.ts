import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIsoTime } from '../../src/core/iso-time.ts';

describe('ISO 8601 as people and programs write it', () => {
  // Expected values worked out by `date -u -d … +%s`.
  it.each([
    ['2026-03-02T09:00:00Z', 1_772_442_000_000],
    ['2026-03-02T09:00:00z', 1_772_442_000_000],
    ['2026-03-02t09:00:00Z', 1_772_442_000_000],
    ['2026-03-02T09:00Z', 1_772_442_000_000],
    ['2026-03-02T09:00:00', 1_772_442_000_000],
    ['2026-03-02T10:00:00+01:00', 1_772_442_000_000],
    ['2026-03-02T10:00:00+0100', 1_772_442_000_000],
    ['2026-03-02T04:00:00-05:00', 1_772_442_000_000],
    ['2026-03-02T14:45:00+05:45', 1_772_442_000_000],
    ['2026-03-02T09:00:00.000Z', 1_772_442_000_000],
    ['2026-03-02T09:00:00.1234567Z', 1_772_442_000_123],
    ['2026-03-02', 1_772_409_600_000],
    ['2026-03-02T24:00:00Z', 1_772_496_000_000],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000],
  ])('%s', (text, instant) => {
    expect(parseIsoTime(text)).toBe(instant);
  });

  it.each([
    '', 'now', ' 2026-03-02T09:00:00Z', '2026-03-02T09:00:00Z ', '2026-03-02 09:00:00Z', '2026-03-02 09:00:00Z', ' 2026-03-02T09:00:00Z', '2026-03-02T09:00:00Z ', '1772442000000', '2026', '2026-03', '2026-3-2', '2026-02-30', '2025-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32',
    '2026-03-02T25:00:00Z', '2026-03-02T24:00:01Z', '2026-03-02T24:30:00Z', '2026-03-02T09:60:00Z', '2026-03-02T09:00:60Z', '2026-03-02T9:00:00Z',
    '2026-03-02T09:00:00+25:00', '2026-03-02T09:00:00+01:60', '2026-03-02T09:00:00 01:00', '2026-03-02T09:00:00+1', '2026-03-02Z', '2026-03-02T09Z',
    '0000-01-01', '0999-12-31', '-2026-03-02', '+012026-03-02', '20260302T090000Z', '2026-03-02T09:00:00Zjunk', '2026-03-02T09:00:00Z\n2026-03-02', '２０２６-03-02',
    '2026-03-02T09:00:00.Z', '2026-03-02T09:00:00.1234567890Z', 'T09:00:00Z', '2026-W10-1', '2026-061',
  ])('%j is no time', (text) => {
    expect(parseIsoTime(text)).toBeUndefined();
  });

  it.each(['2026-03-02', '2026-03-02T09:00:00'])('%j lacks a zone where one must be', (text) => {
    expect(parseIsoTime(text, 'zoned')).toBeUndefined();
  });

  it('is no time of day where one must be', () => {
    expect(parseIsoTime('2026-03-02', 'date-time')).toBeUndefined();
    expect(parseIsoTime('2026-03-02T09:00:00', 'date-time')).toBe(1_772_442_000_000);
  });

  it('may have to have a time of day, or a zone too', () => {
    const accepted = (least: 'date' | 'date-time' | 'zoned'): readonly boolean[] => ['2026-03-02', '2026-03-02T09:00', '2026-03-02T09:00Z'].map((text) => parseIsoTime(text, least) !== undefined);
    expect([accepted('date'), accepted('date-time'), accepted('zoned')]).toEqual([[true, true, true], [false, true, true], [false, false, true]]);
  });

  it('reads what Date writes, to the millisecond', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }), (date) => {
        expect(parseIsoTime(date.toISOString())).toBe(date.getTime());
      }),
    );
  });
});
