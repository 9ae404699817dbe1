import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import { clip, floorTo, gaps } from '../freebusy/interval.ts';
import type { Interval } from '../freebusy/interval.ts';

/** Today 00:00 UTC − past to today 00:00 UTC + ahead: it slides once a day, and may cross the end of a year (exchange.md §1.4). */
export function publicationWindow(now: Instant, pastMs: number, aheadMs: number): Interval {
  const midnight = floorTo(now, DAY_MS);
  return { start: midnight - pastMs, end: midnight + aheadMs };
}

/**
 * The part of an answer that can be published: a message cannot say "unknown" inside its range, so the range ends where the
 * unknown begins. Of several known stretches the one with `now` in it, else the first after it, else the last; whole minutes,
 * rounded inward. Undefined where nothing is known.
 */
export function publishablePart(freeBusy: FreeBusy, now: Instant): FreeBusy | undefined {
  const unknown = freeBusy.busy.filter((one) => one.busyType === 'no-data');
  const known = gaps(freeBusy.window, unknown).flatMap(inWholeMinutes);
  const window = known.find((one) => one.end > now) ?? known.at(-1);
  if (window === undefined) return undefined;
  const busy = freeBusy.busy.flatMap((one) => {
    const inside = one.busyType === 'no-data' ? undefined : clip(one, window);
    return inside === undefined ? [] : [{ ...inside, busyType: one.busyType }];
  });
  return { mailbox: freeBusy.mailbox, window, busy };
}

function inWholeMinutes({ start, end }: Interval): readonly Interval[] {
  const inside = { start: -floorTo(-start, MINUTE_MS), end: floorTo(end, MINUTE_MS) };
  return inside.start < inside.end ? [inside] : [];
}
