import type { Config, RedisConfig, SystemConfig } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { BridgeError, toBridgeError } from './core/errors.ts';
import { LIMITS } from './core/limits.ts';
import type { Logger } from './core/logger.ts';
import type { Metrics } from './core/metrics.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import { heardToo } from './freebusy/change-feed.ts';
import type { ChangeFeed, ChangeNotice } from './freebusy/change-feed.ts';
import type { Roster } from './freebusy/roster.ts';
import type { Addressee } from './freebusy/sink.ts';
import type { FreeBusySource } from './freebusy/source.ts';
import type { BackEnds } from './protocols/back-ends.ts';
import { openRedis } from './platform/redis/open-redis.ts';
import type { RedisStore, RedisTarget } from './platform/redis/redis-store.ts';
import { createHome, createSink } from './protocols/registry.ts';
import type { ReplicationHome } from './protocols/registry.ts';
import { ReplicationAgent } from './replication/agent.ts';
import { RedisFeedMemory } from './replication/feed-memory.ts';
import { KeyedLock } from './replication/keyed-lock.ts';

export interface BridgeReplicationOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Is told of what the feeds hear, before it is stored. */
  readonly backEnds: BackEnds;
  readonly onHeard?: (system: string, notice: ChangeNotice) => void;
  /** See OpenRedisOptions. */
  readonly prefer?: 'private' | 'embedded' | undefined;
}

/** What a configuration says about replication, with the systems already made. */
export interface ReplicationParts {
  readonly config: Config;
  readonly sourceOf: (system: string) => FreeBusySource;
  readonly homeOf: (mailbox: MailboxAddress) => string | undefined;
  readonly directoryDn: (mailbox: MailboxAddress, system: string) => string | undefined;
  /** Who is excluded or has opted out. */
  readonly isHidden: (mailbox: MailboxAddress) => boolean;
}

/** Redis, and which: the same is kept over reloads. */
interface OpenStore {
  readonly store: RedisStore;
  /** JSON of its RedisTarget. */
  readonly target: string;
}

/** An agent with everything that was opened for it. */
export interface PreparedReplication {
  readonly agent: ReplicationAgent;
  readonly opened: OpenStore;
  /** Ends the agent and its connections; Redis stays open. */
  close(graceMs: number): Promise<void>;
}

/** Wires the replication: one agent for a configuration, one Redis as long as the configurations name the same. */
export class BridgeReplication {
  readonly #options: BridgeReplicationOptions;
  readonly #locks = new KeyedLock();
  #opened: OpenStore | undefined;
  #current: PreparedReplication | undefined;

  constructor(options: BridgeReplicationOptions) {
    this.#options = options;
  }

  /** The agent in force. */
  get agent(): ReplicationAgent | undefined {
    return this.#current?.agent;
  }

  /**
   * Opens Redis where it is not open yet, and makes an agent that does not work yet: `swap` or `discard` it. Undefined where nothing is replicated.
   *
   * @throws BridgeError CONFIGURATION
   */
  async prepare(parts: ReplicationParts): Promise<PreparedReplication | undefined> {
    if (parts.config.replication.length === 0) return undefined;
    const opened = await this.#open(parts.config);
    try {
      return this.#prepared(parts, opened);
    } catch (error) {
      if (opened !== this.#opened) await opened.store.close();
      throw error;
    }
  }

  /** Ends what was prepared and is not to be put in force; what is in force goes on. */
  async discard(prepared: PreparedReplication): Promise<void> {
    await prepared.close(0);
    if (prepared.opened !== this.#opened) await prepared.opened.store.close();
  }

  /** Puts an agent in force: the old one finishes what it has under way, then the new one begins. */
  async swap(next: PreparedReplication | undefined, options: { readonly work: boolean; readonly graceMs: number }): Promise<void> {
    const { logger } = this.#options;
    const old = this.#current;
    const oldStore = this.#opened;
    this.#current = next;
    this.#opened = next?.opened;
    const failed = (thrown: unknown): void => logger.error({ code: toBridgeError(thrown).code, stack: thrown instanceof Error ? thrown.stack : undefined }, 'the former replication did not end well');
    await old?.close(options.graceMs).catch(failed);
    if (oldStore !== next?.opened) await oldStore?.store.close().catch(failed);
    if (options.work) next?.agent.start();
  }

  async close(graceMs: number): Promise<void> {
    await this.swap(undefined, { work: false, graceMs });
  }

  /** The same feed, of which the bridge hears too. */
  #heard(system: string, feed: ChangeFeed | undefined): ChangeFeed | undefined {
    const { onHeard } = this.#options;
    return feed === undefined || onHeard === undefined ? feed : heardToo(feed, (notice) => onHeard(system, notice));
  }

  async #open(config: Config): Promise<OpenStore> {
    const target = targetOf(config.redis);
    const key = JSON.stringify(target ?? null);
    if (this.#opened?.target === key) return this.#opened;
    const { logger, prefer } = this.#options;
    const store = await openRedis(target, config.dataDir, { logger, ...(prefer === undefined ? {} : { prefer }) });
    logger.info({ reason: store.promise }, 'changes are kept in Redis');
    return { store, target: key };
  }

  #prepared({ config, sourceOf, homeOf, directoryDn, isHidden }: ReplicationParts, opened: OpenStore): PreparedReplication {
    const { clock, logger, metrics, backEnds } = this.#options;
    const { store } = opened;
    const systemNamed = (name: string): SystemConfig => {
      const found = config.systems.find((one) => one.name === name);
      if (found === undefined) throw new BridgeError('CONFIGURATION', `no system named ${name}`);
      return found;
    };
    const memory = new RedisFeedMemory(store);
    const froms = [...new Set(config.replication.map(({ from }) => from))].map(systemNamed);
    const homes = new Map<string, ReplicationHome>();
    for (const from of froms) {
      const home = createHome(from, { clock, logger, backEnds, memory });
      if (home !== undefined) homes.set(from.name, home);
    }
    const routes = config.replication.map((one) => ({
      name: `${one.from} → ${one.to}`,
      key: routeKey(one.from, one.to),
      from: one.from,
      to: one.to,
      source: sourceOf(one.from),
      roster: homes.get(one.from)?.roster,
      sink: createSink(systemNamed(one.to), { clock, logger, backEnds, directoryDn, probeAddressee: async () => somebodyOf(systemNamed(one.from), homes.get(one.from)?.roster) }),
      choice: { only: one.only, include: new Set(one.include), exclude: new Set(one.exclude) },
      pastMs: one.pastMs,
      aheadMs: one.aheadMs,
      concurrency: one.concurrency,
      workingElsewhereAs: config.workingElsewhere,
      homeOf,
      isHidden,
    }));
    const systems = froms.map(({ name, mailboxes }) => ({ name, mailboxes, feed: this.#heard(name, homes.get(name)?.feed), probe: homes.get(name)?.probe.bind(homes.get(name)) }));
    const agent = new ReplicationAgent({ routes, systems, store, locks: this.#locks, clock, logger, metrics });
    return {
      agent,
      opened,
      close: async (graceMs) => {
        await agent.close(graceMs);
        await Promise.all([...routes.map(({ sink }) => sink.close()), ...[...homes.values()].map((home) => home.close())]);
      },
    };
  }
}

/** Whose message `check` looks at: who was named, else the first whom the other side knows. @throws BridgeError where the system cannot be asked */
async function somebodyOf({ mailboxes }: SystemConfig, roster: Roster | undefined): Promise<Addressee | undefined> {
  const signal = AbortSignal.timeout(LIMITS.logonTimeoutMs);
  const named = mailboxes[0];
  if (named !== undefined) return (await roster?.find(named, signal)) ?? { mailbox: named };
  for await (const page of roster?.all(signal) ?? []) {
    const known = page.find(({ isSystem, foreignPrincipal }) => !isSystem && foreignPrincipal !== undefined);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** Unambiguous whatever the names are: each as its UTF-8 bytes in hexadecimal, except plain ones. */
function routeKey(from: string, to: string): string {
  const plain = (name: string): string => (/^[a-z0-9]+$/.test(name) ? name : `x${Buffer.from(name).toString('hex')}`);
  return `${plain(from)}-${plain(to)}`;
}

function targetOf(redis: RedisConfig | undefined): RedisTarget | undefined {
  switch (redis?.kind) {
    case undefined:
      return undefined;
    case 'single':
      return { kind: 'single', url: redis.url.reveal() };
    case 'sentinels':
      return { kind: 'sentinels', name: redis.name, nodes: redis.nodes.map((one) => one.reveal()) };
    case 'cluster':
      return { kind: 'cluster', nodes: redis.nodes.map((one) => one.reveal()) };
  }
}
