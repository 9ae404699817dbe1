import type { Instant } from '../../core/clock.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { PairType } from '../../protocols/schedule-plus/properties.ts';
import type { Interpreted, InterpretedPair } from './interpret.ts';
import { propertyInWords } from './property-words.ts';
import { monthInWords } from './utc-words.ts';

/** A message for `--json`: times ISO 8601 UTC, what is missing null. */
export function messageJson({ kind, message, published, pairs, takenAway, oddities }: Interpreted): unknown {
  return {
    kind,
    subject: message.subject ?? null,
    legacyExchangeDn: message.legacyExchangeDn ?? null,
    published: published === undefined ? null : intervalJson(published),
    writtenAt: message.rangeTimestamp === undefined ? null : iso(message.rangeTimestamp),
    pairs: { away: pairJson(pairs.away), busy: pairJson(pairs.busy), tentative: pairJson(pairs.tentative), merged: pairJson(pairs.merged) } satisfies Record<PairType, unknown>,
    takesAway: takenAway.map(propertyInWords),
    oddities,
  };
}

function pairJson({ state, months, intervals, unreadable }: InterpretedPair): unknown {
  return { state, months: months.map(monthInWords), intervals: intervals.map(intervalJson), unreadable: unreadable.map(intervalJson) };
}

export function intervalJson({ start, end }: Interval): unknown {
  return { start: iso(start), end: iso(end) };
}

export function iso(instant: Instant): string {
  return new Date(instant).toISOString();
}
