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
  return parseCommonForm(text, least) ?? parseAnyForm(text, least);
}

/** `2026-03-02T09:00:00` with or without Z, as calendars send it by the thousand: read by its digits. Anything else is left to the other. */
function parseCommonForm(text: string, least: IsoForm): Instant | undefined {
  const hasZ = text.length === 20 && text.charCodeAt(19) === 0x5a;
  if (!hasZ && (text.length !== 19 || least === 'zoned')) return undefined;
  for (let at = 0; at < 19; at++) {
    const code = text.charCodeAt(at);
    const expected = SEPARATORS[at];
    if (expected === undefined ? code < 0x30 || code > 0x39 : code !== expected) return undefined;
  }
  const two = (at: number): number => (text.charCodeAt(at) - 0x30) * 10 + text.charCodeAt(at + 1) - 0x30;
  const [year, month, day, hour, minute, second] = [two(0) * 100 + two(2), two(5), two(8), two(11), two(14), two(17)];
  // The 29th and later need a look at the month: the other's business.
  if (year < 1000 || month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const SEPARATORS: Readonly<Record<number, number | undefined>> = { 4: 0x2d, 7: 0x2d, 10: 0x54, 13: 0x3a, 16: 0x3a };

function parseAnyForm(text: string, least: IsoForm): Instant | undefined {
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
