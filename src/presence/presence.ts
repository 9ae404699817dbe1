import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

/** What a calendar says, as an IM user sees it. `unknown` is said, never guessed. */
export const CALENDAR_STATES = ['available', 'in-a-meeting', 'away', 'unknown'] as const;
export type CalendarState = (typeof CALENDAR_STATES)[number];

/** All that can be shown: the last three come from other sources only (a telephone, the person). */
export const PRESENCE_STATES = [...CALENDAR_STATES, 'on-the-phone', 'do-not-disturb', 'offline'] as const;
export type PresenceState = (typeof PRESENCE_STATES)[number];

/** Where a state comes from. `calendar`: also where it is unknown. */
export const PRESENCE_REASONS = ['calendar', 'phone', 'manual', 'idle'] as const;
export type PresenceReason = (typeof PRESENCE_REASONS)[number];

export interface Presence {
  readonly state: PresenceState;
  /** The instant at which the state ends by what is known now; null where it does not end within the horizon. */
  readonly until: Instant | null;
}

/** What is shown of somebody: nothing of any event but its time. */
export interface ShownPresence extends Presence {
  readonly reason: PresenceReason;
  /** Since when it is so. */
  readonly since: Instant;
  /** The next stretch in which the calendar says something else than now; null where none begins within the horizon. For timed-status (RFC 4481). */
  readonly next: { readonly state: CalendarState; readonly start: Instant; readonly end: Instant | null } | null;
  /** Fixed words of the catalogue in `language`, never anything of the calendar; empty where there is nothing to say (available, unknown). */
  readonly text: string;
  /** BCP 47. */
  readonly language: string;
}

/** A state began to be shown, or (`shown` undefined) is shown no more: its owner has opted out. */
export interface PresenceChange {
  readonly mailbox: MailboxAddress;
  readonly shown: ShownPresence | undefined;
}
