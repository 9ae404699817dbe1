import { MINUTE_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { decodeMinutePairs } from './minute-pairs.ts';
import { decodeMonth } from './months.ts';
import { PAIR_PROPERTIES, PAIR_TYPES, PROPERTY, integerOf } from './properties.ts';
import type { PairType, RawProperties } from './properties.ts';
import { decodePublishMinutes } from './publish-range.ts';

/** What one month/block pair says. */
export interface MonthBlocks {
  /** Its stretches in wire order, as instants; neither sorted nor clipped. */
  readonly stretches: readonly Interval[];
  /** Months, or parts of them, of which this pair says something that cannot be read. */
  readonly unreadable: readonly Interval[];
  /** The pair as a whole cannot be read: it could speak about any time. */
  readonly broken: boolean;
}

/** A SCHEDULE+ FREE BUSY message. What is missing on the wire is undefined; nothing here is clipped. */
export interface FreeBusyMessage {
  readonly subject: string | undefined;
  readonly legacyExchangeDn: string | undefined;
  readonly publishStart: Instant | undefined;
  readonly publishEnd: Instant | undefined;
  /** When it was published; Zimbra never writes it. */
  readonly rangeTimestamp: Instant | undefined;
  /** A pair that is missing has no stretches: that is how a writer says "nothing of this type". */
  readonly pairs: Readonly<Record<PairType, MonthBlocks>>;
  /** What was unusual, one line each, for the log: free of names and times. */
  readonly oddities: readonly string[];
}

/**
 * Reads a free/busy message as Exchange, Zimbra 8 and others write it (exchange.md §1.3, zimbra-measured.md §4): a missing pair, empty blocks,
 * months that do not exist or stand in any order, ends behind the month, ends that lost their seventeenth bit, pairs without
 * length, hexadecimal numbers. Never throws; what cannot be read is marked so, and is never silently free.
 */
export function decodeFreeBusyMessage(raw: RawProperties): FreeBusyMessage {
  const oddities = new Set<string>();
  const pairs = Object.fromEntries(PAIR_TYPES.map((type) => [type, decodePair(type, raw, oddities)])) as Record<PairType, MonthBlocks>;
  return {
    subject: textOf(raw, PROPERTY.normalizedSubject) ?? textOf(raw, PROPERTY.subject),
    legacyExchangeDn: textOf(raw, PROPERTY.legacyExchangeDn),
    publishStart: publishInstant(raw, PROPERTY.publishStart, oddities),
    publishEnd: publishInstant(raw, PROPERTY.publishEnd, oddities),
    rangeTimestamp: timestamp(raw, oddities),
    pairs,
    oddities: [...oddities],
  };
}

function decodePair(type: PairType, raw: RawProperties, oddities: Set<string>): MonthBlocks {
  const months = raw.get(PAIR_PROPERTIES[type].months) ?? [];
  const blocks = raw.get(PAIR_PROPERTIES[type].blocks) ?? [];
  if (months.length !== blocks.length) {
    oddities.add(`${type}: ${months.length} months but ${blocks.length} blocks`);
    return BROKEN;
  }
  const stretches: Interval[] = [];
  const unreadable: Interval[] = [];
  for (const [index, text] of months.entries()) {
    const value = integerOf(text);
    if (value === undefined) {
      oddities.add(`${type}: a month is no number`);
      return BROKEN;
    }
    const month = decodeMonth(value);
    if (month === undefined) {
      oddities.add(`${type}: a month that does not exist`);
      continue;
    }
    const end = month.start + month.minutes * MINUTE_MS;
    const block = decodeMinutePairs(blocks[index]!);
    if (block === undefined) {
      oddities.add(`${type}: a block is no base64`);
      unreadable.push({ start: month.start, end });
      continue;
    }
    if (stretches.length + block.pairs.length > LIMITS.eventsPerMailbox) {
      oddities.add(`${type}: more than ${LIMITS.eventsPerMailbox} stretches`);
      return BROKEN;
    }
    if (block.wrapped > 0) oddities.add(`${type}: an end beyond 16 bits`);
    let readTo = month.start;
    for (const pair of block.pairs) {
      if (pair.start >= month.minutes) {
        oddities.add(`${type}: a start behind its month`);
        unreadable.push({ start: month.start, end });
        continue;
      }
      if (pair.end > month.minutes) oddities.add(`${type}: an end behind its month`);
      const stretch = { start: month.start + pair.start * MINUTE_MS, end: month.start + pair.end * MINUTE_MS };
      readTo = Math.max(readTo, stretch.end);
      stretches.push(stretch);
    }
    if (block.leftOver > 0) {
      oddities.add(`${type}: a block's length is no multiple of four`);
      // Pairs ascend, so what was cut off lies behind the last one.
      if (readTo < end) unreadable.push({ start: readTo, end });
    }
  }
  return { stretches, unreadable, broken: false };
}

const BROKEN: MonthBlocks = { stretches: [], unreadable: [], broken: true };

function textOf(raw: RawProperties, id: number): string | undefined {
  const text = raw.get(id)?.[0]?.trim();
  return text === undefined || text === '' ? undefined : text;
}

function publishInstant(raw: RawProperties, id: number, oddities: Set<string>): Instant | undefined {
  const text = raw.get(id)?.[0];
  const minutes = integerOf(text);
  if (minutes === undefined && text !== undefined) oddities.add('the publish range is no number');
  return minutes === undefined ? undefined : decodePublishMinutes(minutes);
}

function timestamp(raw: RawProperties, oddities: Set<string>): Instant | undefined {
  const text = textOf(raw, PROPERTY.rangeTimestamp);
  if (text === undefined) return undefined;
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(instant)) return instant;
  oddities.add('the range timestamp is unreadable');
  return undefined;
}
