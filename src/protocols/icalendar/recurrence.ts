import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { Pace } from '../../core/pace.ts';
import { daysOfPeriod, dayMatches, startOfWeek } from './recurrence-days.ts';

export type Frequency = 'SECONDLY' | 'MINUTELY' | 'HOURLY' | 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';

/**
 * A recurrence rule (RFC 5545 §3.3.10). Lists are empty where the part is missing; negative numbers count from the end. Times are wall
 * clock milliseconds as `Date.UTC` gives them for what the clock shows: the zone is the caller's.
 */
export interface RecurrenceRule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count?: number;
  /** Wall clock, included. */
  readonly until?: number;
  readonly bySecond: readonly number[];
  readonly byMinute: readonly number[];
  readonly byHour: readonly number[];
  /** `day` 0 is Sunday; `ordinal` 2 the second, −1 the last of month or year. */
  readonly byDay: readonly { readonly day: number; readonly ordinal?: number }[];
  readonly byMonthDay: readonly number[];
  readonly byYearDay: readonly number[];
  readonly byWeekNumber: readonly number[];
  /** 1 to 12. */
  readonly byMonth: readonly number[];
  readonly bySetPosition: readonly number[];
  /** 0 is Sunday, 1 (Monday) the default of RFC 5545. */
  readonly weekStart: number;
}

/** What may still be spent on expanding, shared by all rules of one request. */
export interface ExpansionBudget {
  /** Days and times of day that are looked at. */
  steps: number;
  /** Instances that are given back. */
  instances: number;
}

/** A step of a rule with long lists takes 2 µs. */
const STEPS_PER_TURN = 4_000;
/** What a rule costs beside its steps. */
const STEPS_OF_A_RULE = 20;

/** How an expansion lets others run; many rules of one request share it, or a thousand short ones would go by without a turn. */
export function expansionPace(): Pace {
  return new Pace(STEPS_PER_TURN);
}

/** One rule and the stretch of time in which its instances are wanted; wall clock. */
export interface Expansion {
  readonly rule: RecurrenceRule;
  /** Of the series. */
  readonly start: number;
  readonly from: number;
  /** Not included. */
  readonly to: number;
  /** The start is the first instance whatever the rule says, and it counts (§3.8.5.3); not so where the rule says what does *not* happen. */
  readonly startCounts: boolean;
}

/**
 * Expands a rule: the starts of its instances, in order.
 *
 * ical.js is not asked: its iterator steps from the beginning of the series (stack.md: seconds), and a rule without any instance (the
 * 30th of February) never comes back from one call. Here every step is counted, and others run meanwhile.
 *
 * @throws BridgeError INVALID_REQUEST where the budget is spent before the rule is through
 */
export async function expandRecurrence({ rule, start, from, to, startCounts }: Expansion, budget: ExpansionBudget, pace: Pace = expansionPace()): Promise<readonly number[]> {
  const found: number[] = [];
  const end = Math.min(to, rule.until === undefined ? Number.POSITIVE_INFINITY : rule.until + 1);
  let left = rule.count ?? Number.POSITIVE_INFINITY;
  const take = (at: number): boolean => {
    if (at >= end || left <= 0) return false;
    left -= 1;
    if (at < from) return true;
    budget.instances -= 1;
    if (budget.instances < 0) throw tooLong();
    found.push(at);
    return true;
  };
  if (pace.spend(STEPS_OF_A_RULE)) await pace.turn();
  if (startCounts && !take(start)) return found;
  const spend = (steps: number): void => {
    budget.steps -= steps;
    if (budget.steps < 0) throw tooLong();
  };
  // What is counted must be gone through from the beginning.
  const first = rule.count === undefined ? skippedPeriods(rule, start, from) : 0;
  for (let index = first; ; index += 1) {
    const period = periodStart(rule, start, index);
    // No number where the years are more than a date can hold.
    if (!(period < end) || left <= 0) return found;
    const before = budget.steps;
    for (const at of timesOf(rule, start, period, spend)) {
      if ((startCounts ? at > start : at >= start) && !take(at)) return found;
    }
    if (pace.spend(before - budget.steps)) await pace.turn();
  }
}

function tooLong(): BridgeError {
  return new BridgeError('INVALID_REQUEST', 'the recurrence goes on for too long');
}

const UNIT_MS: Readonly<Record<Exclude<Frequency, 'MONTHLY' | 'YEARLY'>, number>> = {
  SECONDLY: SECOND_MS,
  MINUTELY: MINUTE_MS,
  HOURLY: HOUR_MS,
  DAILY: DAY_MS,
  WEEKLY: 7 * DAY_MS,
};

/** Where the period with that number begins; number 0 holds `start`. */
function periodStart({ frequency, interval, weekStart }: RecurrenceRule, start: number, index: number): number {
  const date = new Date(start);
  if (frequency === 'YEARLY') return Date.UTC(date.getUTCFullYear() + index * interval, 0, 1);
  if (frequency === 'MONTHLY') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + index * interval, 1);
  const unit = UNIT_MS[frequency];
  return (frequency === 'WEEKLY' ? startOfWeek(start, weekStart) : Math.floor(start / unit) * unit) + index * interval * unit;
}

/** Periods that end before `from`; one less, so that nothing at the edge is lost. */
function skippedPeriods({ frequency, interval }: RecurrenceRule, start: number, from: number): number {
  const unit = frequency === 'YEARLY' ? 366 * DAY_MS : frequency === 'MONTHLY' ? 31 * DAY_MS : UNIT_MS[frequency];
  return Math.max(0, Math.floor((from - start) / (unit * interval)) - 1);
}

/** The instances inside one period, in order, BYSETPOS applied. */
function timesOf(rule: RecurrenceRule, start: number, period: number, spend: (steps: number) => void): readonly number[] {
  const { frequency, bySetPosition } = rule;
  const isTimed = frequency === 'HOURLY' || frequency === 'MINUTELY' || frequency === 'SECONDLY';
  spend(1);
  const hours = isTimed ? [hourOf(period)] : sorted(rule.byHour, hourOf(start));
  const minutes = frequency === 'MINUTELY' || frequency === 'SECONDLY' ? [minuteOf(period)] : sorted(rule.byMinute, minuteOf(start));
  const seconds = frequency === 'SECONDLY' ? [secondOf(period)] : sorted(rule.bySecond, secondOf(start));
  if (isTimed) {
    const day = Math.floor(period / DAY_MS) * DAY_MS;
    if (!allows(rule.byHour, hours[0]!) || !(frequency === 'HOURLY' || allows(rule.byMinute, minutes[0]!)) || !(frequency !== 'SECONDLY' || allows(rule.bySecond, seconds[0]!))) return [];
    if (!dayMatches(rule, day)) return [];
    return positioned(combined([day], hours, minutes, seconds, spend), bySetPosition);
  }
  const days = daysOfPeriod(rule, start, period, spend);
  return positioned(combined(days, hours, minutes, seconds, spend), bySetPosition);
}

function combined(days: readonly number[], hours: readonly number[], minutes: readonly number[], seconds: readonly number[], spend: (steps: number) => void): readonly number[] {
  spend(days.length * hours.length * minutes.length * seconds.length);
  return days.flatMap((day) => hours.flatMap((hour) => minutes.flatMap((minute) => seconds.map((second) => day + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS))));
}

function positioned(times: readonly number[], positions: readonly number[]): readonly number[] {
  if (positions.length === 0) return times;
  const wanted = new Set(positions.map((one) => (one > 0 ? one - 1 : times.length + one)));
  return times.filter((_, index) => wanted.has(index));
}

function sorted(list: readonly number[], fallback: number): readonly number[] {
  return list.length === 0 ? [fallback] : [...new Set(list)].sort((one, other) => one - other);
}

function allows(list: readonly number[], value: number): boolean {
  return list.length === 0 || list.includes(value);
}

const hourOf = (at: number): number => new Date(at).getUTCHours();
const minuteOf = (at: number): number => new Date(at).getUTCMinutes();
const secondOf = (at: number): number => new Date(at).getUTCSeconds();
