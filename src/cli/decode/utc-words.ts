import { DAY_MS, SECOND_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { floorTo } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';

/** `2026-03-10 09:00`, with seconds where there are any. UTC. */
export function minuteInWords(instant: Instant): string {
  const text = new Date(instant).toISOString();
  return `${dayInWords(instant)} ${text.slice(-13, instant % (60 * SECOND_MS) === 0 ? -8 : -5)}`;
}

/** `2026-03-10` */
export function dayInWords(instant: Instant): string {
  return new Date(instant).toISOString().slice(0, -14);
}

/** `2026-03` */
export function monthInWords(instant: Instant): string {
  return dayInWords(instant).slice(0, -3);
}

/** `2026-03-10 09:00–10:30`, `2026-03-31 22:00–24:00`; over several days the end has its date, too. */
export function intervalInWords({ start, end }: Interval): string {
  const midnight = floorTo(start, DAY_MS) + DAY_MS;
  if (end === midnight) return `${minuteInWords(start)}–24:00`;
  return `${minuteInWords(start)}–${end < midnight ? minuteInWords(end).slice(dayInWords(end).length + 1) : minuteInWords(end)}`;
}

/** `2026-11-15 to 2027-01-21`; with times of day where it does not begin and end at midnight. */
export function windowInWords({ start, end }: Interval): string {
  const words = start % DAY_MS === 0 && end % DAY_MS === 0 ? dayInWords : minuteInWords;
  return `${words(start)} to ${words(end)}`;
}
