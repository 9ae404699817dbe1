import { LIMITS } from '../core/limits.ts';
import { jittered } from '../core/pause.ts';

// → LIMITS
/** A server that asks for a day is broken or hostile. */
const RETRY_AFTER_LONGEST_MS = 15 * 60_000;

/** The first and the longest of pauses that double, in ms. */
export interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

export const RETRY_PAUSES: Pauses = { firstMs: LIMITS.retryFirstMs, longestMs: LIMITS.retryLongestMs };
export const BLOCKED_PAUSES: Pauses = { firstMs: LIMITS.blockedFirstMs, longestMs: LIMITS.blockedLongestMs };

/**
 * How long to wait before the next try, in ms: doubling, a quarter more or less, and never shorter than the server asked for
 * (which counts for a quarter of an hour at most).
 *
 * @param failures how many tries failed so far, from 1
 */
export function pauseAfter(failures: number, { firstMs, longestMs }: Pauses, retryAfterMs = 0): number {
  const doubled = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);
  return Math.round(Math.max(jittered(doubled), Math.min(retryAfterMs, RETRY_AFTER_LONGEST_MS)));
}
