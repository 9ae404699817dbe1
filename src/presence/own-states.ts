import { NO_OWN_STATES } from './compose.ts';
import type { OwnState, OwnStates } from './compose.ts';
import { OWN_SOURCES, OWN_STATES } from './presence-service.ts';
import type { PresenceState } from './presence.ts';

/** As it is kept on disk: `{"manual": ["away", 1700000000000, null]}`. */
export function encodeOwnStates(own: OwnStates): string {
  return JSON.stringify(Object.fromEntries(Object.entries(own).map(([source, { state, at, until }]) => [source, [state, at, until]])));
}

/** What is damaged is as if nobody had said it. */
export function decodeOwnStates(text: string | undefined): OwnStates {
  if (text === undefined) return NO_OWN_STATES;
  const own: Partial<Record<(typeof OWN_SOURCES)[number], OwnState>> = {};
  try {
    const kept = JSON.parse(text) as Readonly<Record<string, unknown>>;
    for (const source of OWN_SOURCES) {
      const [state, at, until] = Array.isArray(kept[source]) ? (kept[source] as readonly unknown[]) : [];
      if (typeof state !== 'string' || !OWN_STATES[source].includes(state as PresenceState) || typeof at !== 'number' || (until !== null && typeof until !== 'number')) continue;
      own[source] = { state: state as PresenceState, at, until };
    }
  } catch {
    return NO_OWN_STATES;
  }
  return Object.keys(own).length === 0 ? NO_OWN_STATES : own;
}
