import { hash } from 'node:crypto';
import { callBackHost } from './bridge-presence-ports.ts';
import type { PresencePorts } from './bridge-presence-ports.ts';
import type { Config, SystemConfig } from './config/config.ts';
import type { GatewayConfig, PublisherConfig } from './config/presence-config.ts';
import { Secret } from './config/secret.ts';
import type { Clock } from './core/clock.ts';
import { BridgeError } from './core/errors.ts';
import { LIMITS } from './core/limits.ts';
import type { Logger } from './core/logger.ts';
import { isLoopback } from './core/loopback.ts';
import type { NotificationPort } from './core/notification-port.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import { heardToo } from './freebusy/change-feed.ts';
import type { FeedMemory } from './freebusy/change-feed.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { Routing } from './lookup/routing.ts';
import type { BackEnds } from './protocols/back-ends.ts';
import type { Channel } from './presence/calendar-reader.ts';
import { FeedWatch } from './presence/feed-watch.ts';
import type { CalendarGateway, WatchListener } from './presence/gateway.ts';
import type { KeptTexts, PresencePublisher } from './presence/publisher.ts';
import type { PresenceStore } from './presence/store.ts';
import { EwsPresenceGateway } from './protocols/ews/presence-gateway.ts';
import { createGateway, createHome, createPublisher } from './protocols/registry.ts';
import type { ReplicationHome } from './protocols/registry.ts';

export interface WaysOptions {
  readonly store: PresenceStore;
  readonly ports: PresencePorts;
  readonly clock: Clock;
  readonly backEnds: BackEnds;
  readonly logger: Logger;
  readonly onChanged: (mailboxes: readonly MailboxAddress[]) => void;
  /** Whose calendars have changed, as far as can be known: nothing that is kept of them is right. @param system absent: any; @param mailboxes absent: everybody in it */
  readonly onCalendars: (system?: string, mailboxes?: readonly MailboxAddress[]) => void;
}

/** A gateway as it runs, with what it was made of. */
interface RunningGateway {
  readonly key: string;
  readonly config: GatewayConfig;
  readonly gateway: CalendarGateway;
  readonly channel: Channel;
}

/** A system that is asked or heard without a gateway. */
interface SystemWay {
  readonly key: string;
  readonly channel: Channel;
  readonly watch: FeedWatch | undefined;
  readonly home: ReplicationHome | undefined;
}

/** The ways to calendars and to watchers that one configuration has. */
export interface PresenceWays {
  readonly gateways: readonly RunningGateway[];
  readonly systems: ReadonlyMap<string, SystemWay>;
  readonly publishers: readonly PresencePublisher[];
  channelOf(mailbox: MailboxAddress, isUp: (channel: Channel) => boolean): Channel | undefined;
  obstacleOf(mailbox: MailboxAddress): BridgeError | undefined;
  labelOf(channel: Channel): string;
  pending(): readonly string[];
}

/** Keeps gateways, publishers and feeds over configurations: what is configured as before goes on, the rest is made new, and what is gone ends when nobody needs it any more. */
export class BridgePresenceWays {
  readonly #options: WaysOptions;
  #current: PresenceWays | undefined;
  /** In force until a moment ago; see endOthers. */
  #former: PresenceWays | undefined;
  #publishers = new Map<string, PresencePublisher>();
  #lookup: Lookup | undefined;
  #routing: Routing | undefined;

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  /** Makes what is new; nothing runs yet. @throws BridgeError CONFIGURATION */
  prepare(config: Config): PresenceWays {
    const { gateways: gatewayConfigs, publishers: publisherConfigs } = config.presence;
    const gateways = gatewayConfigs.map((one) => this.#current?.gateways.find(({ key }) => key === this.#keyOf(one, config)) ?? this.#gateway(one, config));
    const publishers = new Map(publisherConfigs.map((one) => [keyOf(one), this.#publishers.get(keyOf(one)) ?? this.#publisher(one)]));
    const systems = new Map(config.systems.map((one) => [one.name, this.#systemWay(one, config)]));
    this.#publishers = new Map([...this.#publishers, ...publishers]);
    return {
      gateways,
      systems,
      publishers: [...publishers.values()],
      channelOf: (mailbox, isUp) => this.#channelOf(config, gateways, systems, mailbox, isUp),
      obstacleOf: (mailbox) => presenceObstacle(config, this.#routing?.route(mailbox).home?.name),
      labelOf: (channel) => LABELS[gateways.find((one) => one.channel === channel)?.gateway.type ?? 'none'] ?? `asked through ${channel.name}`,
      pending: () => gateways.flatMap(({ gateway }) => {
        const { moving } = gateway.watch.status();
        return moving === 0 ? [] : [`${gateway.description}: ${moving} subscriptions still have the former port or frequency`];
      }),
    };
  }

  async apply(ways: PresenceWays, { presence }: Config, { lookup, routing }: { readonly lookup: Lookup; readonly routing: Routing }): Promise<void> {
    this.#lookup = lookup;
    this.#routing = routing;
    this.#former = this.#current;
    this.#current = ways;
    // Whoever takes over from one of the same name goes on with its subscriptions: two of them would end each other's.
    const replaced = (this.#former?.gateways ?? []).filter((one) => !ways.gateways.includes(one) && ways.gateways.some((other) => isSuccessor(other, one)));
    await Promise.all(replaced.map(({ gateway }) => gateway.close()));
    for (const { gateway } of ways.gateways) if (gateway instanceof EwsPresenceGateway) gateway.update({ statusFrequencyMinutes: presence.parameters.ewsStatusFrequency, apply: presence.parameters.apply });
  }

  /** Ends what the configuration in force has no use for; publishers are the desk's to end. */
  async endOthers(ways: PresenceWays): Promise<void> {
    const former = this.#former;
    this.#former = undefined;
    for (const [key, publisher] of this.#publishers) if (!ways.publishers.includes(publisher)) this.#publishers.delete(key);
    await this.#end(former, ways, true);
  }

  async discard(ways: PresenceWays): Promise<void> {
    const kept = this.#current;
    await Promise.all(ways.publishers.filter((one) => kept?.publishers.includes(one) !== true).map((one) => one.close()));
    for (const [key, publisher] of this.#publishers) if (kept?.publishers.includes(publisher) !== true) this.#publishers.delete(key);
    await this.#end(ways, kept, false);
  }

  /** Whether a change in this system would be heard now, by a feed of its own. */
  isHearing(system: string): boolean {
    return this.#current?.systems.get(system)?.home?.feed.isHearing() === true;
  }

  /** What somebody else heard of a system whose feed it runs. */
  heard(system: string): void {
    this.#current?.systems.get(system)?.watch?.noted();
  }

  async close(): Promise<void> {
    await this.#end(this.#current, undefined, false);
    this.#current = undefined;
  }

  async #end(ways: PresenceWays | undefined, except: PresenceWays | undefined, unsubscribe: boolean): Promise<void> {
    const gateways = (ways?.gateways ?? []).filter((one) => except?.gateways.includes(one) !== true);
    const systems = [...(ways?.systems.values() ?? [])].filter((one) => [...(except?.systems.values() ?? [])].includes(one) !== true);
    await Promise.all([
      ...gateways.map((one) => one.gateway.close({ unsubscribe: unsubscribe && except?.gateways.some((other) => isSuccessor(other, one)) !== true })),
      ...systems.map(async ({ watch, home }) => {
        await watch?.close();
        await home?.close();
      }),
    ]);
  }

  #channelOf(config: Config, gateways: readonly RunningGateway[], systems: ReadonlyMap<string, SystemWay>, mailbox: MailboxAddress, isUp: (channel: Channel) => boolean): Channel | undefined {
    const home = this.#routing?.route(mailbox).home?.name;
    const serving = gatewaysFor(config, home);
    const candidates = gateways.filter((one) => serving.some(({ description }) => description === one.config.description)).map(({ channel }) => channel);
    if (candidates.length === 0) return home === undefined ? undefined : systems.get(home)?.channel;
    if (candidates.length === 1) return candidates[0];
    // Always the same one for a mailbox, and every one for as many; with one less only its own people move.
    const ranked = candidates.map((channel) => ({ channel, rank: hash('sha1', `${channel.name}\n${mailbox}`, 'hex') })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
    return (ranked.find(({ channel }) => isUp(channel)) ?? ranked[0]!).channel;
  }

  #gateway(one: GatewayConfig, config: Config): RunningGateway {
    const { store, clock, logger, backEnds } = this.#options;
    const { parameters } = config.presence;
    const listener: WatchListener = {
      changed: (mailboxes) => this.#changed(mailboxes),
      trouble: (mailbox, reason) => {
        if (reason !== undefined) logger.info({ system: one.description, mailbox, reason }, 'a calendar cannot be watched');
      },
    };
    const gateway = createGateway(one, {
      systems: config.systems,
      parameters,
      callBack: this.#callBackOf(one),
      isReachable: isReachable(one, config),
      // Another kind of server has other subscriptions.
      memory: store.memoryOf(`gateway ${one.type} ${one.description}`),
      listener,
      clock,
      logger,
      backEnds,
    });
    const channel: Channel = {
      name: one.description,
      source: gateway.source,
      watch: gateway.watch,
      mailboxesPerRequest: one.type === 'ews' ? LIMITS.ewsMailboxesPerRequest : LIMITS.presenceWebdavMailboxes,
      requests: parameters.exchangeThreads,
      timeoutMs: parameters.exchangeTimeoutMs,
      queue: parameters.exchangeQueue,
    };
    return { key: this.#keyOf(one, config), config: one, gateway, channel };
  }

  #callBackOf({ type }: GatewayConfig): NotificationPort | undefined {
    const { ports } = this.#options;
    return type === 'ews' ? ports.http : ports.httpu;
  }

  /** A frequency reaches a gateway that runs, a port moves beneath it: neither makes it another one. A port that could not be opened at start, and now is, does. */
  #keyOf(one: GatewayConfig, config: Config): string {
    const { exchangeTimeoutMs, exchangeQueue, exchangeThreads } = config.presence.parameters;
    return keyOf([one, exchangeTimeoutMs, exchangeQueue, exchangeThreads, isReachable(one, config), this.#callBackOf(one) !== undefined]);
  }

  #changed(mailboxes: readonly MailboxAddress[]): void {
    this.#options.onCalendars();
    this.#options.onChanged(mailboxes);
  }

  #publisher(one: PublisherConfig): PresencePublisher {
    const { store, clock, logger } = this.#options;
    return createPublisher(one, { memoryOf: (label) => store.memoryOf(`publisher ${label}`), clock, logger });
  }

  /** The same one while its system is configured as before. */
  #systemWay(system: SystemConfig, config: Config): SystemWay {
    const { clock, logger, backEnds, store } = this.#options;
    const isReplicated = config.replication.some(({ from }) => from === system.name);
    const { exchangeTimeoutMs, exchangeQueue, exchangeThreads } = config.presence.parameters;
    const key = keyOf([system, isReplicated, exchangeTimeoutMs, exchangeQueue, exchangeThreads]);
    const former = this.#current?.systems.get(system.name);
    if (former?.key === key) return former;
    const tells = system.type === 'zimbra' && system.admin !== undefined;
    const home = tells && !isReplicated ? createHome(system, { clock, logger, backEnds, memory: feedMemory(store.memoryOf(`feed ${system.name}`)) }) : undefined;
    // Whoever is not followed is changed by it all the same.
    const watch = tells ? new FeedWatch({ feed: home === undefined ? undefined : heardToo(home.feed, (notice) => this.#options.onCalendars(system.name, notice.kind === 'changed' ? notice.mailboxes : undefined)), listener: { changed: (mailboxes) => this.#options.onChanged(mailboxes), trouble: () => undefined }, clock }) : undefined;
    const source: Channel['source'] = { freeBusy: async (query, ctx) => this.#lookup!.freeBusy(query, ctx) };
    return { key, watch, home, channel: { name: system.name, source, watch, mailboxesPerRequest: LIMITS.presenceLookupMailboxes, requests: exchangeThreads, timeoutMs: exchangeTimeoutMs, queue: exchangeQueue } };
  }
}

/** The original's words (presence.md A06). */
const LABELS: Readonly<Record<string, string>> = { ews: 'Exchange -- EWS Server', webdav: 'Exchange -- WebDAV' };

/** Why nobody who lives in a system (undefined: in none) can be switched on; undefined: they can. Calendars of other systems than Exchange are heard of without a gateway. */
export function presenceObstacle(config: Config, home: string | undefined): BridgeError | undefined {
  if (gatewaysFor(config, home).length > 0) return undefined;
  if (home === undefined) return new BridgeError('NOT_FOUND', 'no system has this mailbox');
  const isExchange = exchangeType(config.systems.find(({ name }) => name === home)) !== undefined;
  return isExchange ? new BridgeError('CONFIGURATION', `presence has no gateway for ${home}: configure one under presence.gateways first`) : undefined;
}

/** A gateway with a server of its own serves whoever lives in an Exchange, or nowhere. */
function gatewaysFor({ presence, systems }: Config, home: string | undefined): readonly GatewayConfig[] {
  const isExchange = home === undefined || exchangeType(systems.find(({ name }) => name === home)) !== undefined;
  return presence.gateways.filter(({ system }) => (system === undefined ? isExchange : system === home));
}

function exchangeType(system: SystemConfig | undefined): 'ews' | 'webdav' | undefined {
  return system?.type === 'exchange-ews' ? 'ews' : system?.type === 'exchange-webdav' ? 'webdav' : undefined;
}

/** They share what is kept of subscriptions. */
function isSuccessor(one: RunningGateway, other: RunningGateway): boolean {
  return one.config.type === other.config.type && one.config.description === other.config.description;
}

/** Whether Exchange can call us by what is configured: from elsewhere it cannot call a loopback address. */
export function isReachable({ servers }: GatewayConfig, config: Config): boolean {
  return !isLoopback(callBackHost(config)) || (servers.length > 0 && servers.every(({ hostname }) => isLoopback(hostname)));
}

/** The same for the same configuration, secrets included, which it does not show. */
function keyOf(config: unknown): string {
  const revealed = function (this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
    const secret = this[key];
    return secret instanceof Secret ? secret.reveal() : value;
  };
  return hash('sha256', JSON.stringify(config, revealed), 'hex');
}

function feedMemory(texts: KeptTexts): FeedMemory {
  return {
    load: async (key) => texts.get(key),
    save: async (key, place) => texts.set(key, place),
  };
}
