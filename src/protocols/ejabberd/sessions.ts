import { SECOND_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { SHOWS } from './names.ts';
import type { Show } from './names.ts';

/** What a session tells its contacts. */
export interface Shows {
  readonly show: Show;
  readonly status: string;
}

/** A live session that has sent presence. */
export interface Session extends Shows {
  readonly resource: string;
  readonly priority: number;
  /** By our clock, good to a second or two: ejabberd tells its age in whole seconds. */
  readonly startedAt: Instant;
}

/**
 * Reads user_sessions_info's answer; sessions that are not available (signed in, no presence sent yet, or invisible) are left out: nobody may be made
 * available by us. At most LIMITS.ejabberdSessions.
 *
 * @throws BridgeError BACKEND_MALFORMED where it is no such list
 */
export function decodeSessions(answer: unknown, now: Instant): readonly Session[] {
  if (!Array.isArray(answer)) throw malformed();
  const sessions: Session[] = [];
  for (const one of answer as readonly unknown[]) {
    if (sessions.length === LIMITS.ejabberdSessions) break;
    if (typeof one !== 'object' || one === null) throw malformed();
    const { resource, status, statustext, priority, uptime } = one as Readonly<Record<string, unknown>>;
    if (!isText(resource, 1) || !isText(status, 0) || !isText(statustext, 0) || !isSmall(priority) || typeof uptime !== 'number' || !(uptime >= 0)) throw malformed();
    if (status === 'unavailable') continue;
    sessions.push({ resource, show: showOf(status), status: statustext, priority, startedAt: now - Math.round(uptime * SECOND_MS) });
  }
  return sessions;
}

/** Whether two sessions with the same resource are one: the client has not signed in again meanwhile. */
export function isSameSession(one: { readonly startedAt: Instant }, other: { readonly startedAt: Instant }): boolean {
  return Math.abs(one.startedAt - other.startedAt) <= LIMITS.ejabberdSessionAgeMs;
}

export function isSame(one: Shows, other: Shows): boolean {
  return one.show === other.show && one.status === other.status;
}

/** What is none of RFC 6121's is no show, as a client would take it. */
function showOf(status: string): Show {
  return SHOWS.find((show) => show === status) ?? 'available';
}

/** A resource is at most 1,023 octets (RFC 7622 §3.4); a longer status text would not be put back whole. */
function isText(value: unknown, least: number): value is string {
  return typeof value === 'string' && value.length >= least && value.length <= LIMITS.ejabberdStatusCharacters;
}

function isSmall(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= 128;
}

function malformed(): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'ejabberd answered user_sessions_info with something else', { temporary: true });
}
