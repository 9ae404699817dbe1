import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../core/clock.ts';

const UNITS = [[2 * DAY_MS, DAY_MS, 'd'], [2 * HOUR_MS, HOUR_MS, 'h'], [2 * MINUTE_MS, MINUTE_MS, 'min']] as const;

/** `850 ms`, `40 s`, `3 min`, `26 h`, `5 d`: rounded down, the largest unit of which there are two. */
export function durationInWords(ms: number): string {
  const unit = UNITS.find(([from]) => ms >= from);
  if (unit !== undefined) return `${Math.floor(ms / unit[1])} ${unit[2]}`;
  return ms < SECOND_MS ? `${Math.max(0, Math.floor(ms))} ms` : `${Math.floor(ms / SECOND_MS)} s`;
}
