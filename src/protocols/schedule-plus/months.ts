import { MINUTE_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';

/** One calendar month in UTC: minutes of a block count from `start`; `minutes` is its whole length (40320 … 44640). */
export interface Month {
  readonly start: Instant;
  readonly minutes: number;
}

/**
 * Reads a month value, `year * 16 + month` with January = 1 ([MS-OXOPFFB] 2.2.1.2). Undefined for months that do not exist:
 * Zimbra 8 counts on from December (13, 14, 15, 0) before it reaches January.
 */
export function decodeMonth(value: number): Month | undefined {
  const year = value >> 4;
  const month = value & 15;
  if (month < 1 || month > 12 || year < FIRST_YEAR || year > LAST_YEAR) return undefined;
  const start = Date.UTC(year, month - 1, 1);
  return { start, minutes: (Date.UTC(year, month, 1) - start) / MINUTE_MS };
}

/** The month value of the UTC month in which the instant lies. */
export function encodeMonth(instant: Instant): number {
  const date = new Date(instant);
  return date.getUTCFullYear() * 16 + date.getUTCMonth() + 1;
}

/** MAPI times begin in 1601; below 100 `Date.UTC` would mean another century. */
const FIRST_YEAR = 1601;
const LAST_YEAR = 4500;
