import { DAY_MS, MINUTE_MS } from '../../../core/clock.ts';
import type { WorkingHours } from '../../../freebusy/free-busy.ts';
import { clip, floorTo, gaps } from '../../../freebusy/interval.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { localFromUtc, utcFromLocal } from '../../../timezones/bias-rules.ts';
import { DAYS_OF_WEEK } from '../../../timezones/serializable-time-zone.ts';

/** A stretch inside or outside of working hours. */
export interface WorkingStretch extends Interval {
  readonly works: boolean;
}

/** Tiles the window with working hours and what lies between them: sorted, touching, neighbours differ. The clock's changes are the zone's. */
export function workingStretches({ timeZone, periods }: WorkingHours, window: Interval): readonly WorkingStretch[] {
  const working: Interval[] = [];
  const lastDay = localFromUtc(timeZone, window.end) + DAY_MS;
  // A shift that began the evening before may reach into the window.
  for (let day = floorTo(localFromUtc(timeZone, window.start), DAY_MS) - DAY_MS; day < lastDay; day += DAY_MS) {
    const name = DAYS_OF_WEEK[new Date(day).getUTCDay()]!;
    for (const { days, startMinute, endMinute } of periods) {
      if (!days.includes(name)) continue;
      const overnight = endMinute <= startMinute ? DAY_MS : 0;
      const inside = clip({ start: utcFromLocal(timeZone, day + startMinute * MINUTE_MS), end: utcFromLocal(timeZone, day + endMinute * MINUTE_MS + overnight) }, window);
      if (inside !== undefined) working.push(inside);
    }
  }
  const outside = gaps(window, working);
  const inside = gaps(window, outside);
  return [...inside.map((one) => ({ ...one, works: true })), ...outside.map((one) => ({ ...one, works: false }))].sort((one, other) => one.start - other.start);
}
