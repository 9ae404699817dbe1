import { describe, expect, it } from 'vitest';
import { epochMilliseconds, parseTimeSpec } from '../../../src/protocols/ifb/time-spec.ts';

const NOW = Date.parse('2026-11-18T12:34:56Z');
const iso = (instant: number | undefined): string | undefined => (instant === undefined ? undefined : new Date(instant).toISOString().replace('.000Z', 'Z'));

describe('parseTimeSpec', () => {
  it.each([
    // zimbra.md §3.1, in the order in which Zimbra tries them.
    ['1794988800000', '2026-11-18T08:00:00Z'],
    ['5', '1970-01-01T00:00:00.005Z'],
    ['2026', '1970-01-01T00:00:02.026Z'],
    ['2026/11/18', '2026-11-18T00:00:00Z'],
    ['2026-11-18', '2026-11-18T00:00:00Z'],
    ['2026/1/2', '2026-01-02T00:00:00Z'],
    ['11/18/2026', '2026-11-18T00:00:00Z'],
    ['1-2-2026', '2026-01-02T00:00:00Z'],
    ['-1d', '2026-11-17T12:34:56Z'],
    ['m1d', '2026-11-17T12:34:56Z'],
    ['p2week', '2026-12-02T12:34:56Z'],
    ['+2weeks', '2026-12-02T12:34:56Z'],
    ['+60mi', '2026-11-18T13:34:56Z'],
    ['p60minutes', '2026-11-18T13:34:56Z'],
    ['-3', '2026-11-15T12:34:56Z'],
    ['p3', '2026-11-21T12:34:56Z'],
    ['5h', '2026-11-18T17:34:56Z'],
    ['1year', '2027-11-18T12:34:56Z'],
    ['+6mon', '2027-05-18T12:34:56Z'],
    ['-9m', '2026-02-18T12:34:56Z'],
    // Ours.
    ['2026-11-18T09:00:00Z', '2026-11-18T09:00:00Z'],
    ['2026-11-18T09:00:00+01:00', '2026-11-18T08:00:00Z'],
    ['20261118T090000Z', '2026-11-18T09:00:00Z'],
  ])('reads %s as %s', (text, expected) => {
    expect(iso(parseTimeSpec(text, NOW))).toBe(expected);
  });

  it('moves by months as a calendar does: the day stays, or is the last', () => {
    const from = (day: string, spec: string): string | undefined => iso(parseTimeSpec(spec, Date.parse(`${day}T23:00:00Z`)));
    expect([from('2026-01-31', 'p1m'), from('2024-01-31', 'p1m'), from('2024-02-29', '-1y'), from('2026-03-31', '-1m'), from('2026-12-31', 'p2m')]).toEqual([
      '2026-02-28T23:00:00Z', '2024-02-29T23:00:00Z', '2023-02-28T23:00:00Z', '2026-02-28T23:00:00Z', '2027-02-28T23:00:00Z',
    ]);
  });

  it.each([
    '', ' ', 'now', 'yesterday', '2026/02/30', '2026/13/01', '13/13/2026', '00/00/2026', '0000/01/01', '2026-11-18T25:00:00Z', '1e12', '0x10', '1.5', '--1d', '+-1d', '1x', '-1D', '99999999999999999999', '999999999999999', '999999y', '-999999y',
    '-9999999d', '253402300800000', '١٢٣', '1794988800000\u0000', '1794988800000 ', '-1d\r\nX: y', 'NaN', 'Infinity',
  ])('does not read %j', (text) => {
    expect(parseTimeSpec(text, NOW)).toBeUndefined();
  });
});

describe('epochMilliseconds', () => {
  it('reads plain numbers only', () => {
    expect([epochMilliseconds('1794988800000'), epochMilliseconds('-1')]).toEqual([1794988800000, -1]);
    for (const text of ['', '1.0', '1e3', '+1', '2026/11/18', '-1d', '9999999999999999', '999999999999999', '-999999999999999']) expect(epochMilliseconds(text), text).toBeUndefined();
  });
});
