import type { PresenceState } from '../../presence/presence.ts';

/** A state in PIDF's words. */
export interface PidfStatus {
  /** RFC 3863 §4.1.4; undefined: not said, because `open` would be taken for available. */
  readonly basic: 'open' | 'closed' | undefined;
  /** RFC 4480 §3.2; undefined: none. */
  readonly activity: 'meeting' | 'away' | 'on-the-phone' | 'busy' | 'unknown' | undefined;
}

/** Total table (presence.md §C.1). RPID has no word for do-not-disturb: XEP-0108 §A takes its `busy` for XMPP's dnd. */
export const PIDF_STATUS: Readonly<Record<PresenceState, PidfStatus>> = {
  available: { basic: 'open', activity: undefined },
  'in-a-meeting': { basic: 'open', activity: 'meeting' },
  away: { basic: 'open', activity: 'away' },
  unknown: { basic: undefined, activity: 'unknown' },
  'on-the-phone': { basic: 'open', activity: 'on-the-phone' },
  'do-not-disturb': { basic: 'open', activity: 'busy' },
  offline: { basic: 'closed', activity: undefined },
};

/**
 * What RFC 4480 §3.2's activities say, for those who read. `working` says nothing that `open` does not, `other` and what later documents add is left
 * to the rest of the document.
 */
export const STATE_OF_ACTIVITY: ReadonlyMap<string, PresenceState> = new Map([
  ...(['meeting', 'appointment', 'presentation'] as const).map((one) => [one, 'in-a-meeting'] as const),
  ...(['away', 'breakfast', 'dinner', 'holiday', 'in-transit', 'looking-for-work', 'meal', 'performance', 'permanent-absence', 'playing', 'shopping', 'sleeping', 'spectator', 'steering', 'travel', 'tv', 'vacation', 'worship'] as const).map(
    (one) => [one, 'away'] as const,
  ),
  ['on-the-phone', 'on-the-phone'],
  ['busy', 'do-not-disturb'],
  ['unknown', 'unknown'],
]);
