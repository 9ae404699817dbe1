import type { Job, Queue } from 'bullmq';
import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { QueueDepth } from '../core/metrics.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { groupsOf } from '../freebusy/ask-in-parts.ts';
import type { RedisConnection } from '../platform/redis/redis-store.ts';
import type { Blocked } from './brake.ts';
import type { FailureStore } from './failure-store.ts';
import { decodeLastTry, deduplicationIdOf } from './queued-job.ts';
import type { QueuedJob } from './queued-job.ts';
import type { QueueEntry, QueueReport } from './report.ts';
import type { RetryingSet } from './retrying-set.ts';
import type { RunningTurns } from './running-turns.ts';

export interface InventoryParts {
  readonly route: string;
  readonly queue: Queue<QueuedJob, void>;
  readonly redis: RedisConnection;
  readonly failures: FailureStore;
  readonly retrying: RetryingSet;
  readonly running: RunningTurns;
}

/** What lies in one route's queue: counted, listed, taken out. Rejects with whatever the connection says. */
export class QueueInventory {
  readonly #parts: InventoryParts;

  constructor(parts: InventoryParts) {
    this.#parts = parts;
  }

  /** Changed and not begun, without those whose last try failed. */
  async waiting(): Promise<number> {
    return (await this.#counts()).waiting;
  }

  async depth(now: Instant): Promise<QueueDepth> {
    const { queue, redis, failures, retrying, running, route } = this.#parts;
    const [counts, failed, [oldest], jobs] = await Promise.all([this.#counts(), failures.count(redis), retrying.oldest(redis, 1), Promise.all([queue.getJobs('wait', 0, 0, true), queue.getJobs('delayed', 0, 0, true)])]);
    const stored = [...jobs.flat().map(({ data }) => data.at), ...running.all().map(({ storedAt }) => storedAt), ...(oldest === undefined ? [] : [oldest.storedAt])];
    return { route, ...counts, failed, oldestAgeMs: stored.length === 0 ? 0 : Math.max(0, now - Math.min(...stored)) };
  }

  /** At most LIMITS.queueEntriesShown of each state, the oldest first. */
  async report(blocked: Blocked | undefined): Promise<{ readonly entries: readonly QueueEntry[]; readonly counts: QueueReport['counts'][number] }> {
    const { queue, redis, failures, route } = this.#parts;
    const most = LIMITS.queueEntriesShown;
    const [counts, failedCount, failed, waiting, delayed, active, retrying] = await Promise.all([
      this.#counts(),
      failures.count(redis),
      failures.oldest(redis, most),
      queue.getJobs('wait', 0, most - 1, true),
      queue.getJobs('delayed', 0, most - 1, true),
      queue.getJobs('active', 0, most - 1),
      this.#retrying(most),
    ]);
    const entry = (job: Job<QueuedJob>, state: 'waiting' | 'running' | 'retrying'): QueueEntry => {
      const last = decodeLastTry(job.failedReason);
      const shown = { route, mailbox: job.data.m, state, since: job.data.at, attempts: job.attemptsMade };
      if (last === undefined) return shown;
      return { ...shown, code: last.code, reason: last.reason, ...(state === 'retrying' ? { nextTryAt: last.nextTryAt } : {}) };
    };
    // One whose pause is over waits for its place like everybody else, and is still being retried.
    const isNew = (job: Job<QueuedJob>): boolean => decodeLastTry(job.failedReason) === undefined;
    const oldestFirst = (entries: readonly QueueEntry[]): readonly QueueEntry[] => [...entries].sort((a, b) => a.since - b.since).slice(0, most);
    const running = active.map((job) => entry(job, 'running'));
    const isRunning = new Set(active.map(({ id }) => id));
    return {
      entries: [
        ...oldestFirst([...waiting, ...delayed].filter(isNew).map((job) => entry(job, 'waiting'))),
        ...oldestFirst(running),
        ...oldestFirst(retrying.filter(({ id }) => !isRunning.has(id)).map((job) => entry(job, 'retrying'))),
        ...failed.map(({ mailbox, since, attempts, code, reason }): QueueEntry => ({ route, mailbox, state: 'failed', since, attempts, code, reason })),
      ],
      counts: { route, ...counts, failed: failedCount, ...(blocked === undefined ? {} : { blocked: `${blocked.code}: ${blocked.reason}` }) },
    };
  }

  /** Those whose last try failed are tried now. @returns how many of them there were */
  async promote(mailboxes: readonly MailboxAddress[] | 'all'): Promise<number> {
    const { redis, retrying } = this.#parts;
    const known = new Set((await retrying.oldest(redis)).map(({ mailbox }) => mailbox));
    const wanted = mailboxes === 'all' ? [...known] : mailboxes.filter((one) => known.has(one));
    let count = 0;
    await inChunks(wanted, async (mailbox) => {
      const job = await this.#jobOf(mailbox);
      if (job !== undefined && (await promoted(job))) count += 1;
    });
    return count;
  }

  /** Those due later than any pause lasts, because the clock was set back since: they are tried now. */
  async promoteFarOff(now: Instant): Promise<void> {
    const { queue, redis } = this.#parts;
    // BullMQ's score: the time, and twelve bits to tell those of one millisecond apart.
    const ids = await redis.zrangebyscore(queue.toKey('delayed'), (now + LIMITS.retryAfterLongestMs) * 0x1000, '+inf');
    await inChunks(ids, async (id) => {
      const job: Job<QueuedJob> | undefined = await queue.getJob(id);
      if (job !== undefined) await promoted(job);
    });
  }

  /** Takes waiting and retrying ones out, with what keeps their successors away. What runs, and what changed while it runs, stays. @returns how many */
  async remove(mailboxes: readonly MailboxAddress[] | 'all'): Promise<number> {
    const { queue, redis, retrying } = this.#parts;
    const ids = mailboxes === 'all' ? await this.#idsOfAll() : await this.#idsOf(mailboxes);
    let removed = 0;
    await inChunks(ids, async (id) => {
      const job = await queue.getJob(id);
      if (job === undefined || (await job.isActive())) return;
      // A job that began in between is locked, and stays.
      if ((await queue.remove(id)) !== 1) return;
      await retrying.remove(redis, [job.data.m]);
      removed += 1;
    });
    return removed;
  }

  async #counts(): Promise<{ readonly waiting: number; readonly running: number; readonly retrying: number }> {
    const { queue, redis, retrying, running } = this.#parts;
    const [counts, tryingAgain] = await Promise.all([queue.getJobCounts('wait', 'delayed', 'active'), retrying.count(redis)]);
    const again = Math.max(0, tryingAgain - running.all().filter(({ attempt }) => attempt > 1).length);
    return { waiting: Math.max(0, (counts['wait'] ?? 0) + (counts['delayed'] ?? 0) - again), running: counts['active'] ?? 0, retrying: again };
  }

  async #retrying(most: number): Promise<readonly Job<QueuedJob>[]> {
    const { redis, retrying } = this.#parts;
    const jobs: Job<QueuedJob>[] = [];
    await inChunks(await retrying.oldest(redis, most), async ({ mailbox }) => {
      const job = await this.#jobOf(mailbox);
      if (job !== undefined) jobs.push(job);
    });
    return jobs;
  }

  async #jobOf(mailbox: MailboxAddress): Promise<Job<QueuedJob> | undefined> {
    const id = await this.#parts.queue.getDeduplicationJobId(deduplicationIdOf(mailbox));
    return id === null ? undefined : this.#parts.queue.getJob(id);
  }

  async #idsOf(mailboxes: readonly MailboxAddress[]): Promise<readonly string[]> {
    const ids = await Promise.all([...new Set(mailboxes)].map((mailbox) => this.#parts.queue.getDeduplicationJobId(deduplicationIdOf(mailbox))));
    return ids.filter((id) => id !== null);
  }

  async #idsOfAll(): Promise<readonly string[]> {
    const { queue } = this.#parts;
    const ids = await Promise.all([queue.getRanges(['wait', 'delayed'], 0, -1, true)]);
    return ids.flat();
  }
}

/** Whether the job waited for its time; now it waits for its place. */
async function promoted(job: Job): Promise<boolean> {
  if (!(await job.isDelayed())) return false;
  try {
    await job.promote();
    return true;
  } catch (error) {
    // Its time came in between.
    if (await job.isDelayed()) throw error;
    return false;
  }
}

async function inChunks<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (const some of groupsOf(all, LIMITS.jobsAtOnce)) await Promise.all(some.map(work));
}
