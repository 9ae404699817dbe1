import type { Instant } from '../core/clock.ts';
import type { OwnSource } from './presence-service.ts';
import type { PresenceReason, PresenceState } from './presence.ts';
import type { Timeline } from './timeline.ts';

/** What may decide somebody's state; the words of bridge.yaml. What the calendar says otherwise comes last. */
export type PrecedenceRule = 'do-not-disturb' | 'manual-since' | 'phone' | 'out-of-office' | 'meeting' | 'manual' | 'idle';

/** What another source than the calendar says. */
export interface OwnState {
  readonly state: PresenceState;
  /** When it was said. */
  readonly at: Instant;
  /** When it ends by itself; null: when something else is said. */
  readonly until: Instant | null;
}

export type OwnStates = Readonly<Partial<Record<OwnSource, OwnState>>>;

export const NO_OWN_STATES: OwnStates = {};

/** All that is known of somebody. */
export interface Known {
  readonly timeline: Timeline;
  readonly own: OwnStates;
}

export interface Composed {
  readonly state: PresenceState;
  readonly reason: PresenceReason;
}

/**
 * The state at an instant: the first rule of `precedence` that applies decides (presence.md §C.5). Whatever other sources say ends by itself, and then what they
 * covered shows again.
 */
export function composedAt({ timeline, own }: Known, at: Instant, precedence: readonly PrecedenceRule[]): Composed {
  const calendar = timeline.stateAt(at);
  if (own !== NO_OWN_STATES) {
    for (const rule of precedence) {
      const found = applied(rule, calendar, timeline, own, at);
      if (found !== undefined) return found;
    }
  }
  return { state: calendar, reason: 'calendar' };
}

/** When what is composed at `at` ends by what is known; undefined: not within the horizon. */
export function composedUntil(known: Known, at: Instant, precedence: readonly PrecedenceRule[]): Instant | undefined {
  const { state } = composedAt(known, at, precedence);
  const ends = known.own === NO_OWN_STATES ? [] : Object.values(known.own).flatMap(({ until }) => (until !== null && until > at ? [until] : []));
  for (let next = nextOf(known.timeline.changeAfter(at), ends, at); next !== undefined; next = nextOf(known.timeline.changeAfter(next), ends, next)) {
    if (composedAt(known, next, precedence).state !== state) return next;
  }
  return undefined;
}

function nextOf(change: Instant | undefined, ends: readonly Instant[], after: Instant): Instant | undefined {
  const next = Math.min(change ?? Infinity, ...ends.filter((one) => one > after));
  return next === Infinity ? undefined : next;
}

function applied(rule: PrecedenceRule, calendar: PresenceState, timeline: Timeline, own: OwnStates, at: Instant): Composed | undefined {
  const says = (source: OwnSource): OwnState | undefined => {
    const said = own[source];
    return said === undefined || at < said.at || (said.until !== null && at >= said.until) ? undefined : said;
  };
  const isTaken = calendar === 'in-a-meeting' || calendar === 'away';
  switch (rule) {
    case 'do-not-disturb': {
      const said = says('manual');
      return said?.state === 'do-not-disturb' || said?.state === 'offline' ? { state: said.state, reason: 'manual' } : undefined;
    }
    case 'manual-since': {
      const said = says('manual');
      return said !== undefined && isTaken && said.at >= timeline.since(at) ? { state: said.state, reason: 'manual' } : undefined;
    }
    case 'phone':
      return says('phone') === undefined ? undefined : { state: 'on-the-phone', reason: 'phone' };
    case 'out-of-office':
      return calendar === 'away' ? { state: 'away', reason: 'calendar' } : undefined;
    case 'meeting':
      return calendar === 'in-a-meeting' ? { state: 'in-a-meeting', reason: 'calendar' } : undefined;
    case 'manual': {
      const said = says('manual');
      return said === undefined ? undefined : { state: said.state, reason: 'manual' };
    }
    case 'idle':
      // Who is known to be in a meeting may well leave the keyboard alone.
      return says('idle') === undefined || isTaken ? undefined : { state: 'away', reason: 'idle' };
  }
}
