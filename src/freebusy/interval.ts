import { DAY_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';

/** One stretch of time, half-open, UTC: `start` belongs to it, `end` does not, and `start < end`. */
export interface Interval {
  readonly start: Instant;
  readonly end: Instant;
}

/** The part of `interval` that lies inside `bounds`, or undefined where they do not meet. */
export function clip(interval: Interval, bounds: Interval): Interval | undefined {
  const start = Math.max(interval.start, bounds.start);
  const end = Math.min(interval.end, bounds.end);
  return start < end ? { start, end } : undefined;
}

/** Whether the two share any time; touching ends do not. */
export function overlaps(a: Interval, b: Interval): boolean {
  return a.start < b.end && b.start < a.end;
}

/** `instant` moved back to a multiple of `stepMs` since the epoch. */
export function floorTo(instant: Instant, stepMs: number): Instant {
  return Math.floor(instant / stepMs) * stepMs;
}

/** `instant` moved forward to a multiple of `stepMs` since the epoch. */
export function ceilTo(instant: Instant, stepMs: number): Instant {
  return Math.ceil(instant / stepMs) * stepMs;
}

/** The smallest interval with both ends on multiples of `stepMs` that holds `interval`. */
export function alignOutward(interval: Interval, stepMs: number): Interval {
  return { start: floorTo(interval.start, stepMs), end: ceilTo(interval.end, stepMs) };
}

/** `window` cut into consecutive pieces of at most `days` × 24 hours, in order; none for an empty window. */
export function splitWindow(window: Interval, days: number): readonly Interval[] {
  const pieces: Interval[] = [];
  for (let start = window.start; start < window.end; start += days * DAY_MS) {
    pieces.push({ start, end: Math.min(start + days * DAY_MS, window.end) });
  }
  return pieces;
}

/** The stretches of `window` that none of `known` covers, in order. `known` may be unsorted and overlap. */
export function gaps(window: Interval, known: readonly Interval[]): readonly Interval[] {
  const inside = known.flatMap((one) => clip(one, window) ?? []).sort((a, b) => a.start - b.start);
  const out: Interval[] = [];
  let from = window.start;
  for (const one of inside) {
    if (one.start > from) out.push({ start: from, end: one.start });
    from = Math.max(from, one.end);
  }
  if (from < window.end) out.push({ start: from, end: window.end });
  return out;
}
