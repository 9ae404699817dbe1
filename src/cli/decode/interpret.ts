import { MINUTE_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { gaps } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { publishRange } from '../../protocols/schedule-plus/free-busy-from-message.ts';
import { decodeFreeBusyMessage } from '../../protocols/schedule-plus/free-busy-message.ts';
import type { FreeBusyMessage } from '../../protocols/schedule-plus/free-busy-message.ts';
import { locateMessage } from '../../protocols/schedule-plus/legacy-exchange-dn.ts';
import { decodeMonth } from '../../protocols/schedule-plus/months.ts';
import { integerOf, PAIR_PROPERTIES, PAIR_TYPES } from '../../protocols/schedule-plus/properties.ts';
import type { PairType } from '../../protocols/schedule-plus/properties.ts';
import type { FoundMessage } from './found-message.ts';

/** How one month/block pair stands in the message. `left`: a change that does not name it leaves it as it is. */
export type PairState = 'there' | 'absent' | 'taken-away' | 'left' | 'broken';

export interface InterpretedPair {
  readonly state: PairState;
  /** First instants of the months it lists, in wire order, those that exist. */
  readonly months: readonly Instant[];
  /** In wire order. */
  readonly intervals: readonly Interval[];
  readonly unreadable: readonly Interval[];
}

/** A free/busy message with everything that is worth telling a person about it. */
export interface Interpreted {
  readonly kind: FoundMessage['kind'];
  readonly message: FreeBusyMessage;
  /** What it speaks about; undefined where it does not say. */
  readonly published: Interval | undefined;
  readonly pairs: Readonly<Record<PairType, InterpretedPair>>;
  /** 16-bit ids, ascending. */
  readonly takenAway: readonly number[];
  readonly oddities: readonly string[];
}

/** Reads a found message as a reader of free/busy would, and looks for what is odd in it. Never throws. */
export function interpret({ kind, properties, removed, isPartial }: FoundMessage): Interpreted {
  const message = decodeFreeBusyMessage(properties);
  const pairs = Object.fromEntries(
    PAIR_TYPES.map((type): [PairType, InterpretedPair] => {
      const { months, blocks } = PAIR_PROPERTIES[type];
      const { stretches: intervals, unreadable, broken } = message.pairs[type];
      const isThere = properties.has(months) || properties.has(blocks);
      const isTaken = removed.has(months) && removed.has(blocks);
      const state: PairState = broken ? 'broken' : isThere ? 'there' : isTaken ? 'taken-away' : isPartial ? 'left' : 'absent';
      const listed = (properties.get(months) ?? []).flatMap((one) => decodeMonth(integerOf(one) ?? 0)?.start ?? []);
      return [type, { state, months: listed, intervals, unreadable }];
    }),
  ) as Record<PairType, InterpretedPair>;
  const published = publishRange(message);
  return {
    kind,
    message,
    published,
    pairs,
    takenAway: [...removed].sort((a, b) => a - b),
    oddities: [...message.oddities, ...windowOddities(message, published, isPartial), ...subjectOddities(message), ...pairOddities(pairs, published), ...mergedOddities(pairs, published)],
  };
}

function windowOddities({ publishStart, publishEnd }: FreeBusyMessage, published: Interval | undefined, isPartial: boolean): readonly string[] {
  if (published !== undefined) return [];
  if (publishStart !== undefined && publishEnd !== undefined) return ['the published window is empty: a reader takes everything for no data'];
  return isPartial ? [] : ['no published window: a reader takes everything for no data'];
}

function subjectOddities({ subject, legacyExchangeDn }: FreeBusyMessage): readonly string[] {
  if (subject === undefined || legacyExchangeDn === undefined) return [];
  const usual = subjectOf(legacyExchangeDn);
  if (usual === undefined) return ['the legacyExchangeDN has no /cn= part'];
  return usual.toLowerCase() === subject.toLowerCase() ? [] : ['the subject is another than that of the legacyExchangeDN'];
}

function subjectOf(legacyExchangeDn: string): string | undefined {
  try {
    return locateMessage(legacyExchangeDn).subject;
  } catch {
    // A DN that names no message: said by the caller.
    return undefined;
  }
}

function pairOddities(pairs: Readonly<Record<PairType, InterpretedPair>>, published: Interval | undefined): readonly string[] {
  return PAIR_TYPES.flatMap((type) => {
    const { intervals } = pairs[type];
    const odd: string[] = [];
    if (intervals.some((one, index) => index > 0 && one.start < intervals[index - 1]!.end)) odd.push(`${type}: intervals overlap or are out of order`);
    if (published !== undefined && intervals.some((one) => one.start < published.start || one.end > published.end)) odd.push(`${type}: time outside the published window, which readers pass over`);
    return odd;
  });
}

/** By the specification merged is busy ∪ away; a writer that puts tentative time into it, too, is Zimbra 8. */
function mergedOddities({ merged, busy, away, tentative }: Readonly<Record<PairType, InterpretedPair>>, published: Interval | undefined): readonly string[] {
  if (published === undefined || [merged, busy, away].some(({ state }) => state === 'left' || state === 'broken')) return [];
  const taken = [...busy.intervals, ...away.intervals];
  const extra = minutesOf(without(merged.intervals, taken, published));
  const missing = minutesOf(without(taken, merged.intervals, published));
  if (extra === 0 && missing === 0) return [];
  const withTentative = minutesOf(without(merged.intervals, [...taken, ...tentative.intervals], published));
  const parts = [
    ...(extra > 0 ? [`${extra} minutes more${withTentative === 0 ? ', all of them tentative' : ''}`] : []),
    ...(missing > 0 ? [`${missing} minutes less`] : []),
  ];
  return [`merged disagrees with busy ∪ away: ${parts.join(' and ')}`];
}

/** What of `these` none of `others` covers, inside `bounds`. */
function without(these: readonly Interval[], others: readonly Interval[], bounds: Interval): readonly Interval[] {
  return gaps(bounds, [...gaps(bounds, these), ...others]);
}

function minutesOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { start, end }) => sum + (end - start) / MINUTE_MS, 0);
}
