import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { PRESENCE_STATES } from '../../presence/presence.ts';
import type { PresenceState } from '../../presence/presence.ts';
import { SHOWS } from './names.ts';
import type { Shows } from './sessions.ts';

/** A session that shows something of ours. */
export interface KeptSession {
  readonly startedAt: Instant;
  /** What she had, to be put back. */
  readonly before: Shows;
  readonly ours: Shows;
}

/** What has to be known of somebody after a restart. */
export interface KeptRecord {
  /** Published last; undefined: nothing to show. */
  readonly state: PresenceState | undefined;
  readonly since: Instant;
  /** activityKey of what stands in her PEP node by us; empty: an empty activity; undefined: not said yet. */
  readonly activity: string | undefined;
  /** By resource. */
  readonly sessions: ReadonlyMap<string, KeptSession>;
}

export function encodeRecord(record: KeptRecord): string {
  return JSON.stringify({ ...record, sessions: [...record.sessions] });
}

/** Reads what encodeRecord wrote; undefined for anything else (another version's, a torn file): then nothing is known. */
export function decodeRecord(text: string | undefined): KeptRecord | undefined {
  if (text === undefined || text.length > LIMITS.ejabberdRecordCharacters) return undefined;
  const record = parsed(text);
  if (!isObject(record)) return undefined;
  const { state, since, activity, sessions } = record;
  if (state !== undefined && !PRESENCE_STATES.some((one) => one === state)) return undefined;
  if (typeof since !== 'number' || (activity !== undefined && typeof activity !== 'string') || !Array.isArray(sessions) || !sessions.every(isEntry)) return undefined;
  return { state: state as PresenceState | undefined, since, activity, sessions: new Map(sessions) };
}

function isEntry(value: unknown): value is readonly [string, KeptSession] {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string' || !isObject(value[1])) return false;
  const { startedAt, before, ours } = value[1];
  return typeof startedAt === 'number' && isShows(before) && isShows(ours);
}

function isShows(value: unknown): value is Shows {
  return isObject(value) && SHOWS.some((show) => show === value['show']) && typeof value['status'] === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
