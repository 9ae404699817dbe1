import { MINUTE_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * Reads a time of an answer. Exchange sends naive times in the zone of the request (always UTC in ours), Exchange 2007's
 * samples have `Z` or `+01:00`, grommunio `+0100` without a colon. Undefined for everything else, February 30 included.
 */
export function decodeDateTime(text: string | undefined): Instant | undefined {
  const match = PATTERN.exec(text?.trim() ?? '');
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (minute > 59 || second > 59 || hour > 24 || (hour === 24 && (minute > 0 || second > 0))) return undefined;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')));
  const date = new Date(Date.UTC(year, month - 1, day));
  if (year < 1601 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = offsetMinutes(match[8]);
  return offset === undefined ? undefined : wall - offset * MINUTE_MS;
}

/** A naive time, to the second: the zone stands beside it. An offset here is read anew by some servers (exchange.md §7, 13). */
export function encodeNaiveDateTime(local: number): string {
  return new Date(local).toISOString().slice(0, 19);
}

function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  // XML Schema's bound.
  if (hours > 14 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
