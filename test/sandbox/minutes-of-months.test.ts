import { describe, expect, it } from 'vitest';
import { readMonths, spansOf, unionOf } from '../../src/sandbox/minutes-of-months.ts';

const iso = (spans: readonly { readonly start: number; readonly end: number }[]): readonly string[] => spans.map((one) => `${new Date(one.start).toISOString().slice(0, 16)} ${new Date(one.end).toISOString().slice(0, 16)}`);

describe('months and minutes as the stand-ins read them', () => {
  it('reads the vectors that exchange.md §1.5 quotes from others', () => {
    expect(readMonths(['32418'], ['UAqMCg=='])[0]!.pairs).toEqual([[2640, 2700]]);
    expect(readMonths(['32129'], ['ugnYCYwKQAs='])[0]!.pairs).toEqual([[2490, 2520], [2700, 2880]]);
    expect(readMonths(['32124'], ['Dj0sPYY9pD36QRhCEkgwSNRY8lgyZFBk5mReZdiQ9pBukYyR2qz4rKytyq0='])[0]!.pairs).toEqual([
      [15630, 15660], [15750, 15780], [16890, 16920], [18450, 18480], [22740, 22770], [25650, 25680], [25830, 25950], [37080, 37110], [37230, 37260], [44250, 44280], [44460, 44490],
    ]);
  });

  it('counts minutes from the first of the month in UTC, and joins what goes on over its end', () => {
    // E8 AD 60 AE: 44520 to 44640; 00 00 78 00: 0 to 120. December 2026 and January 2027 are 32428 and 32433.
    expect(iso(spansOf(readMonths(['32428', '32433'], ['6K1grg==', 'AAB4AA=='])))).toEqual(['2026-12-31T22:00 2027-01-01T02:00']);
    expect(readMonths(['32419', '32420'], ['vDQWNQ==', ''])[1]).toEqual({ year: 2026, month: 4, pairs: [] });
  });

  it('lets a month end where it ends, in leap years too', () => {
    // 00 A3: 41728; 20 A3: 41760, the 29 days of February 2028; 80 9D: 40320, the 28 of 2026.
    expect(readMonths([String(2028 * 16 + 2)], ['AKMgow=='])[0]!.pairs).toEqual([[41728, 41760]]);
    expect(() => readMonths([String(2026 * 16 + 2)], ['AKMgow=='])).toThrow(/leaves its month of 40320 minutes/);
  });

  it('adds spans up', () => {
    expect(unionOf([{ start: 5, end: 7 }], [{ start: 1, end: 2 }, { start: 2, end: 3 }, { start: 6, end: 9 }])).toEqual([{ start: 1, end: 3 }, { start: 5, end: 9 }]);
  });

  it.each([
    [['16'], ['UAqMCg=='], 'month 0'],
    [['25617'], ['UAqMCg=='], undefined],
    [['25601'], ['UAqMCg=='], 'year 1600'],
    [['-1'], ['UAqMCg=='], 'month'],
    [[], [], 'must not be there'],
  ])('%j with %j: %s', (months, blocks, said) => {
    if (said === undefined) expect(readMonths(months, blocks)).toHaveLength(1);
    else expect(() => readMonths(months, blocks)).toThrow(said);
  });
});
