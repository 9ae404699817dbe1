import type { BusyType } from '../freebusy/busy-type.ts';
import type { CalendarState } from './presence.ts';

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
