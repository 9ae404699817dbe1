import type { Presence, PresenceReason, PresenceState, ShownPresence } from '../../presence/presence.ts';

/** The body of GET /api/v1/presence/{address}. */
export interface PresenceBody {
  readonly address: string;
  readonly state: PresenceState;
  readonly until: string | null;
}

/** The same with `details=true`, and what an event of the stream holds. */
export interface DetailedPresenceBody extends PresenceBody {
  readonly since: string;
  readonly reason: PresenceReason;
  readonly text: string;
  readonly language: string;
}

/** `address` as the caller spelled it; `until` in UTC, null where the state has no known end. */
export function encodePresence(address: string, presence: Presence): PresenceBody {
  return { address, state: presence.state, until: presence.until === null ? null : new Date(presence.until).toISOString() };
}

/** Beside that since when it is so, what says so, and in which words. */
export function encodeDetailedPresence(address: string, shown: ShownPresence): DetailedPresenceBody {
  const { since, reason, text, language } = shown;
  return { ...encodePresence(address, shown), since: new Date(since).toISOString(), reason, text, language };
}
