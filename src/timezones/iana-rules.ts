import { DAY_MS, MINUTE_MS, SECOND_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { UTC_ZONE, zoneWithoutDaylight } from './bias-rules.ts';
import { offsetsOfIana } from './iana-offsets.ts';
import { DAYS_OF_WEEK } from './serializable-time-zone.ts';
import type { DayOfWeek, SerializableTimeZone, TimeZoneSwitch } from './serializable-time-zone.ts';

/**
 * The rules of an IANA zone in one year as a SerializableTimeZone.
 *
 * UTC_ZONE itself where that form cannot say it: more or fewer than two switches, or rules that wander from year to year
 * (Morocco's follow the moon), so that a window over New Year would be wrong. The caller then speaks UTC (exchange.md §6.1).
 *
 * @throws BridgeError INVALID_REQUEST where Intl does not know the zone
 */
export function serializableTimeZoneFor(ianaName: string, year: number): SerializableTimeZone {
  const offsetAt = offsetsOfIana(ianaName);
  const switches = switchesOf(offsetAt, year);
  if (switches.length === 0) return zoneWithoutDaylight(biasOf(offsetAt(Date.UTC(year, 0, 2))));
  const toDaylight = switches.find((one) => one.after > one.before);
  const toStandard = switches.find((one) => one.after < one.before);
  if (switches.length !== 2 || toDaylight === undefined || toStandard === undefined) return UTC_ZONE;
  const yearsAround = Array.from({ length: 2 * YEARS_AROUND + 1 }, (_, index) => year - YEARS_AROUND + index);
  const history = yearsAround.map((one) => ({ year: one, switches: one === year ? switches : switchesOf(offsetAt, one) }));
  const standard = ruleOf(toStandard, year, history);
  const daylight = ruleOf(toDaylight, year, history);
  if (standard === undefined || daylight === undefined) return UTC_ZONE;
  return {
    biasMinutes: biasOf(toDaylight.before),
    standard: { biasMinutes: 0, ...standard },
    daylight: { biasMinutes: biasOf(toDaylight.after - toDaylight.before), ...daylight },
  };
}

/** Minutes in EWS's sign; subtracted rather than negated, because −0 is not 0 to everybody. */
function biasOf(offsetMs: number): number {
  return 0 - offsetMs / MINUTE_MS;
}

/** Enough for a weekday that is mostly the fourth and sometimes the fifth or last of its month to show it. */
const YEARS_AROUND = 6;

/** Offsets are local minus UTC, in milliseconds. */
interface OffsetSwitch {
  readonly at: Instant;
  readonly before: number;
  readonly after: number;
}

interface SwitchDay {
  readonly month: number;
  readonly dayOfWeek: DayOfWeek;
  readonly order: number;
  readonly isLast: boolean;
}

type Rule = Omit<TimeZoneSwitch, 'biasMinutes' | 'year'>;
type History = readonly { readonly year: number; readonly switches: readonly OffsetSwitch[] }[];

/**
 * A switch as month, weekday and order. At midnight the day before, one second early, is tried too: laws that say "Thursday
 * 24:00" (Egypt, Chile) keep to one weekday only that way.
 */
function ruleOf(one: OffsetSwitch, year: number, history: History): Rule | undefined {
  const local = one.at + one.before;
  const shifts = local % DAY_MS === 0 ? [0, -SECOND_MS] : [0];
  const candidates = shifts.map((shift) => candidateOf(local, shift, one, year, history));
  const best = candidates.find((rule) => rule.isStable) ?? candidates[0]!;
  return best.holdsNextDoor ? best.rule : undefined;
}

function candidateOf(
  local: number,
  shift: number,
  one: OffsetSwitch,
  year: number,
  history: History,
): { readonly rule: Rule; readonly isStable: boolean; readonly holdsNextDoor: boolean } {
  const own = dayOf(local + shift);
  const intoDaylight = one.after > one.before;
  const others = history.flatMap((entry) => {
    const same = entry.switches.find((other) => other.after > other.before === intoDaylight);
    return same === undefined ? [] : [{ year: entry.year, day: dayOf(same.at + same.before + shift) }];
  });
  const alike = others.filter(({ day }) => day.month === own.month && day.dayOfWeek === own.dayOfWeek);
  const alwaysLast = alike.every(({ day }) => day.isLast);
  const alwaysSameOrder = alike.every(({ day }) => day.order === own.order);
  const dayOrder = alwaysLast || (own.order === 5 && own.isLast) ? 5 : own.order;
  const secondOfDay = (((local + shift) % DAY_MS) + DAY_MS) % DAY_MS / SECOND_MS;
  return {
    rule: { secondOfDay, dayOrder, month: own.month, dayOfWeek: own.dayOfWeek },
    isStable: alike.length === others.length && (alwaysLast || alwaysSameOrder),
    holdsNextDoor: [year - 1, year + 1].every((next) => alike.some((entry) => entry.year === next)),
  };
}

function dayOf(local: number): SwitchDay {
  const date = new Date(local);
  const day = date.getUTCDate();
  return {
    month: date.getUTCMonth() + 1,
    dayOfWeek: DAYS_OF_WEEK[date.getUTCDay()]!,
    order: Math.ceil(day / 7),
    isLast: new Date(local + 7 * DAY_MS).getUTCMonth() !== date.getUTCMonth(),
  };
}

/** Every change of the offset in one year of UTC, found by weekly samples (the shortest half year, Ramadan, has four weeks). */
function switchesOf(offsetAt: (instant: Instant) => number, year: number): readonly OffsetSwitch[] {
  const switches: OffsetSwitch[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  let from = Date.UTC(year, 0, 1);
  let before = offsetAt(from);
  while (from < end) {
    const to = Math.min(from + 7 * DAY_MS, end);
    const after = offsetAt(to);
    if (after !== before) switches.push({ at: bisect(offsetAt, from, to), before, after });
    from = to;
    before = after;
  }
  return switches;
}

/** The first instant, to the second, with the offset that `to` has. */
function bisect(offsetAt: (instant: Instant) => number, from: Instant, to: Instant): Instant {
  const after = offsetAt(to);
  let low = from / SECOND_MS;
  let high = to / SECOND_MS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * SECOND_MS) === after) high = middle;
    else low = middle;
  }
  return high * SECOND_MS;
}
