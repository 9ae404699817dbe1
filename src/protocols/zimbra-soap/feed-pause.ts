import { pauseAfter as pauseAfterFailures } from '../../core/back-off.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** Waits so long, or until the signal fires; never rejects. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** How long after `error`: much longer where we are refused, because accounts get locked; no shorter than the server asked for. */
export function pauseAfter(error: BridgeError, failures: number): number {
  if (error.code === 'BACKEND_AUTH') return pauseAfterFailures(failures, LIMITS.blockedPauses);
  // The store is our own, nobody is spared by staying away from it, and changes wait for it.
  if (error.code === 'STORE_UNAVAILABLE') return pauseAfterFailures(failures, LIMITS.feedStorePauses);
  return pauseAfterFailures(failures, LIMITS.feedPauses, Math.min(error.retryAfterMs ?? 0, LIMITS.feedPauses.longestMs));
}
