import type { Instant } from '../core/clock.ts';
import type { BusyType } from '../freebusy/busy-type.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import { tiles } from '../freebusy/slots.ts';
import type { CalendarState, Presence } from './presence.ts';

/** Which availability a kind of time becomes. Total, and a site may change every row but that of no data. */
export type PresenceMapping = Readonly<Record<BusyType, CalendarState>>;

/** The original's table (presence.md §C.1): Free and Tentative → Available, Busy → In a meeting, Out of Office → Away. */
export const DEFAULT_PRESENCE_MAPPING: PresenceMapping = {
  free: 'available',
  tentative: 'available',
  'working-elsewhere': 'available',
  busy: 'in-a-meeting',
  oof: 'away',
  'no-data': 'unknown',
};

/**
 * The availability at `now`, and when it ends: neighbouring stretches with the same availability count as one (back-to-back
 * meetings do not flap, Free to Tentative is no change).
 *
 * `now` outside the free/busy's window is unknown.
 */
export function presenceAt(freeBusy: FreeBusy, now: Instant, mapping: PresenceMapping = DEFAULT_PRESENCE_MAPPING): Presence {
  let state: CalendarState | undefined;
  for (const tile of tiles(freeBusy)) {
    if (tile.end <= now) continue;
    if (state === undefined) {
      if (tile.start > now) break;
      state = mapping[tile.busyType];
    } else if (mapping[tile.busyType] !== state) {
      return { state, until: tile.start };
    }
  }
  return { state: state ?? 'unknown', until: null };
}
