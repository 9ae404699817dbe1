import type { Pauses } from '../../../core/back-off.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { LifetimeBounds } from './subscription.ts';

/** Times of a watch, in ms. Tests have no hour to spare. */
export interface WatchTimes {
  readonly lifetimes: LifetimeBounds;
  /** Renewed after this part of its lifetime. */
  readonly renewedAt: number;
  /** POLL where nobody tells, and where datagrams do. */
  readonly pollMs: number;
  readonly safetyPollMs: number;
  readonly gatheringMs: number;
  readonly pauses: Pauses;
  readonly refusedPauseMs: number;
  readonly unsolicitedMs: number;
}

export const WATCH_TIMES: WatchTimes = {
  lifetimes: LIMITS.webdavSubscription,
  renewedAt: LIMITS.webdavSubscription.renewedAt,
  pollMs: LIMITS.webdavPollMs,
  safetyPollMs: LIMITS.webdavSafetyPollMs,
  gatheringMs: LIMITS.webdavPollGatheringMs,
  pauses: LIMITS.webdavWatchPauses,
  refusedPauseMs: LIMITS.webdavRefusedPauseMs,
  unsolicitedMs: LIMITS.webdavUnsolicitedMs,
};
