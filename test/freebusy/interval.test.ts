import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignOutward, clip, gaps, overlaps, splitWindow } from '../../src/freebusy/interval.ts';
import { at, MINUTE, span } from './oracle.ts';

const DAY = 24 * 60;

describe('intervals are half-open', () => {
  it('touching ones share nothing', () => {
    expect(overlaps(span(0, 10), span(10, 20))).toBe(false);
    expect(overlaps(span(0, 10), span(9, 20))).toBe(true);
    expect(clip(span(0, 10), span(10, 20))).toBeUndefined();
    expect(clip(span(0, 15), span(10, 20))).toEqual(span(10, 15));
    expect(clip(span(0, 30), span(10, 20))).toEqual(span(10, 20));
    expect(clip(span(12, 11), span(10, 20))).toBeUndefined();
  });

  it('align outward, before 1970 too', () => {
    expect(alignOutward(span(1, 29), 30 * MINUTE)).toEqual(span(0, 30));
    expect(alignOutward(span(0, 30), 30 * MINUTE)).toEqual(span(0, 30));
    expect(alignOutward({ start: -1, end: 1 }, MINUTE)).toEqual({ start: -MINUTE, end: MINUTE });
  });
});

describe('a window in pieces', () => {
  it.each([
    [1, 35, 1],
    [35 * DAY, 35, 1],
    [35 * DAY + 1, 35, 2],
    [70 * DAY, 35, 2],
    [366 * DAY, 35, 11],
  ])('%i minutes at %i days make %i', (length, days, count) => {
    const pieces = splitWindow(span(0, length), days);
    expect(pieces).toHaveLength(count);
    expect(pieces[0]!.start).toBe(at(0));
    expect(pieces.at(-1)!.end).toBe(at(length));
    for (const [index, piece] of pieces.entries()) {
      expect(piece.end - piece.start).toBeLessThanOrEqual(days * DAY * MINUTE);
      if (index > 0) expect(piece.start).toBe(pieces[index - 1]!.end);
    }
  });
});

describe('gaps', () => {
  it('are exactly the minutes nobody covers', () => {
    const anySpan = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })).map(([from, to]) => span(from, to));
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 6 }), (known) => {
        const found = gaps(span(10, 50), known);
        for (let minute = 0; minute < 60; minute++) {
          const holds = (one: { start: number; end: number }): boolean => one.start <= at(minute) && at(minute) < one.end;
          expect(found.some(holds)).toBe(minute >= 10 && minute < 50 && !known.some(holds));
        }
        for (const [index, gap] of found.entries()) if (index > 0) expect(gap.start).toBeGreaterThan(found[index - 1]!.end);
      }),
    );
  });
});
