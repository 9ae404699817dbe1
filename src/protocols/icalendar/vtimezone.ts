import { zoneWithoutDaylight } from '../../timezones/bias-rules.ts';
import { DAYS_OF_WEEK } from '../../timezones/serializable-time-zone.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from '../../timezones/serializable-time-zone.ts';
import { utcDateTime } from './date-time.ts';

/** One STANDARD or DAYLIGHT part of a VTIMEZONE (RFC 5545 §3.6.5): values by property name, as they stood. */
export interface Observance {
  readonly kind: 'STANDARD' | 'DAYLIGHT';
  readonly values: ReadonlyMap<string, string>;
}

/**
 * The rules that a VTIMEZONE gives for one time, in the form that the house reckons with. Of several parts of a kind, as Apple sends them for a zone's
 * whole history, the last one that had begun counts.
 *
 * @param local wall clock, in milliseconds as `Date.UTC` would give them
 * @returns undefined where the rules are not "the n-th or last such weekday of a month, every year", or cannot be read
 */
export function zoneOfObservances(observances: readonly Observance[], local: number): SerializableTimeZone | undefined {
  const standard = inForce(observances, 'STANDARD', local);
  const daylight = inForce(observances, 'DAYLIGHT', local);
  const only = standard ?? daylight;
  if (only === undefined) return undefined;
  const bias = biasOf(only.values.get('TZOFFSETTO'));
  if (bias === undefined) return undefined;
  if (standard === undefined || daylight === undefined) return zoneWithoutDaylight(bias);
  const daylightBias = biasOf(daylight.values.get('TZOFFSETTO'));
  const toStandard = switchOf(standard, 0);
  const toDaylight = daylightBias === undefined ? undefined : switchOf(daylight, daylightBias - bias);
  return toStandard === undefined || toDaylight === undefined ? undefined : { biasMinutes: bias, standard: toStandard, daylight: toDaylight };
}

function inForce(observances: readonly Observance[], kind: Observance['kind'], local: number): Observance | undefined {
  const dated = observances
    .filter((one) => one.kind === kind && !hasEnded(one, local))
    .map((one) => ({ one, since: utcDateTime(one.values.get('DTSTART') ?? '', true) ?? 0 }))
    .sort((a, b) => a.since - b.since);
  return (dated.findLast(({ since }) => since <= local) ?? dated[0])?.one;
}

/** A rule's last switch is UNTIL; what it switched to lasts at most until the other kind's next switch. */
function hasEnded(one: Observance, local: number): boolean {
  const until = /;UNTIL=([^;]*)/i.exec(`;${one.values.get('RRULE') ?? ''}`)?.[1];
  const instant = until === undefined ? undefined : utcDateTime(until, true);
  return instant !== undefined && instant < local;
}

const BY_DAY = /^(-1|\+?[1-4])(SU|MO|TU|WE|TH|FR|SA)$/i;
const SHORT_DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

function switchOf(one: Observance, biasMinutes: number): TimeZoneSwitch | undefined {
  const parts = new Map((one.values.get('RRULE') ?? '').split(';').map((part) => part.toUpperCase().split('=', 2) as [string, string]));
  const month = Number(parts.get('BYMONTH'));
  const byDay = BY_DAY.exec(parts.get('BYDAY') ?? '');
  const begins = utcDateTime(one.values.get('DTSTART') ?? '', true);
  if (parts.get('FREQ') !== 'YEARLY' || !Number.isInteger(month) || month < 1 || month > 12 || byDay === null || begins === undefined) return undefined;
  const clock = new Date(begins);
  return {
    biasMinutes,
    secondOfDay: clock.getUTCHours() * 3_600 + clock.getUTCMinutes() * 60 + clock.getUTCSeconds(),
    dayOrder: byDay[1] === '-1' ? 5 : Number(byDay[1]),
    month,
    dayOfWeek: DAYS_OF_WEEK[SHORT_DAYS.indexOf(byDay[2]!)]!,
  };
}

/** `+0100` as EWS's bias, −60. */
function biasOf(offset: string | undefined): number | undefined {
  const match = /^([+-])(\d{2})([0-5]\d)(?:[0-5]\d)?$/.exec(offset?.trim() ?? '');
  if (match === null || Number(match[2]) > 15) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '+' ? 0 - minutes : minutes;
}

