import type { Config, RedisConfig, SystemConfig } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { BridgeError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import type { Metrics } from './core/metrics.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { FreeBusySource } from './freebusy/source.ts';
import { openRedis } from './platform/redis/open-redis.ts';
import type { RedisStore, RedisTarget } from './platform/redis/redis-store.ts';
import { createHome, createSink } from './protocols/registry.ts';
import type { ReplicationHome } from './protocols/registry.ts';
import { ReplicationAgent } from './replication/agent.ts';
import { RedisFeedMemory } from './replication/feed-memory.ts';

export interface BridgeReplicationOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What a configuration says about replication, with the systems already made. */
export interface ReplicationParts {
  readonly config: Config;
  readonly sourceOf: (system: string) => FreeBusySource;
  readonly homeOf: (mailbox: MailboxAddress) => string | undefined;
}

/** An agent with everything that was opened for it. */
export interface PreparedReplication {
  readonly agent: ReplicationAgent;
  /** Ends the agent and its connections; Redis stays open for the next one. */
  close(graceMs: number): Promise<void>;
}

/** Wires the replication: one Redis for the life of the process (as long as the configuration names the same), one agent for a configuration. */
export class BridgeReplication {
  readonly #options: BridgeReplicationOptions;
  #store: { readonly store: RedisStore; readonly target: string } | undefined;
  #current: PreparedReplication | undefined;

  constructor(options: BridgeReplicationOptions) {
    this.#options = options;
  }

  /** The agent in force. */
  get agent(): ReplicationAgent | undefined {
    return this.#current?.agent;
  }

  /** Opens Redis where it is not open yet, and makes an agent that does not work yet; undefined where nothing is replicated. @throws BridgeError CONFIGURATION */
  async prepare(parts: ReplicationParts): Promise<PreparedReplication | undefined> {
    if (parts.config.replication.length === 0) return undefined;
    const store = await this.#open(parts.config);
    return this.#agentOf(parts, store);
  }

  /** Puts an agent in force: the old one finishes what it has under way, then the new one begins. */
  async swap(next: PreparedReplication | undefined, options: { readonly work: boolean; readonly graceMs: number }): Promise<void> {
    const old = this.#current;
    this.#current = next;
    await old?.close(options.graceMs);
    if (options.work) next?.agent.start();
  }

  async close(graceMs: number): Promise<void> {
    await this.swap(undefined, { work: false, graceMs });
    await this.#store?.store.close();
    this.#store = undefined;
  }

  async #open(config: Config): Promise<RedisStore> {
    const target = targetOf(config.redis);
    const key = JSON.stringify(target ?? null);
    if (this.#store?.target === key) return this.#store.store;
    const { logger } = this.#options;
    const store = await openRedis(target, config.dataDir, { logger });
    logger.info({ reason: store.promise }, 'changes are kept in Redis');
    const old = this.#store?.store;
    this.#store = { store, target: key };
    // The old agent still works with it; it ends when that one has ended.
    if (old !== undefined) setTimeout(() => void old.close(), OLD_STORE_MS).unref();
    return store;
  }

  #agentOf({ config, sourceOf, homeOf }: ReplicationParts, store: RedisStore): PreparedReplication {
    const { clock, logger, metrics } = this.#options;
    const systemNamed = (name: string): SystemConfig => {
      const found = config.systems.find((one) => one.name === name);
      if (found === undefined) throw new BridgeError('CONFIGURATION', `no system named ${name}`);
      return found;
    };
    const memory = new RedisFeedMemory(store);
    const froms = [...new Set(config.replication.map(({ from }) => from))].map(systemNamed);
    const homes = new Map<string, ReplicationHome>();
    for (const from of froms) {
      const home = createHome(from, { clock, logger, memory });
      if (home !== undefined) homes.set(from.name, home);
    }
    const routes = config.replication.map((one) => ({
      name: `${one.from} → ${one.to}`,
      key: routeKey(one.from, one.to),
      from: one.from,
      to: one.to,
      source: sourceOf(one.from),
      roster: homes.get(one.from)?.roster,
      sink: createSink(systemNamed(one.to), { clock, logger, probeMailbox: systemNamed(one.from).mailboxes[0] }),
      choice: { only: one.only, include: new Set(one.include), exclude: new Set(one.exclude) },
      pastMs: one.pastMs,
      aheadMs: one.aheadMs,
      concurrency: one.concurrency,
      workingElsewhereAs: config.workingElsewhere,
      homeOf,
    }));
    const systems = froms.map(({ name, mailboxes }) => ({ name, mailboxes, feed: homes.get(name)?.feed, probe: homes.get(name)?.probe.bind(homes.get(name)) }));
    const agent = new ReplicationAgent({ routes, systems, store, clock, logger, metrics });
    return {
      agent,
      close: async (graceMs) => {
        await agent.close(graceMs);
        await Promise.all([...routes.map(({ sink }) => sink.close()), ...[...homes.values()].map((home) => home.close())]);
      },
    };
  }
}

/** As long as an agent may take to end after a reload, and some. */
const OLD_STORE_MS = 30_000;

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
