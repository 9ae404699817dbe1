import { DAY_MS, MINUTE_MS, SECOND_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { DAYS_OF_WEEK } from './serializable-time-zone.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from './serializable-time-zone.ts';

/**
 * UTC as a SerializableTimeZone. Both switches have bias 0 and different, valid dates: every Exchange from 2007 on takes that,
 * while Month 0 is refused by some and equal switches by others (exchange.md §6.1).
 */
export const UTC_ZONE: SerializableTimeZone = zoneWithoutDaylight(0);

/** A zone that is the same all year: `biasMinutes` as in UTC = local + bias (Kolkata −330). */
export function zoneWithoutDaylight(biasMinutes: number): SerializableTimeZone {
  return {
    biasMinutes,
    standard: { biasMinutes: 0, secondOfDay: 7_200, dayOrder: 5, month: 10, dayOfWeek: 'Sunday' },
    daylight: { biasMinutes: 0, secondOfDay: 7_200, dayOrder: 1, month: 3, dayOfWeek: 'Sunday' },
  };
}

/** The whole bias in force at an instant, in minutes: UTC = local + bias. The offset of ISO 8601 is its negative. */
export function biasMinutesAt(zone: SerializableTimeZone, instant: Instant): number {
  if (!hasDaylight(zone)) return standardBias(zone);
  const switches = switchesAround(zone, new Date(instant).getUTCFullYear());
  let latest = switches[0];
  // Before the first known switch (rules for one year only) holds what that switch ends.
  if (latest === undefined || instant < latest.at) return latest?.toDaylight === false ? daylightBias(zone) : standardBias(zone);
  for (const one of switches) if (one.at <= instant) latest = one;
  return latest.toDaylight ? daylightBias(zone) : standardBias(zone);
}

/** An instant as the zone's wall clock shows it: milliseconds that `Date.UTC` would give for its year, month, day, hour … */
export function localFromUtc(zone: SerializableTimeZone, instant: Instant): number {
  return instant - biasMinutesAt(zone, instant) * MINUTE_MS;
}

/**
 * The instant that a wall clock time names; `local` as `localFromUtc` gives it.
 *
 * The hour that comes twice in autumn is the standard one, that of spring which does not exist is moved on by the daylight
 * delta (02:30 is 03:30): what Windows does (exchange.md §6.1). Both mean: where in doubt, standard time.
 */
export function utcFromLocal(zone: SerializableTimeZone, local: number): Instant {
  const standard = local + standardBias(zone) * MINUTE_MS;
  if (!hasDaylight(zone) || biasMinutesAt(zone, standard) === standardBias(zone)) return standard;
  const daylight = local + daylightBias(zone) * MINUTE_MS;
  return biasMinutesAt(zone, daylight) === daylightBias(zone) ? daylight : standard;
}

/** Whether the zone changes its clocks: Month 0, DayOrder 0, equal switches and equal biases all say that it does not. */
export function hasDaylight(zone: SerializableTimeZone): boolean {
  const { standard, daylight } = zone;
  if (!isDated(standard) || !isDated(daylight) || standard.biasMinutes === daylight.biasMinutes) return false;
  return (
    standard.month !== daylight.month ||
    standard.dayOrder !== daylight.dayOrder ||
    standard.dayOfWeek !== daylight.dayOfWeek ||
    standard.secondOfDay !== daylight.secondOfDay ||
    standard.year !== daylight.year
  );
}

/** The wall clock time of a switch in one year, as `localFromUtc` gives it; undefined where its rule is for another year. */
export function switchLocalTime(one: TimeZoneSwitch, year: number): number | undefined {
  if (one.year !== undefined && one.year !== year) return undefined;
  const day = one.year === undefined ? dayOfMonth(one, year) : one.dayOrder;
  return Date.UTC(year, one.month - 1, day) + one.secondOfDay * SECOND_MS;
}

function isDated(one: TimeZoneSwitch): boolean {
  return one.month !== 0 && one.dayOrder !== 0;
}

function standardBias(zone: SerializableTimeZone): number {
  // As in TIME_ZONE_INFORMATION: without a date the bias of the half year does not count.
  return zone.biasMinutes + (isDated(zone.standard) ? zone.standard.biasMinutes : 0);
}

function daylightBias(zone: SerializableTimeZone): number {
  return zone.biasMinutes + zone.daylight.biasMinutes;
}

interface Switch {
  readonly at: Instant;
  readonly toDaylight: boolean;
}

/** The switches of a year and its neighbours, in order: the first of January local may lie in another year of UTC. */
function switchesAround(zone: SerializableTimeZone, year: number): readonly Switch[] {
  const switches: Switch[] = [];
  for (const one of [year - 1, year, year + 1]) addSwitches(zone, one, switches);
  // Rules for one single year are far away from most instants and still say which half came last.
  for (const own of new Set([zone.standard.year, zone.daylight.year])) {
    if (own !== undefined && Math.abs(own - year) > 1) addSwitches(zone, own, switches);
  }
  return switches.sort((a, b) => a.at - b.at);
}

function addSwitches(zone: SerializableTimeZone, year: number, into: Switch[]): void {
  // The clock shows the time before the switch: daylight time before the one into standard time, and the reverse.
  const toStandard = switchLocalTime(zone.standard, year);
  if (toStandard !== undefined) into.push({ at: toStandard + daylightBias(zone) * MINUTE_MS, toDaylight: false });
  const toDaylight = switchLocalTime(zone.daylight, year);
  if (toDaylight !== undefined) into.push({ at: toDaylight + standardBias(zone) * MINUTE_MS, toDaylight: true });
}

function dayOfMonth(one: TimeZoneSwitch, year: number): number {
  const first = Date.UTC(year, one.month - 1, 1);
  const ahead = (DAYS_OF_WEEK.indexOf(one.dayOfWeek) - new Date(first).getUTCDay() + 7) % 7;
  const length = (Date.UTC(year, one.month, 1) - first) / DAY_MS;
  const day = 1 + ahead + (Math.min(one.dayOrder, 5) - 1) * 7;
  return day > length ? day - 7 : day;
}
