import type { Instant } from '../../core/clock.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/clock.ts';
import type { Interval } from '../../freebusy/interval.ts';

const UTC_DATE_TIME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(Z?)$/i;

/**
 * A date with UTC time, `20261118T090000Z` (RFC 5545 §3.3.5 form 2); undefined where it is none or no such day exists.
 *
 * ical.js would read `20261118x090000Zxyz` too and `20261340T…` as a day of next year; a time that is wrong by a digit would show somebody free.
 *
 * @param zoneIsUtc the property carried TZID=UTC, so the Z may be missing
 */
export function utcDateTime(text: string, zoneIsUtc = false): Instant | undefined {
  const match = UTC_DATE_TIME.exec(text);
  if (match === null || (match[7] === '' && !zoneIsUtc)) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  // 60 is a leap second (§3.3.12) and rolls into the next minute.
  if (year < 1000 || month > 12 || hour > 23 || minute > 59 || second > 60) return undefined;
  const midnight = Date.UTC(year, month - 1, day);
  if (new Date(midnight).getUTCDate() !== day || new Date(midnight).getUTCMonth() !== month - 1) return undefined;
  return midnight + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS;
}

/** An instant as `20261118T090000Z`; milliseconds are dropped. */
export function encodeUtcDateTime(instant: Instant): string {
  return new Date(instant).toISOString().replace(/[-:]|\.\d+/g, '');
}

const DURATION = /^\+?P(?:(\d{1,5})W|(?=\d|T\d)(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,7})M)?(?:(\d{1,7})S)?)?)$/i;

/** A positive duration (RFC 5545 §3.3.6) in milliseconds; undefined where it is none. */
export function durationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1, 6).map((part) => Number(part ?? 0)) as [number, number, number, number, number];
  return (weeks * 7 + days) * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS;
}

/** A period of time, start/end or start/duration (RFC 5545 §3.3.9); may be empty. Undefined where it cannot be read or runs backwards. */
export function utcPeriod(text: string, zoneIsUtc = false): Interval | undefined {
  const slash = text.indexOf('/');
  const start = utcDateTime(text.slice(0, Math.max(0, slash)), zoneIsUtc);
  if (start === undefined) return undefined;
  const rest = text.slice(slash + 1);
  const lasts = durationMs(rest);
  const end = lasts === undefined ? utcDateTime(rest, zoneIsUtc) : start + lasts;
  return end === undefined || end < start ? undefined : { start, end };
}
