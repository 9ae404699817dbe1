import { MINUTE_MS } from '../../core/clock.ts';
import { ceilTo, clip, floorTo } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { encodeMinutePairs } from './minute-pairs.ts';
import type { MinutePair } from './minute-pairs.ts';
import { decodeMonth, encodeMonth } from './months.ts';

/** One type's two multi-values: `months[i]` (decimal) belongs to `blocks[i]` (base64 in one line). Both empty where there is nothing. */
export interface EncodedMonthBlocks {
  readonly months: readonly string[];
  readonly blocks: readonly string[];
  /** Pairs in all blocks together. */
  readonly pairs: number;
}

/**
 * Writes the stretches of one type ([MS-OXOPFFB] 2.2.1.2, exchange.md §1.3): start rounded down and end up to the minute, clipped to
 * `window`, what touches or overlaps joined, cut at the ends of the UTC months (the first part ends at the month's length, the next begins at 0).
 * Only months with content, ascending; stretches without length are nothing.
 *
 * @param stretches in any order, overlapping or not
 * @param window whole minutes, within the years that `decodeMonth` knows
 */
export function encodeMonthBlocks(stretches: readonly Interval[], window: Interval): EncodedMonthBlocks {
  const byMonth = new Map<number, MinutePair[]>();
  let pairs = 0;
  for (const { start, end } of joined(wholeMinutes(stretches, window))) {
    for (let from = start; from < end; ) {
      const value = encodeMonth(from);
      const month = decodeMonth(value)!;
      const to = Math.min(end, month.start + month.minutes * MINUTE_MS);
      const list = byMonth.get(value) ?? [];
      byMonth.set(value, list);
      list.push({ start: (from - month.start) / MINUTE_MS, end: (to - month.start) / MINUTE_MS });
      pairs += 1;
      from = to;
    }
  }
  // Filled in ascending order, and a Map keeps that.
  return { months: [...byMonth.keys()].map(String), blocks: [...byMonth.values()].map(encodeMinutePairs), pairs };
}

function wholeMinutes(stretches: readonly Interval[], window: Interval): Interval[] {
  return stretches.flatMap(({ start, end }) => {
    const rounded = start < end ? { start: floorTo(start, MINUTE_MS), end: ceilTo(end, MINUTE_MS) } : undefined;
    return (rounded && clip(rounded, window)) ?? [];
  });
}

/** Rounding makes neighbours of one minute overlap: inside one type that must not be. */
function joined(stretches: Interval[]): readonly Interval[] {
  const out: { start: number; end: number }[] = [];
  for (const { start, end } of stretches.sort((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else out.push({ start, end });
  }
  return out;
}
