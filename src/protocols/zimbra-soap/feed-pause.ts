import { setTimeout as wait } from 'node:timers/promises';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { retryPauseMs } from './retry-pause.ts';

/** Waits so long, or until the signal fires; never rejects. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = async (ms, signal) => {
  if (ms > 0 && !signal.aborted) await wait(ms, undefined, { signal }).catch(() => undefined);
};

/** The store is our own, nobody is spared by staying away from it, and changes wait for it. → LIMITS */
const STORE_LONGEST_MS = 5_000;

/** How long after `error`: much longer where we are refused, because accounts get locked; no shorter than the server asked for. */
export function pauseAfter(error: BridgeError, failures: number): number {
  if (error.code === 'BACKEND_AUTH') return retryPauseMs(failures, LIMITS.blockedFirstMs, LIMITS.blockedLongestMs);
  if (error.code === 'STORE_UNAVAILABLE') return retryPauseMs(failures, LIMITS.waitSetPaceMs, STORE_LONGEST_MS);
  const own = retryPauseMs(failures, LIMITS.feedRetryFirstMs, LIMITS.feedRetryLongestMs);
  return Math.max(own, Math.min(error.retryAfterMs ?? 0, LIMITS.feedRetryLongestMs));
}
