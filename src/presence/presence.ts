import type { Instant } from '../core/clock.ts';

/** Availability as an IM user sees it. `unknown` is said, never guessed. */
export const PRESENCE_STATES = ['available', 'in-a-meeting', 'away', 'unknown'] as const;
export type PresenceState = (typeof PRESENCE_STATES)[number];

export interface Presence {
  readonly state: PresenceState;
  /** The instant at which the state ends by what the calendar says now; null where it does not end within the horizon. */
  readonly until: Instant | null;
}
