import type { Instant } from '../../core/clock.ts';

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/i;

/**
 * An ISO 8601 time with `Z` or an offset (`2026-03-02T08:00:00+05:30`), to the millisecond; undefined for anything else, times
 * without a zone and days that do not exist included. `24:00:00` is the midnight that ends the day (KB 813268).
 */
export function parseIsoTime(text: string): Instant | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match;
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number];
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3));
  const inRange = mo >= 1 && mo <= 12 && d >= 1 && d <= new Date(Date.UTC(y, mo, 0)).getUTCDate() && mi <= 59 && s <= 59;
  const isHour = h <= 23 || (h === 24 && mi === 0 && s === 0 && ms === 0);
  if (!inRange || !isHour || y < 100 || Number(offsetHours) > 14 || Number(offsetMinutes) > 59) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return Date.UTC(y, mo - 1, d, h, mi, s, ms) - offset;
}

/** The instant as clients send it: UTC with `Z`, whole seconds. */
export function formatIsoTime(instant: Instant): string {
  return new Date(instant).toISOString().replace(/\.\d+Z$/, 'Z');
}
