import { MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';

/** One month of one type as a reader of the message sees it. */
export interface MonthOfMinutes {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** Pairs of minutes since the 1st, 00:00 UTC; the end is not in it. */
  readonly pairs: readonly (readonly [number, number])[];
}

/** From start up to end, epoch ms. */
export interface Span {
  readonly start: Instant;
  readonly end: Instant;
}

/** A pair of properties that says something which it may not say (exchange.md §1.3). */
export class MonthsMistake extends Error {
  override readonly name = 'MonthsMistake';
  readonly property: 'months' | 'blocks';
  constructor(property: 'months' | 'blocks', reason: string) {
    super(reason);
    this.property = property;
  }
}

/**
 * Reads a months property and its blocks, as strictly as exchange.md §1.3 can be read: what a tolerant reader would repair is a
 * mistake here. An empty block is a month with nothing in it, as Exchange itself writes it, but not all of them may be empty.
 *
 * @param months decimal integers
 * @param blocks base64
 * @throws MonthsMistake
 */
export function readMonths(months: readonly string[], blocks: readonly string[]): readonly MonthOfMinutes[] {
  if (months.length !== blocks.length) throw new MonthsMistake('blocks', `${months.length} months and ${blocks.length} blocks`);
  const read = months.map((text, index) => {
    const value = Number(text);
    const [year, month] = [Math.floor(value / 16), value % 16];
    if (month < 1 || month > 12) throw new MonthsMistake('months', `${value} has month ${month}`);
    // FILETIME begins there.
    if (year < 1601 || year > 9999) throw new MonthsMistake('months', `${value} is in the year ${year}`);
    if (index > 0 && value <= Number(months[index - 1])) throw new MonthsMistake('months', 'months do not ascend');
    return { year, month, pairs: readPairs(blocks[index]!, lengthOfMonth(year, month)) };
  });
  if (read.every((one) => one.pairs.length === 0)) throw new MonthsMistake('blocks', 'a type with nothing in it must not be there');
  return read;
}

function readPairs(block: string, length: number): readonly (readonly [number, number])[] {
  const bytes = Buffer.from(block, 'base64');
  if (bytes.length % 4 !== 0) throw new MonthsMistake('blocks', `${bytes.length} bytes are no pairs`);
  const pairs: (readonly [number, number])[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const [start, end] = [bytes[at]! + 256 * bytes[at + 1]!, bytes[at + 2]! + 256 * bytes[at + 3]!];
    const before = pairs.at(-1)?.[1];
    if (end <= start) throw new MonthsMistake('blocks', `${start} to ${end} does not end after it starts`);
    if (end > length) throw new MonthsMistake('blocks', `${start} to ${end} leaves its month of ${length} minutes`);
    if (before !== undefined && start < before) throw new MonthsMistake('blocks', `${start} to ${end} overlaps what is before it`);
    if (before === start) throw new MonthsMistake('blocks', `${start} to ${end} should be one with what is before it`);
    pairs.push([start, end]);
  }
  return pairs;
}

/** In minutes. */
function lengthOfMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate() * 1_440;
}

/** The months' pairs as instants; what goes on over the end of a month is one. */
export function spansOf(months: readonly MonthOfMinutes[]): readonly Span[] {
  const spans: Span[] = [];
  for (const { year, month, pairs } of months) {
    const first = Date.UTC(year, month - 1, 1);
    for (const [from, to] of pairs) {
      const span = { start: first + from * MINUTE_MS, end: first + to * MINUTE_MS };
      const last = spans.at(-1);
      if (last?.end === span.start) spans[spans.length - 1] = { start: last.start, end: span.end };
      else spans.push(span);
    }
  }
  return spans;
}

/** All spans together, sorted, those that touch or overlap as one. */
export function unionOf(...lists: readonly (readonly Span[])[]): readonly Span[] {
  const union: Span[] = [];
  for (const span of lists.flat().sort((one, other) => one.start - other.start)) {
    const last = union.at(-1);
    if (last !== undefined && span.start <= last.end) union[union.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else union.push(span);
  }
  return union;
}
