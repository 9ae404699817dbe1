import { Queue } from 'bullmq';
import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { QueueDepth } from '../core/metrics.ts';
import { pause } from '../core/pause.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { groupsOf } from '../freebusy/ask-in-parts.ts';
import { storeUnavailable } from '../platform/redis/store-unavailable.ts';
import { FailureStore } from './failure-store.ts';
import { QueueInventory } from './queue-inventory.ts';
import { DEFAULT_TIMING } from './queue-options.ts';
import type { QueueTiming, ReplicationQueueOptions } from './queue-options.ts';
import { QueueWorker } from './queue-worker.ts';
import { JOB_NAME, optionsOf } from './queued-job.ts';
import type { QueuedJob } from './queued-job.ts';
import { REDIS_PREFIX } from './redis-keys.ts';
import type { QueueEntry, QueueReport } from './report.ts';
import { RetryingSet } from './retrying-set.ts';
import { RunningTurns } from './running-turns.ts';
import type { TurnWork } from './turn.ts';

export type { ReplicationQueueOptions } from './queue-options.ts';
export { REDIS_PREFIX } from './redis-keys.ts';

/**
 * The mailboxes of one route that are to be replicated, in Redis.
 *
 * A burst of changes becomes one turn or two, and the last change is never lost: one that comes before the turn begins is
 * covered by it (the turn reads the newest state), one that comes later leads to another turn. No mailbox waits for another's
 * failure. Nothing of a calendar is kept here.
 */
export class ReplicationQueue {
  readonly #options: ReplicationQueueOptions;
  readonly #timing: QueueTiming;
  readonly #queue: Queue<QueuedJob, void>;
  readonly #failures: FailureStore;
  readonly #retrying: RetryingSet;
  readonly #running = new RunningTurns();
  readonly #inventory: QueueInventory;
  readonly #closed = new AbortController();
  #worker: QueueWorker | undefined;
  /** Of the clock that only goes forward; how far is nobody's business. */
  #clockAhead = Infinity;

  /** Nothing is worked on before `start`; several processes may have the same queue open. */
  constructor(options: ReplicationQueueOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#failures = new FailureStore(options.key);
    this.#retrying = new RetryingSet(options.key);
    const { commands } = options.store;
    // BullMQ keeps a journal of 10,000 events that nobody here reads. The store tells the log about its connection.
    this.#queue = new Queue<QueuedJob, void>(options.key, { connection: commands, prefix: REDIS_PREFIX, skipVersionCheck: true, streams: { events: { maxLen: LIMITS.queueEventsKept } } });
    this.#queue.on('error', () => undefined);
    this.#inventory = new QueueInventory({ route: options.route, queue: this.#queue, redis: commands, failures: this.#failures, retrying: this.#retrying, running: this.#running });
  }

  /**
   * Stores that these mailboxes changed; durably when it resolves. Telling of one twice does no harm.
   *
   * @throws BridgeError STORE_UNAVAILABLE (temporary) when Redis is away or holds all it may; some of them may be stored all the same
   */
  async add(mailboxes: readonly MailboxAddress[]): Promise<void> {
    const distinct = [...new Set(mailboxes)];
    for (const some of groupsOf(distinct, LIMITS.storedAtOnce)) {
      await this.#room();
      await this.#asking(this.#store(some));
    }
    if (distinct.length > 0) await this.#asking(this.#options.store.durable());
    await this.#minded();
  }

  /** Somebody else has brought this mailbox up to date: it has not failed any more. @throws BridgeError STORE_UNAVAILABLE */
  async succeeded(mailbox: MailboxAddress): Promise<void> {
    await this.#asking(this.#failures.remove(this.#options.store.commands, [mailbox]));
  }

  /** Starts working, once; where Redis is away, when it is there. verdictOf decides what becomes of a mailbox whose turn throws. */
  start(work: TurnWork): void {
    if (this.#closed.signal.aborted) return;
    const { commands } = this.#options.store;
    const begin = (): void => {
      this.#worker ??= new QueueWorker({
        options: this.#options,
        timing: this.#timing,
        failures: this.#failures,
        retrying: this.#retrying,
        running: this.#running,
        work,
        again: async (mailbox) => this.#again(mailbox),
      });
    };
    // A worker of BullMQ that was never connected cannot be closed.
    if (commands.status === 'ready') begin();
    else {
      commands.once('ready', begin);
      this.#closed.signal.addEventListener('abort', () => commands.off('ready', begin), { once: true });
    }
  }

  /** @throws BridgeError STORE_UNAVAILABLE */
  async depth(): Promise<QueueDepth> {
    return this.#asking(this.#inventory.depth(this.#options.clock.now()));
  }

  /** The oldest first within each state, at most LIMITS.queueEntriesShown of each. @throws BridgeError STORE_UNAVAILABLE */
  async report(): Promise<{ readonly entries: readonly QueueEntry[]; readonly counts: QueueReport['counts'][number] }> {
    return this.#asking(this.#inventory.report(this.#worker?.blocked));
  }

  /** Changed and not begun; for pacing a pass over all mailboxes. @throws BridgeError STORE_UNAVAILABLE */
  async waiting(): Promise<number> {
    return this.#asking(this.#inventory.waiting());
  }

  /** Failed ones are queued again (and stay in the report until they succeed), retrying ones are tried now, and a route held back goes on: somebody has put something right. @returns how many. @throws BridgeError STORE_UNAVAILABLE */
  async retry(mailboxes: readonly MailboxAddress[] | 'all'): Promise<number> {
    const { commands } = this.#options.store;
    const failed = await this.#asking(mailboxes === 'all' ? this.#failures.mailboxes(commands) : this.#failures.among(commands, mailboxes));
    this.#worker?.unblock();
    const promoted = await this.#patiently(() => this.#inventory.promote(mailboxes));
    await this.add(failed);
    return failed.length + promoted;
  }

  /** Takes waiting, retrying and failed ones out, never one that runs. @returns how many. @throws BridgeError STORE_UNAVAILABLE */
  async drop(mailboxes: readonly MailboxAddress[] | 'all'): Promise<number> {
    const { commands } = this.#options.store;
    const removed = await this.#patiently(() => this.#inventory.remove(mailboxes));
    return removed + (await this.#asking(this.#failures.remove(commands, mailboxes)));
  }

  /** Takes up no new turn, lets those under way finish for so long, then sends them back to be run after the next start. Safe to call twice. */
  async close(graceMs: number): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    await this.#worker?.close(graceMs);
    await this.#queue.close();
  }

  async #store(mailboxes: readonly MailboxAddress[]): Promise<void> {
    const at = this.#options.clock.now();
    await this.#queue.addBulk(mailboxes.map((m) => ({ name: JOB_NAME, data: { m, at }, opts: optionsOf(m, this.#timing.gatherMs) })));
    for (const mailbox of mailboxes) this.#running.changed(mailbox, at);
  }

  /** Looks whether somebody set the clock back, at the first change too: what was put off by the old one would wait for it to come again. @throws BridgeError STORE_UNAVAILABLE */
  async #minded(): Promise<void> {
    const now = this.#options.clock.now();
    const ahead = now - performance.now();
    if (ahead < this.#clockAhead - LIMITS.clockSetBackMs) await this.#patiently(() => this.#inventory.promoteFarOff(now));
    this.#clockAhead = ahead;
  }

  /** @throws BridgeError STORE_UNAVAILABLE where no more may wait */
  async #room(): Promise<void> {
    const { maxWaiting } = this.#options.store;
    if (maxWaiting === undefined) return;
    const { wait = 0, delayed = 0 } = await this.#asking(this.#queue.getJobCounts('wait', 'delayed'));
    if (wait + delayed < maxWaiting) return;
    throw new BridgeError('STORE_UNAVAILABLE', `${maxWaiting} mailboxes wait already, the Redis inside the bridge holds no more: configure redis`, { temporary: true, retryAfterMs: 5_000 });
  }

  /** Stores it once more, however long that takes; where no more may wait too, for it was counted before and its turn waits for this. */
  async #again(mailbox: MailboxAddress): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        await this.#asking(this.#store([mailbox]));
        return await this.#asking(this.#options.store.durable());
      } catch (error) {
        const { code, message } = storeUnavailable(error);
        this.#options.logger.debug({ route: this.#options.route, mailbox, code, reason: message }, 'stored again when Redis is back');
        await pause(LIMITS.retryPauses.firstMs, this.#closed.signal);
      }
    }
  }

  /** BullMQ waits without end for a connection that was never there. */
  async #asking<T>(answer: Promise<T>): Promise<T> {
    try {
      return await untilAborted(answer, this.#closed.signal, LIMITS.storeTimeoutMs);
    } catch (thrown) {
      throw thrown instanceof BridgeError && thrown.code === 'DEADLINE' ? storeUnavailable(new Error('Command timed out')) : storeUnavailable(thrown);
    }
  }

  /** Thousands of commands: each of them fails soon, all together may take longer. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    await this.waiting();
    try {
      return await ask();
    } catch (thrown) {
      throw storeUnavailable(thrown);
    }
  }
}
