import { LIMITS } from './limits.ts';

/** The first and the longest of pauses that double, in ms. */
export interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * How long to wait before the next try, in ms: doubling, a quarter more or less so that thousands who failed together do not come back
 * together, and never shorter than the server asked for (which counts for LIMITS.retryAfterLongestMs at most).
 *
 * @param failures how many tries failed so far, from 1
 */
export function pauseAfter(failures: number, { firstMs, longestMs }: Pauses, retryAfterMs = 0): number {
  const doubled = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);
  return Math.round(Math.max(doubled * (0.75 + Math.random() / 2), Math.min(retryAfterMs, LIMITS.retryAfterLongestMs)));
}

/** The pause without its spread and without the server's word: for what is tried by whoever comes next, and not by all who wait. */
export function doubling(failures: number, { firstMs, longestMs }: Pauses): number {
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);
}
