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
  const months: string[] = [];
  const blocks: MinutePair[][] = [];
  let pairs = 0;
  // The month that is being filled, as instants; they are taken in ascending order.
  let month = { start: 0, end: Number.NEGATIVE_INFINITY };
  for (const { start, end } of joined(wholeMinutes(stretches, window))) {
    for (let from = start; from < end; pairs++) {
      if (from >= month.end) {
        const value = encodeMonth(from);
        const { start: first, minutes } = decodeMonth(value)!;
        month = { start: first, end: first + minutes * MINUTE_MS };
        months.push(String(value));
        blocks.push([]);
      }
      const to = Math.min(end, month.end);
      blocks.at(-1)!.push({ start: (from - month.start) / MINUTE_MS, end: (to - month.start) / MINUTE_MS });
      from = to;
    }
  }
  return { months, blocks: blocks.map(encodeMinutePairs), pairs };
}

function wholeMinutes(stretches: readonly Interval[], window: Interval): Interval[] {
  const out: Interval[] = [];
  for (const { start, end } of stretches) {
    const inside = start < end ? clip({ start: floorTo(start, MINUTE_MS), end: ceilTo(end, MINUTE_MS) }, window) : undefined;
    if (inside !== undefined) out.push(inside);
  }
  return out;
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
