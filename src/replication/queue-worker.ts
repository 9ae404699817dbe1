import { DelayedError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Clock } from '../core/clock.ts';
import { toBridgeError } from '../core/errors.ts';
import type { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { endForGood } from '../platform/redis/connections.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { RedisConnection } from '../platform/redis/redis-store.ts';
import { reasonOf } from '../platform/redis/store-unavailable.ts';
import { pauseAfter } from '../core/back-off.ts';
import { Brake } from './brake.ts';
import type { Blocked, Pass } from './brake.ts';
import type { FailureStore } from './failure-store.ts';
import { TRY_FOR_EVER, decodeLastTry, encodeLastTry } from './queued-job.ts';
import type { QueuedJob } from './queued-job.ts';
import type { QueueTiming, ReplicationQueueOptions } from './queue-options.ts';
import { REDIS_PREFIX } from './redis-keys.ts';
import type { RetryingSet } from './retrying-set.ts';
import { RunningTurn } from './running-turns.ts';
import type { RunningTurns } from './running-turns.ts';
import { FailedTurn, inWords } from './turn.ts';
import type { TurnWork } from './turn.ts';
import { verdictOf } from './verdict.ts';

/** Only goes forward, whatever somebody does to the system's clock; not an Instant. */
const FORWARD: Clock = { now: () => performance.now() };

/** What tells BullMQ to put a job back for a while; its text is kept in the job. */
class TryAgain extends Error {
  readonly delayMs: number;

  constructor(lastTry: string, delayMs: number) {
    super(lastTry);
    this.delayMs = delayMs;
  }
}

export interface QueueWorkerParts {
  readonly options: ReplicationQueueOptions;
  readonly timing: QueueTiming;
  readonly failures: FailureStore;
  readonly retrying: RetryingSet;
  readonly running: RunningTurns;
  readonly work: TurnWork;
  /** Puts a mailbox into the queue anew; never rejects. */
  readonly again: (mailbox: MailboxAddress) => Promise<void>;
}

/** Takes the jobs of one route out of Redis, gives each its turn, and decides what becomes of those that fail. */
export class QueueWorker {
  readonly #parts: QueueWorkerParts;
  readonly #redis: RedisConnection;
  /** On which BullMQ waits for work. */
  readonly #waiting: RedisConnection;
  readonly #worker: Worker<QueuedJob, void>;
  readonly #brake: Brake;
  #trial: NodeJS.Timeout | undefined;
  #isClosing = false;
  #saidAt = -Infinity;

  constructor(parts: QueueWorkerParts) {
    this.#parts = parts;
    const { options, timing, running } = parts;
    this.#redis = options.store.blocking();
    this.#waiting = options.store.blocking();
    this.#brake = new Brake(FORWARD, timing.blocked);
    this.#worker = new Worker<QueuedJob, void>(options.key, async (job, token) => this.#process(job, token), {
      // BullMQ duplicates it for itself, and nobody but BullMQ could end that one.
      connection: Object.assign(this.#redis, { duplicate: () => this.#waiting }),
      prefix: REDIS_PREFIX,
      concurrency: options.concurrency,
      lockDuration: timing.lockMs,
      stalledInterval: timing.stalledMs,
      // However often its process died: what BullMQ gives up is lost.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      runRetryDelay: LIMITS.retryPauses.firstMs,
      drainDelay: LIMITS.queueLooksSeconds,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      settings: { backoffStrategy: (_attempts, _type, error, job) => (error instanceof TryAgain ? error.delayMs : this.#unfinished(job as Job<QueuedJob, void> | undefined)) },
    });
    this.#worker.on('error', (error) => this.#say(error));
    this.#worker.on('lockRenewalFailed', (jobIds) => running.lose(jobIds));
  }

  /** Why nobody is tried at present. */
  get blocked(): Blocked | undefined {
    return this.#brake.blocked;
  }

  /** Whatever refused the route as a whole may have been put right: everybody may try at once. */
  unblock(): void {
    if (this.#brake.release()) this.#releaseAll();
  }

  /** Lets turns under way finish for `graceMs`, then sends them back; what does not even go back is found by the next start. Ends its connections: nobody waits for a Redis that hangs. */
  async close(graceMs: number): Promise<void> {
    const { running, timing } = this.#parts;
    this.#isClosing = true;
    clearTimeout(this.#trial);
    await this.#worker.pause(true);
    await running.whenIdle(graceMs);
    running.abortAll();
    // What ignores its signal loses its place after half of settleMs, and whoever waits for Redis is not waited for.
    await running.whenIdle(timing.settleMs / 2 + LIMITS.queueFarewellMs);
    await this.#patiently(this.#worker.close(running.size > 0));
    endForGood(this.#redis);
    endForGood(this.#waiting);
  }

  /** Waits for something that Redis is asked while the queue closes, for a moment. */
  async #patiently(asked: Promise<unknown>): Promise<void> {
    await untilAborted(asked, new AbortController().signal, LIMITS.queueFarewellMs).catch((error: unknown) => this.#say(error));
  }

  async #process(job: Job<QueuedJob, void>, token: string | undefined): Promise<void> {
    const { options, running, timing } = this.#parts;
    const { m: mailbox, at } = job.data;
    // Nobody can work on what names no mailbox; it ends here.
    if (typeof mailbox !== 'string' || typeof at !== 'number') return options.logger.error({ route: options.route, code: 'INTERNAL' }, 'a job without a mailbox was taken out of the queue');
    Object.assign(job.opts, TRY_FOR_EVER);
    if (this.#isClosing || running.has(mailbox)) return this.#park(job, token, timing.parkMs);
    const pass = this.#brake.admit();
    if (pass === undefined) return this.#park(job, token, timing.parkMs);
    const attempt = job.attemptsMade + 1;
    const turn = new RunningTurn({ mailbox, jobId: job.id ?? '', storedAt: running.storedAt(mailbox, at), attempt }, timing.settleMs / 2);
    running.begin(turn);
    if (attempt === 1) options.metrics.replicationStage(options.route, 'queued', Math.max(0, options.clock.now() - turn.storedAt));
    try {
      const result = await this.#take(turn);
      if (turn.ended === 'lost') await this.#lost(mailbox);
      else if ('done' in result) await this.#succeeded(job, turn, pass, result.done);
      else await this.#failed(job, token, turn, pass, result);
    } finally {
      this.#brake.undecided(pass);
      running.end(turn);
    }
  }

  /** The turn itself. @returns the systems that did what they were asked to, or what it threw */
  async #take(turn: RunningTurn): Promise<{ readonly done: readonly string[] } | Blame> {
    try {
      return { done: await turn.run(this.#parts.work, this.#parts.timing.turnMs) };
    } catch (thrown) {
      return blamed(thrown);
    }
  }

  async #succeeded(job: Job<QueuedJob, void>, { mailbox, attempt }: RunningTurn, pass: Pass, done: readonly string[]): Promise<void> {
    const { failures, retrying } = this.#parts;
    if (this.#brake.succeeded(pass, done)) this.#releaseAll();
    await failures.clear(this.#redis, mailbox);
    if (attempt > 1 || job.stalledCounter > 0) await retrying.remove(this.#redis, [mailbox]);
  }

  /** A turn ended and BullMQ could not say so in Redis, because the job is somebody else's by now. @returns when it may be tried again if it is ours after all */
  #unfinished(job: Job<QueuedJob, void> | undefined): number {
    if (job !== undefined) void this.#parts.again(job.data.m);
    return this.#parts.timing.retry.firstMs;
  }

  /** Whoever has the job now may have read before this turn wrote its last: the mailbox runs once more, after both. */
  async #lost(mailbox: MailboxAddress): Promise<never> {
    await this.#parts.again(mailbox);
    throw new DelayedError();
  }

  async #failed(job: Job<QueuedJob, void>, token: string | undefined, turn: RunningTurn, pass: Pass, { error, system }: Blame): Promise<void> {
    const { failures, retrying, options, timing } = this.#parts;
    const { mailbox } = turn;
    if (turn.ended === 'closing') return this.#park(job, token, 0);
    const last = decodeLastTry(job.failedReason);
    const verdict = verdictOf(error);
    const doubtful = (last?.doubtful ?? 0) + (verdict === 'doubtful' ? 1 : 0);
    this.#tell(turn, error, system);
    if (verdict === 'block') {
      if (this.#brake.refused(pass, error, system)) this.#hold();
      return this.#park(job, token, timing.parkMs);
    }
    const now = options.clock.now();
    if (verdict === 'stop' || (verdict === 'doubtful' && doubtful >= LIMITS.doubtfulTries)) {
      await failures.record(this.#redis, mailbox, { code: error.code, reason: inWords(error, system) }, now, turn.attempt);
      await retrying.remove(this.#redis, [mailbox]);
      return;
    }
    const delayMs = pauseAfter(turn.attempt, timing.retry, error.retryAfterMs);
    await retrying.put(this.#redis, mailbox, turn.storedAt);
    throw new TryAgain(encodeLastTry({ code: error.code, reason: inWords(error, system), doubtful, nextTryAt: now + delayMs }), delayMs);
  }

  #tell({ mailbox, attempt, storedAt }: RunningTurn, error: BridgeError, system: string | undefined): void {
    const { route, logger, metrics, clock } = this.#parts.options;
    metrics.replicationFailed(route, system ?? 'bridge', error.code);
    const fields = { route, system: system ?? 'bridge', mailbox, code: error.code, reason: inWords(error, undefined), attempt, ageMs: clock.now() - storedAt };
    const stack = error.code === 'INTERNAL' && error.cause instanceof Error ? error.cause.stack : undefined;
    logger.warn(stack === undefined ? fields : { ...fields, stack }, 'a mailbox could not be replicated');
  }

  /** The brake was pulled: nobody is even fetched until somebody may try. */
  #hold(): void {
    const { options } = this.#parts;
    const blocked = this.#brake.blocked;
    if (blocked === undefined || this.#isClosing) return;
    const pauseMs = Math.max(0, Math.ceil(blocked.until - FORWARD.now()));
    options.logger.warn({ route: options.route, code: blocked.code, reason: blocked.reason, durationMs: pauseMs }, 'the whole route is held back, one mailbox tries again after this time');
    this.#letIn(0);
    clearTimeout(this.#trial);
    this.#trial = setTimeout(() => this.#letIn(1), pauseMs);
  }

  #releaseAll(): void {
    const { options } = this.#parts;
    clearTimeout(this.#trial);
    options.logger.info({ route: options.route }, 'the route goes on');
    this.#letIn(options.concurrency);
  }

  /** How many are worked on at the same time from now on; what is under way goes on. */
  #letIn(concurrency: number): void {
    if (this.#isClosing) return;
    this.#worker.concurrency = Math.max(concurrency, 1);
    // A worker that is busy notices a higher number only when it is woken, which `resume` does to one that was paused.
    const paused = this.#worker.pause(true);
    const change = concurrency === 0 ? paused : paused.then(() => (this.#isClosing ? undefined : this.#worker.resume()));
    change.catch((error: unknown) => this.#say(error));
  }

  /** Back into the queue for so long, without counting as a try. */
  async #park(job: Job<QueuedJob, void>, token: string | undefined, ms: number): Promise<never> {
    const parked = job.moveToDelayed(Date.now() + ms, token);
    if (this.#isClosing) await this.#patiently(parked);
    else await parked;
    throw new DelayedError();
  }

  /** BullMQ's own troubles, one line now and then. */
  #say(error: unknown): void {
    const { options } = this.#parts;
    const now = FORWARD.now();
    if (this.#isClosing || now - this.#saidAt < LIMITS.queueTroubleToldMs) return;
    this.#saidAt = now;
    options.logger.warn({ route: options.route, code: 'STORE_UNAVAILABLE', reason: reasonOf(error) }, 'the queue has trouble with Redis and goes on trying');
  }
}

interface Blame {
  readonly error: BridgeError;
  /** Undefined where nobody said which one failed. */
  readonly system: string | undefined;
}

function blamed(thrown: unknown): Blame {
  if (thrown instanceof FailedTurn) return thrown;
  const error = toBridgeError(thrown);
  return { error, system: typeof error.details['system'] === 'string' ? error.details['system'] : undefined };
}
