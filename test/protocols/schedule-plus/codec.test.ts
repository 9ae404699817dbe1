import { describe, expect, it } from 'vitest';
import { decodeMinutePairs, encodeMinutePairs } from '../../../src/protocols/schedule-plus/minute-pairs.ts';
import { decodeMonth, encodeMonth } from '../../../src/protocols/schedule-plus/months.ts';
import { integerOf } from '../../../src/protocols/schedule-plus/properties.ts';
import { decodePublishMinutes, encodePublishMinutes } from '../../../src/protocols/schedule-plus/publish-range.ts';

const pairs = (...list: readonly (readonly [number, number])[]) => list.map(([start, end]) => ({ start, end }));

describe('minute pairs', () => {
  // exchange.md §1.5; the last three: [MS-OXOPFFB]'s example and the published unit tests of calendar-connectors.
  const vectors = [
    ['vDQWNeitYK4=', pairs([13500, 13590], [44520, 44640])],
    ['AAB4AA==', pairs([0, 120])],
    ['u2LoYg==', pairs([25275, 25320])],
    ['IBxAOA==', pairs([7200, 14400])],
    ['AAB4ACAcQDg=', pairs([0, 120], [7200, 14400])],
    ['UAqMCg==', pairs([2640, 2700])],
    ['ugnYCYwKQAs=', pairs([2490, 2520], [2700, 2880])],
    [
      'Dj0sPYY9pD36QRhCEkgwSNRY8lgyZFBk5mReZdiQ9pBukYyR2qz4rKytyq0=',
      pairs(
        [15630, 15660],
        [15750, 15780],
        [16890, 16920],
        [18450, 18480],
        [22740, 22770],
        [25650, 25680],
        [25830, 25950],
        [37080, 37110],
        [37230, 37260],
        [44250, 44280],
        [44460, 44490],
      ),
    ],
  ] as const;

  it.each(vectors)('the published vector %s reads as its minutes', (text, expected) => {
    expect(decodeMinutePairs(text)).toEqual({ pairs: expected, leftOver: 0, wrapped: 0 });
  });

  it.each(vectors)('the minutes of the published vector %s are written as it', (text, minutes) => {
    expect(encodeMinutePairs(minutes)).toBe(text);
  });

  it('line breaks and blanks inside base64 are skipped', () => {
    expect(decodeMinutePairs('\r\n  vDQW\n Neit YK4= ')?.pairs).toEqual(pairs([13500, 13590], [44520, 44640]));
  });

  it('an end that lost its seventeenth bit is repaired', () => {
    // zimbra-measured.md §4.3: 2026-03-20 to 04-24 becomes 27360-12224, E0 6A C0 2F.
    expect(decodeMinutePairs('4GrALw==')).toEqual({ pairs: pairs([27360, 12224 + 65536]), leftOver: 0, wrapped: 1 });
  });

  it('pairs without length are nothing', () => {
    // 2100-2100, zimbra-measured.md §4.7.
    expect(decodeMinutePairs('NAg0CA==')?.pairs).toEqual([]);
  });

  it('bytes behind the last whole pair are counted, not guessed', () => {
    expect(decodeMinutePairs('UAqMClA=')).toEqual({ pairs: pairs([2640, 2700]), leftOver: 1, wrapped: 0 });
    expect(decodeMinutePairs('UAo=')).toEqual({ pairs: [], leftOver: 2, wrapped: 0 });
  });

  it('empty text is an empty block', () => {
    expect(decodeMinutePairs('')).toEqual({ pairs: [], leftOver: 0, wrapped: 0 });
  });

  it.each(['%%%', 'U', 'UAq*MCg==', 'UAqMCg==UAqMCg==', '<b>', 'UAqMCg===', 'ÄÄÄÄ'])('%s is no base64', (text) => {
    expect(decodeMinutePairs(text)).toBeUndefined();
  });

  it('missing padding does not matter', () => {
    for (const text of ['UAqMCg', 'UAqMCg=']) expect(decodeMinutePairs(text)?.pairs).toEqual(pairs([2640, 2700]));
  });
});

describe('months', () => {
  it('the values of the specification name their months', () => {
    expect(decodeMonth(32419)).toEqual({ start: Date.UTC(2026, 2, 1), minutes: 44640 });
    expect(decodeMonth(32428)).toEqual({ start: Date.UTC(2026, 11, 1), minutes: 44640 });
    expect(decodeMonth(32433)).toEqual({ start: Date.UTC(2027, 0, 1), minutes: 44640 });
    expect(decodeMonth(32130)).toEqual({ start: Date.UTC(2008, 1, 1), minutes: 41760 });
    expect(decodeMonth(32434)?.minutes).toBe(40320);
  });

  it.each([32429, 32430, 32431, 32432, 0, 5, 15, 0xffffffff])('%i is no month', (value) => {
    expect(decodeMonth(value)).toBeUndefined();
  });

  it('an instant is written as the value of its month', () => {
    expect(encodeMonth(Date.UTC(2026, 2, 31, 23, 59))).toBe(32419);
    expect(encodeMonth(Date.UTC(2027, 0, 1))).toBe(32433);
  });
});

describe('publish range and numbers', () => {
  it('minutes since 1601 are read as the specification and the captures have them', () => {
    expect(decodePublishMinutes(223613280)).toBe(Date.UTC(2026, 2, 1));
    expect(decodePublishMinutes(214016160)).toBe(Date.UTC(2007, 11, 1, 8));
    expect(encodePublishMinutes(Date.UTC(2026, 5, 1))).toBe(223745760);
  });

  it('numbers are read in decimal and in hexadecimal', () => {
    expect(integerOf('0x0d541160')).toBe(223613280);
    expect(integerOf(' 223613280\n')).toBe(223613280);
    for (const text of ['', '-1', '1.5', '0x', 'abc', '99999999999', '9999999999', undefined]) expect(integerOf(text)).toBeUndefined();
  });
});
