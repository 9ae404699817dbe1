import { MINUTE_MS } from '../../../core/clock.ts';
import type { Instant } from '../../../core/clock.ts';
import { parseIsoTime } from '../../../core/iso-time.ts';
import { LIMITS } from '../../../core/limits.ts';
import { attribute, child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { biasMinutesAt, zoneWithoutDaylight } from '../../../timezones/bias-rules.ts';
import { DAYS_OF_WEEK } from '../../../timezones/serializable-time-zone.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from '../../../timezones/serializable-time-zone.ts';
import { integer } from '../time-zone.ts';

/** Rules and the instant from which they hold; the first holds from the beginning. */
interface Era {
  readonly from: Instant;
  readonly zone: SerializableTimeZone;
}

/**
 * Reads the full form of a TimeZoneDefinition (exchange.md §6.2): periods, groups of yearly transitions, and the dates between which each group
 * holds. Gives the offset (local minus UTC, ms) at any instant; undefined where it is not there or not all of it can be read. Transitions on a fixed
 * day of a month (RecurringDateTransition) are not read: no client was seen sending one.
 */
export function offsetsOfDefinition(definition: XmlElement): ((instant: Instant) => number) | undefined {
  const periods = new Map<string, number>();
  for (const period of child(definition, 'Periods')?.children ?? []) {
    const bias = durationMinutes(attribute(period, 'Bias') ?? '');
    if (bias === undefined || Math.abs(bias) > MOST_BIAS_MINUTES) return undefined;
    periods.set(attribute(period, 'Id') ?? '', bias);
  }
  const transitions = child(definition, 'Transitions')?.children ?? [];
  if (periods.size === 0 || transitions.length > LIMITS.ewsZoneEras) return undefined;
  if (transitions.length === 0) return periods.size === 1 ? () => 0 - [...periods.values()][0]! * MINUTE_MS : undefined;
  const groups = new Map((child(definition, 'TransitionsGroups')?.children ?? []).map((group) => [attribute(group, 'Id') ?? '', group]));
  const eras: Era[] = [];
  for (const transition of transitions) {
    const zone = targetZone(transition, periods, groups);
    if (zone === undefined) return undefined;
    const last = eras.at(-1)?.zone;
    const local = transition.name === 'Transition' ? Number.NEGATIVE_INFINITY : parseIsoTime(childText(transition, 'DateTime') ?? '', 'date-time');
    if (local === undefined) return undefined;
    // The date is on the wall clock of the rules that end there, and the new year is what they nearly always end with.
    eras.push({ from: local + (last === undefined ? 0 : last.biasMinutes * MINUTE_MS), zone });
  }
  eras.sort((a, b) => a.from - b.from);
  return (instant) => {
    let current = eras[0]!;
    for (const era of eras) if (era.from <= instant) current = era;
    return 0 - biasMinutesAt(current.zone, instant) * MINUTE_MS;
  };
}

const MOST_BIAS_MINUTES = 1_440;

function targetZone(transition: XmlElement, periods: ReadonlyMap<string, number>, groups: ReadonlyMap<string, XmlElement>): SerializableTimeZone | undefined {
  const to = child(transition, 'To');
  const id = to?.text.trim() ?? '';
  if (attribute(to, 'Kind') === 'Period') return withoutDaylight(periods.get(id));
  const group = groups.get(id);
  return group === undefined ? undefined : groupZone(group, periods);
}

function withoutDaylight(bias: number | undefined): SerializableTimeZone | undefined {
  return bias === undefined ? undefined : zoneWithoutDaylight(bias);
}

/** A group of one transition stays as it is all year; one of two has a standard and a daylight half, the standard one being that further west. */
function groupZone(group: XmlElement, periods: ReadonlyMap<string, number>): SerializableTimeZone | undefined {
  const [one, other, ...more] = group.children;
  if (one === undefined || more.length > 0) return undefined;
  const biasOf = (transition: XmlElement): number | undefined => periods.get(childText(transition, 'To') ?? '');
  const first = biasOf(one);
  if (other === undefined) return withoutDaylight(first);
  const second = biasOf(other);
  const [intoFirst, intoSecond] = [yearlySwitch(one), yearlySwitch(other)];
  if (first === undefined || second === undefined || intoFirst === undefined || intoSecond === undefined) return undefined;
  const firstIsStandard = first >= second;
  const biasMinutes = firstIsStandard ? first : second;
  const standard = firstIsStandard ? intoFirst : intoSecond;
  const daylight = firstIsStandard ? intoSecond : intoFirst;
  return { biasMinutes, standard, daylight: { ...daylight, biasMinutes: Math.min(first, second) - biasMinutes } };
}

function yearlySwitch(transition: XmlElement): TimeZoneSwitch | undefined {
  const offset = durationMinutes(childText(transition, 'TimeOffset') ?? '');
  const month = integer(childText(transition, 'Month'), 1, 12);
  const dayOfWeek = DAYS_OF_WEEK.find((day) => day === childText(transition, 'DayOfWeek'));
  const occurrence = integer(childText(transition, 'Occurrence'), -1, 5);
  if (transition.name !== 'RecurringDayTransition' || offset === undefined || offset < 0 || offset > MOST_BIAS_MINUTES) return undefined;
  if (month === undefined || dayOfWeek === undefined || occurrence === undefined || occurrence === 0) return undefined;
  return { biasMinutes: 0, secondOfDay: offset * 60, dayOrder: occurrence === -1 ? 5 : occurrence, month, dayOfWeek };
}

/** An xs:duration of days, hours, minutes and seconds, in minutes: `-PT60M`, `PT5H30M`, `-PT1H`, `PT0S`. Undefined for any other. */
export function durationMinutes(text: string): number | undefined {
  const match = /^(-)?P(?:(\d{1,2})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d{1,9})?S)?)?$/.exec(text.trim());
  if (match === null || /[PT]$/.test(text.trim())) return undefined;
  const [days, hours, minutes, seconds] = match.slice(2).map((part) => Number(part ?? 0)) as [number, number, number, number];
  const whole = days * 1_440 + hours * 60 + minutes + seconds / 60;
  return match[1] === '-' ? 0 - whole : whole;
}
