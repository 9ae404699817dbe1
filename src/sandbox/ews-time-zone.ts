import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';

/** A `t:TimeZone` as an EWS server understands it: biases in minutes west of UTC, two yearly switches or none (exchange.md §6.1). */
export interface BiasZone {
  readonly biasMinutes: number;
  readonly standard: Switch | undefined;
  readonly daylight: Switch | undefined;
}

interface Switch {
  readonly biasMinutes: number;
  readonly month: number;
  /** 1 to 5; 5 is the last of the month. */
  readonly order: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Of the wall clock just before the switch. */
  readonly timeMs: number;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Undefined when the element cannot be understood. Month 0 (Zimbra sends it) and equal switches mean no daylight saving. */
export function readBiasZone(element: XmlElement): BiasZone | undefined {
  const biasMinutes = Number(childText(element, 'Bias') || Number.NaN);
  const standard = readSwitch(child(element, 'StandardTime'));
  const daylight = readSwitch(child(element, 'DaylightTime'));
  if (!Number.isInteger(biasMinutes) || standard === undefined || daylight === undefined) return undefined;
  const none = standard.month === 0 || daylight.month === 0 || (standard.biasMinutes === 0 && daylight.biasMinutes === 0);
  return { biasMinutes, standard: none ? undefined : standard, daylight: none ? undefined : daylight };
}

/** A wall-clock time (given as if it were UTC) to an instant. */
export function toInstant(zone: BiasZone, local: number): Instant {
  return local + (zone.biasMinutes + seasonBias(zone, local)) * MINUTE_MS;
}

/** An instant to wall-clock time without an offset, as real Exchange answers: `2026-03-10T09:00:00`. */
export function toLocalText(zone: BiasZone, at: Instant): string {
  // The season depends on the local time: try with each of the two biases and keep the one that comes back to the instant.
  const candidates = [zone.standard?.biasMinutes ?? 0, zone.daylight?.biasMinutes ?? 0].map((bias) => at - (zone.biasMinutes + bias) * MINUTE_MS);
  const local = candidates.find((one) => toInstant(zone, one) === at) ?? candidates[0]!;
  return new Date(local).toISOString().slice(0, 19);
}

function readSwitch(element: XmlElement | undefined): Switch | undefined {
  const time = /^(\d\d):(\d\d):(\d\d)/.exec(childText(element, 'Time') ?? '');
  const weekday = WEEKDAYS.indexOf(childText(element, 'DayOfWeek') ?? '');
  const read = {
    biasMinutes: Number(childText(element, 'Bias') || Number.NaN),
    month: Number(childText(element, 'Month') || Number.NaN),
    order: Number(childText(element, 'DayOrder') || Number.NaN),
    weekday,
    timeMs: time === null ? Number.NaN : ((Number(time[1]) * 60 + Number(time[2])) * 60 + Number(time[3])) * 1000,
  };
  return weekday === -1 || Object.values(read).some((one) => Number.isNaN(one)) ? undefined : read;
}

function seasonBias(zone: BiasZone, local: number): number {
  if (zone.standard === undefined || zone.daylight === undefined) return 0;
  const year = new Date(local).getUTCFullYear();
  const intoDaylight = switchOf(zone.daylight, year);
  // `Time` is the clock before the switch, which is daylight time here; the ambiguous hour counts as standard time.
  const intoStandard = switchOf(zone.standard, year) + (zone.daylight.biasMinutes - zone.standard.biasMinutes) * MINUTE_MS;
  const isDaylight = intoDaylight < intoStandard ? local >= intoDaylight && local < intoStandard : local >= intoDaylight || local < intoStandard;
  return isDaylight ? zone.daylight.biasMinutes : zone.standard.biasMinutes;
}

function switchOf(rule: Switch, year: number): number {
  const first = Date.UTC(year, rule.month - 1, 1);
  const daysInMonth = new Date(Date.UTC(year, rule.month, 0)).getUTCDate();
  let day = 1 + ((rule.weekday - new Date(first).getUTCDay() + 7) % 7) + (rule.order - 1) * 7;
  while (day > daysInMonth) day -= 7;
  return first + (day - 1) * DAY_MS + rule.timeMs;
}
