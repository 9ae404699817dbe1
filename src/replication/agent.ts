import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics, QueueDepth } from '../core/metrics.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { ChangeFeed, ChangeNotice } from '../freebusy/change-feed.ts';
import type { SinkSystem } from '../freebusy/sink.ts';
import type { RedisStore } from '../platform/redis/redis-store.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { PublishedStore } from './published-store.ts';
import { ReplicationQueue } from './queue.ts';
import { Replicator } from './replicator.ts';
import type { PushOutcome, QueueReport } from './report.ts';
import type { Route } from './route.ts';
import { everyoneOf } from './everyone.ts';
import { Sweep } from './sweep.ts';
import { FailedTurn } from './turn.ts';
import type { Turn } from './turn.ts';

/** One home system with what listens to it. */
export interface ReplicatedSystem {
  readonly name: string;
  /** Absent where nothing but the webhook tells of its changes. */
  readonly feed?: ChangeFeed | undefined;
  /** What `check` tries of the feed and the roster. */
  readonly probe?: ((ctx: RequestContext) => Promise<readonly ProbeFinding[]>) | undefined;
  /** Exact addresses of the configuration: known without asking anybody. */
  readonly mailboxes: readonly MailboxAddress[];
}

export interface ReplicationAgentOptions {
  readonly routes: readonly (Route & { readonly sink: SinkSystem })[];
  /** Every `from` of the routes, once. */
  readonly systems: readonly ReplicatedSystem[];
  readonly store: RedisStore;
  /** Of the process: an old and a new agent may be at work for a moment. */
  readonly locks: KeyedLock;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface RunningRoute {
  readonly route: Route & { readonly sink: SinkSystem };
  readonly queue: ReplicationQueue;
  readonly published: PublishedStore;
  readonly replicator: Replicator;
}

/** Every change of the home systems, carried into every system that keeps a replica: feeds → queue → replicator, and passes over everybody for what no feed tells. */
export class ReplicationAgent {
  readonly #options: ReplicationAgentOptions;
  readonly #routes: readonly RunningRoute[];
  readonly #sweeps: ReadonlyMap<string, Sweep>;
  readonly #ended = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  /** Opens the queues; nothing is worked before `start`. */
  constructor(options: ReplicationAgentOptions) {
    this.#options = options;
    const { store, locks, clock, logger, metrics } = options;
    this.#routes = options.routes.map((route): RunningRoute => {
      const published = new PublishedStore(store, route);
      const queue = new ReplicationQueue({ route: route.name, key: route.key, store, concurrency: route.concurrency, clock, logger, metrics });
      return { route, published, queue, replicator: new Replicator({ route, published, locks, clock, logger, metrics }) };
    });
    this.#sweeps = new Map(options.systems.map((system) => [system.name, this.#sweepOf(system)]));
  }

  /** Begins to work, to listen and to sweep: a full pass first. */
  start(): void {
    const { signal } = this.#ended;
    for (const running of this.#routes) running.queue.start((turn) => this.#work(running, turn));
    const feeds = this.#options.systems.flatMap(({ name, feed }) => (feed === undefined ? [] : [feed.run((notice) => this.#hear(name, notice), signal)]));
    const sweeps = [...this.#sweeps.values()].map((sweep) => sweep.run(signal));
    this.#running = Promise.allSettled([...feeds, ...sweeps]);
  }

  /** Lets turns under way finish for so long; what is not done by then is done after the next start. Safe to call twice. */
  async close(graceMs: number): Promise<void> {
    this.#ended.abort();
    await Promise.all([this.#running, ...this.#routes.map(({ queue }) => queue.close(graceMs))]);
  }

  /**
   * Stores that these mailboxes of a system changed; resolves when that survives a crash.
   *
   * @param feed who told: `waitset`, `notify`, `push-face`, `sweep`
   * @throws BridgeError STORE_UNAVAILABLE; then nothing must be acknowledged
   */
  async changed(system: string, feed: string, mailboxes: readonly MailboxAddress[]): Promise<void> {
    if (mailboxes.length === 0) return;
    // The excluded ones too: who was published before loses the message.
    await Promise.all(this.#from(system).map(({ queue }) => queue.add(mailboxes)));
    this.#options.metrics.changes(system, feed, mailboxes.length);
  }

  /** Whether a change in this system would be heard now. */
  isHearing(system: string): boolean {
    return this.#options.systems.some(({ name, feed }) => name === system && feed?.isHearing() === true);
  }

  /** Reads and writes now, on every route of the mailbox's home (and where it once was published), whatever the digest says. Failures are outcomes. @throws BridgeError MAILBOX_UNKNOWN where it lives nowhere, STORE_UNAVAILABLE */
  async push(mailbox: MailboxAddress, options: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<readonly PushOutcome[]> {
    const home = this.#routes[0]?.route.homeOf(mailbox);
    // Who has moved away is still on the routes where a message of theirs may lie.
    const isOn = await Promise.all(this.#routes.map(async ({ route, published }) => route.from === home || (await published.read(mailbox)) !== undefined));
    const routes = this.#routes.filter((_, index) => isOn[index]);
    if (home === undefined && routes.length === 0) throw new BridgeError('MAILBOX_UNKNOWN', 'no system has this mailbox');
    return Promise.all(
      routes.map(async ({ route, replicator, queue }): Promise<PushOutcome> => {
        try {
          const outcome = await replicator.run(mailbox, { always: true, ...options });
          const primary = primaryOf(outcome);
          const ending = primary === undefined ? outcome : await replicator.run(primary, { always: true, ...options });
          if (!options.dryRun) for (const one of new Set([mailbox, ending.mailbox])) await queue.succeeded(one);
          return ending;
        } catch (thrown) {
          if (!(thrown instanceof FailedTurn)) throw thrown;
          return { mailbox, route: route.name, outcome: 'failed', error: thrown.told };
        }
      }),
    );
  }

  /** Everybody whom some route replicates, and whoever was published once; pages, each mailbox once. @throws BridgeError where a system cannot list its mailboxes */
  async *everyone(signal: AbortSignal): AsyncIterable<readonly MailboxAddress[]> {
    const seen = new Set<MailboxAddress>();
    for (const system of this.#options.systems) {
      for await (const page of everyoneOf(system.mailboxes, this.#from(system.name), signal)) {
        const fresh = page.filter((one) => !seen.has(one));
        for (const one of fresh) seen.add(one);
        if (fresh.length > 0) yield fresh;
      }
    }
  }

  /** The mailbox whose message has this legacyExchangeDN, as far as we ever wrote it; on a route from `system`. */
  async mailboxOfIdentity(identity: string, system: string): Promise<MailboxAddress | undefined> {
    for (const { published } of this.#from(system)) {
      const owner = await published.ownerOf(identity);
      if (owner?.from === system) return owner.mailbox;
    }
    return undefined;
  }

  async queue(): Promise<QueueReport> {
    const reports = await Promise.all(this.#routes.map(({ queue }) => queue.report()));
    return { entries: reports.flatMap(({ entries }) => entries), counts: reports.map(({ counts }) => counts) };
  }

  /** Tries failed and waiting-to-be-retried ones now. @returns how many on all routes */
  async retry(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    return sum(await Promise.all(this.#routes.map(({ queue }) => queue.retry(which))));
  }

  /** Takes waiting, retrying and failed ones out of the queue. @returns how many on all routes */
  async drop(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    return sum(await Promise.all(this.#routes.map(({ queue }) => queue.drop(which))));
  }

  async depths(): Promise<readonly QueueDepth[]> {
    return Promise.all(this.#routes.map(({ queue }) => queue.depth()));
  }

  /** Redis, every home's feed, every route's sink; never throws. */
  async probe(ctx: RequestContext): Promise<readonly { readonly name: string; readonly findings: readonly ProbeFinding[] }[]> {
    return Promise.all([
      (async () => ({ name: 'redis', findings: await this.#options.store.probe() }))(),
      ...this.#options.systems.flatMap(({ name, probe }) => (probe === undefined ? [] : [(async () => ({ name: `changes of ${name}`, findings: await probe(ctx) }))()])),
      ...this.#routes.map(async ({ route }) => ({ name: route.name, findings: await route.sink.probe(ctx) })),
    ]);
  }

  #from(system: string): readonly RunningRoute[] {
    return this.#routes.filter(({ route }) => route.from === system);
  }

  async #hear(system: string, notice: ChangeNotice): Promise<void> {
    if (notice.kind === 'changed') return this.changed(system, 'waitset', notice.mailboxes);
    this.#options.logger.info({ system, reason: notice.reason }, 'every mailbox is read again');
    // Not stored, and need not be: every start begins with a full pass, and this one goes on until it is done.
    this.#sweeps.get(system)?.now();
  }

  /** @returns the systems that did what they were asked */
  async #work({ route, replicator, queue }: RunningRoute, { mailbox, storedAt, signal }: Turn): Promise<readonly string[]> {
    const { clock, logger, metrics } = this.#options;
    try {
      const ending = await replicator.run(mailbox, { always: false, dryRun: false, signal });
      const primary = primaryOf(ending);
      if (primary !== undefined) await queue.add([primary]);
      const { outcome } = ending;
      if (outcome === 'written' || outcome === 'removed') metrics.replicationStage(route.name, 'total', clock.now() - storedAt);
      return DID[outcome]?.map((side) => route[side]) ?? [];
    } catch (thrown) {
      // Somebody told of a mailbox that is not there and never was published: there is nothing to do, now or later.
      if (thrown instanceof FailedTurn && thrown.error.code === 'MAILBOX_UNKNOWN') {
        logger.info({ route: route.name, mailbox, code: thrown.error.code }, 'nothing to replicate');
        return [];
      }
      throw thrown;
    }
  }

  #sweepOf({ name, mailboxes }: ReplicatedSystem): Sweep {
    const { clock, logger } = this.#options;
    const routes = this.#from(name);
    return new Sweep({
      system: name,
      everyone: (signal) => everyoneOf(mailboxes, routes, signal),
      waiting: async () => Math.max(...(await Promise.all(routes.map(({ queue }) => queue.waiting())))),
      add: (page) => this.changed(name, 'sweep', page),
      sweepMs: LIMITS.sweepMs,
      clock,
      logger,
    });
  }
}

/** Which sides of a route surely did what they were asked to: who is removed may have been known without asking the home. */
const DID: Partial<Record<PushOutcome['outcome'], readonly ('from' | 'to')[]>> = { written: ['from', 'to'], unchanged: ['from'], removed: ['to'] };

/** Somebody told of an alias: whose calendar it is. */
function primaryOf(outcome: PushOutcome): MailboxAddress | undefined {
  return 'primary' in outcome ? outcome.primary : undefined;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, one) => total + one, 0);
}
