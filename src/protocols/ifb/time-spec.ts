import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { parseIsoTime } from '../../core/iso-time.ts';
import { utcDateTime } from '../icalendar/date-time.ts';

/** Beyond these no four-digit year exists to write. */
const EARLIEST = Date.UTC(1000, 0, 1);
const LATEST = Date.UTC(9999, 11, 31);

/** Epoch milliseconds, `-` included; undefined where the text is none or lies outside the years 1000 to 9999. */
export function epochMilliseconds(text: string): Instant | undefined {
  return /^-?\d{1,15}$/.test(text) ? within(Number(text)) : undefined;
}

/**
 * Reads a time as Zimbra's REST addresses take it (zimbra.md §3.1), in this order: epoch milliseconds (all digits); `YYYY/MM/DD` and `MM/DD/YYYY`, also with `-`, midnight in UTC;
 * a distance from now as `[+|p|-|m]N[unit]` with the unit's first letter (h, d, w, y, m for months, `mi` for minutes; days where there is none). Beyond Zimbra's: ISO 8601, and
 * `20261118T080000Z` as another bridge's URL template fills it in (configuration.md, Templates).
 *
 * Undefined for anything else, where a Zimbra silently takes its default and answers another question.
 */
export function parseTimeSpec(text: string, now: Instant): Instant | undefined {
  if (/^\d+$/.test(text)) return epochMilliseconds(text);
  const yearFirst = /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})$/.exec(text);
  if (yearFirst !== null) return dayOf(yearFirst[1]!, yearFirst[2]!, yearFirst[3]!);
  const yearLast = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$/.exec(text);
  if (yearLast !== null) return dayOf(yearLast[3]!, yearLast[1]!, yearLast[2]!);
  const distance = /^([mp+-]?)(\d{1,6})([mhdwy][a-z]*)?$/.exec(text);
  if (distance !== null) return within(moved(now, distance[1] === 'm' || distance[1] === '-' ? -Number(distance[2]) : Number(distance[2]), distance[3] ?? 'd'));
  const instant = parseIsoTime(text) ?? utcDateTime(text);
  return instant === undefined ? undefined : within(instant);
}

function dayOf(year: string, month: string, day: string): Instant | undefined {
  const instant = parseIsoTime(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`);
  return instant === undefined ? undefined : within(instant);
}

function moved(now: Instant, count: number, unit: string): Instant {
  if (unit.startsWith('mi')) return now + count * MINUTE_MS;
  if (unit.startsWith('h')) return now + count * HOUR_MS;
  if (unit.startsWith('d')) return now + count * DAY_MS;
  if (unit.startsWith('w')) return now + count * 7 * DAY_MS;
  return movedMonths(now, unit.startsWith('y') ? count * 12 : count);
}

/** The same day of another month, or its last one where it has no such day; in UTC. */
function movedMonths(now: Instant, months: number): Instant {
  const from = new Date(now);
  const first = Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months, 1);
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0)).getUTCDate();
  return first + (Math.min(from.getUTCDate(), lastDay) - 1) * DAY_MS + (((now % DAY_MS) + DAY_MS) % DAY_MS);
}

function within(instant: Instant): Instant | undefined {
  return instant >= EARLIEST && instant <= LATEST ? instant : undefined;
}
