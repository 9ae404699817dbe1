import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RedisStore } from '../platform/redis/redis-store.ts';
import type { Pauses } from '../core/back-off.ts';

export interface ReplicationQueueOptions {
  /** `zimbra → exchange`, for people. */
  readonly route: string;
  /** For keys in Redis: `[a-z0-9-]`. */
  readonly key: string;
  readonly store: RedisStore;
  /** Mailboxes worked on at the same time. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For tests, which have no minutes to spare. */
  readonly timing?: Partial<QueueTiming>;
}

/** All of a queue's times, in ms. */
export interface QueueTiming {
  readonly gatherMs: number;
  readonly turnMs: number;
  readonly retry: Pauses;
  readonly blocked: Pauses;
  /** Who may not run just now looks again after this. */
  readonly parkMs: number;
  /** A process that does not say for so long that it still works on a mailbox has lost it to whoever looks next. */
  readonly lockMs: number;
  /** How often somebody looks. */
  readonly stalledMs: number;
  /** What is left of a turn after its signal has fired. */
  readonly settleMs: number;
}

export const DEFAULT_TIMING: QueueTiming = {
  gatherMs: LIMITS.gatherChangesMs,
  turnMs: LIMITS.replicationTurnMs,
  retry: LIMITS.retryPauses,
  blocked: LIMITS.blockedPauses,
  parkMs: LIMITS.parkedMs,
  lockMs: LIMITS.turnLockMs,
  stalledMs: LIMITS.stalledTurnsMs,
  settleMs: LIMITS.turnSettlesMs,
};
