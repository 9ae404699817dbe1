import type { Instant } from './clock.ts';

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d{2}:?\d{2})?)?$/;

/** How much must be there: a date at least, a date and a time of day, or these and their zone. */
export type IsoForm = 'date' | 'date-time' | 'zoned';

/**
 * Reads ISO 8601 as people and programs write it: `2026-03-02T09:00:00Z`, `…+01:00`, `…+0100` (grommunio), fractions to the
 * millisecond, a bare date. Without a zone it is UTC. Undefined for anything else, blanks around it, a 30 February and a 25th
 * hour included; 24:00:00 is the next midnight (KB 813268).
 *
 * @param least what may not be missing
 */
export function parseIsoTime(text: string, least: IsoForm = 'date'): Instant | undefined {
  const match = ISO.exec(text);
  if (match === null || (least !== 'date' && match[4] === undefined) || (least === 'zoned' && match[8] === undefined)) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || hour > 24 || minute > 59 || second > 59) return undefined;
  if (hour === 24 && (minute > 0 || second > 0)) return undefined;
  const midnight = Date.UTC(year, month - 1, day);
  if (new Date(midnight).getUTCDate() !== day || year < 1000) return undefined;
  const milliseconds = Math.trunc(Number(`0.${match[7] ?? '0'}`) * 1000);
  const offset = offsetMinutes(match[8]);
  return offset === undefined ? undefined : midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds;
}

function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** The instant as clients send it: UTC with `Z`, whole seconds. */
export function formatIsoTime(instant: Instant): string {
  return new Date(instant).toISOString().replace(/\.\d+Z$/, 'Z');
}
