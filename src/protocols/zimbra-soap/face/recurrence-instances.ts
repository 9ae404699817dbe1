import { DAY_MS, HOUR_MS } from '../../../core/clock.ts';
import type { Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { expandRecurrence, expansionPace } from '../../icalendar/recurrence.ts';
import type { ExpansionBudget, Frequency } from '../../icalendar/recurrence.ts';
import { instantOf } from './calendar-time.ts';
import type { CalendarTime } from './calendar-time.ts';
import type { RecurrenceDocument, SeriesDocument, SeriesPart } from './recurrence-document.ts';

/** One time at which an appointment happens. `start` and `end` may be equal. */
export interface Instance {
  readonly start: Instant;
  readonly end: Instant;
  readonly allDay: boolean;
  /** Local minus UTC at its start, in milliseconds. */
  readonly offsetMs: number;
  /** The recurrence id in UTC, `20261118T090000Z`; of all-day ones the date. */
  readonly recurIdZ: string;
}

/** Each asks Intl for the zone's offset a dozen times: about 5 ms. */
const INSTANCES_PER_TURN = 100;
/** More than any clock is put forward or back. */
const CLOCK_CHANGE_MS = 3 * HOUR_MS;

/**
 * How far a series without an end goes where the request has none either: Zimbra's own defaults (zimbraCalendarRecurrenceDailyMaxDays …
 * OtherFrequencyMaxYears), and no further than a question may reach.
 */
const HORIZON_DAYS: Readonly<Record<Frequency, number>> = { SECONDLY: 366, MINUTELY: 366, HOURLY: 366, DAILY: 730, WEEKLY: 3_640, MONTHLY: 3_650, YEARLY: 3_650 };

interface Range {
  readonly start: Instant;
  /** Undefined: as far as the horizon. */
  readonly end: Instant | undefined;
}

interface Expanding {
  readonly budget: ExpansionBudget;
  readonly pace: Pace;
}

/**
 * All instances that touch the range, in order.
 *
 * @throws BridgeError INVALID_REQUEST where there are too many
 */
export async function instancesOf({ series, cancelled }: RecurrenceDocument, range: Range, budget: ExpansionBudget): Promise<readonly Instance[]> {
  const expansion: Expanding = { budget, pace: expansionPace() };
  const pace = new Pace(INSTANCES_PER_TURN);
  const gone = new Set([...cancelled, ...series.flatMap(({ replaces }) => replaces ?? [])].map(instantOf));
  const found = new Map<string, Instance>();
  for (const one of series) {
    for (const { start, recurId, durationMs } of await startsOf(one, range, expansion)) {
      if (one.replaces === undefined && gone.has(instantOf(recurId))) continue;
      const instance = instanceAt(start, recurId, durationMs);
      const isInside = instance.start < (range.end ?? Number.POSITIVE_INFINITY) && (instance.end > range.start || instance.start === range.start);
      if (isInside) found.set(`${instance.start}/${instance.end}`, instance);
      if (pace.spend(1)) await pace.turn();
      if (found.size > LIMITS.recurrenceInstances) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.recurrenceInstances} instances`);
    }
  }
  return [...found.values()].sort((one, other) => one.start - other.start || one.end - other.end);
}

interface Start {
  readonly start: CalendarTime;
  readonly recurId: CalendarTime;
  readonly durationMs: number;
}

async function startsOf(one: SeriesDocument, range: Range, expansion: Expanding): Promise<readonly Start[]> {
  const { start, durationMs } = one;
  if (one.replaces !== undefined) return [{ start, recurId: one.replaces, durationMs }];
  // What began before the range may reach into it.
  const from = start.zone.localFromUtc(range.start) - durationMs - CLOCK_CHANGE_MS;
  const to = range.end === undefined ? undefined : start.zone.localFromUtc(range.end) + CLOCK_CHANGE_MS;
  const excluded = new Set(await allTimes(one, one.exclude, { from, to }, expansion, false));
  const local = await allTimes(one, one.add, { from, to }, expansion, true);
  const withOwnEnd = one.add.flatMap(({ dates }) => dates).flatMap((date) => (date.durationMs === undefined ? [] : [{ start: date.start, recurId: date.start, durationMs: date.durationMs }]));
  const plain = [...new Set(local)].map((at): CalendarTime => ({ ...start, local: at })).map((at) => ({ start: at, recurId: at, durationMs }));
  // Times of other zones are compared by the clock of the series.
  return [...plain.filter((at) => !excluded.has(at.start.local)), ...withOwnEnd.filter((at) => !excluded.has(start.zone.localFromUtc(instantOf(at.start))))];
}

/** Starts by the wall clock of the series: of all rules, and of the dates without an end of their own. */
async function allTimes(
  one: SeriesDocument,
  parts: readonly SeriesPart[],
  local: { readonly from: number; readonly to: number | undefined },
  { budget, pace }: Expanding,
  isAdd: boolean,
): Promise<readonly number[]> {
  const { start } = one;
  const times: number[] = isAdd ? [start.local] : [];
  for (const { rules, dates } of parts) {
    for (const rule of rules) {
      const to = local.to ?? Math.max(local.from, start.local) + HORIZON_DAYS[rule.frequency] * DAY_MS;
      const expanded = await expandRecurrence({ rule, start: start.local, from: local.from, to, startCounts: isAdd }, budget, pace);
      for (const at of expanded) times.push(at);
    }
    for (const date of dates) if (!isAdd || date.durationMs === undefined) times.push(start.zone.localFromUtc(instantOf(date.start)));
  }
  return times;
}

function instanceAt(at: CalendarTime, recurId: CalendarTime, durationMs: number): Instance {
  const start = instantOf(at);
  return {
    start,
    // Days of the calendar, which may have 23 or 25 hours.
    end: at.isDate ? at.zone.utcFromLocal(at.local + durationMs) : start + durationMs,
    allDay: at.isDate,
    offsetMs: at.zone.localFromUtc(start) - start,
    recurIdZ: recurId.isDate ? compact(recurId.local).slice(0, 8) : compact(instantOf(recurId)),
  };
}

function compact(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** From the first instance's start to the last one's end; undefined where that is no time at all. */
export function spanOf(instances: readonly Instance[]): Interval | undefined {
  const [first] = instances;
  if (first === undefined) return undefined;
  const end = instances.reduce((latest, one) => Math.max(latest, one.end), first.end);
  return first.start < end ? { start: first.start, end } : undefined;
}
