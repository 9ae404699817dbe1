import type { Presence, PresenceState } from '../../presence/presence.ts';

/** The body of GET /api/v1/presence/{address}. */
export interface PresenceBody {
  readonly address: string;
  readonly state: PresenceState;
  readonly until: string | null;
}

/** `address` as the caller spelled it; `until` in UTC, null where the state has no known end. */
export function encodePresence(address: string, presence: Presence): PresenceBody {
  return { address, state: presence.state, until: presence.until === null ? null : new Date(presence.until).toISOString() };
}
