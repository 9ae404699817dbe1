import { presenceToCheck } from './bridge-presence-check.ts';
import { BridgePresenceWays } from './bridge-presence-ways.ts';
import type { PresenceWays, WaysOptions } from './bridge-presence-ways.ts';
import { presencePorts } from './bridge-presence-ports.ts';
import type { PresencePorts } from './bridge-presence-ports.ts';
import type { Config } from './config/config.ts';
import type { Audit } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import { BridgeError, toBridgeError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import type { Metrics, PresenceCounts } from './core/metrics.ts';
import type { ChangeNotice } from './freebusy/change-feed.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { Routing } from './lookup/routing.ts';
import type { BackEnds } from './protocols/back-ends.ts';
import { Catalogues } from './presence/catalogues.ts';
import { PresenceDesk } from './presence/desk.ts';
import type { DeskSetup } from './presence/desk.ts';
import { OptIns } from './presence/opt-ins.ts';
import type { PresenceService } from './presence/presence-service.ts';
import { PresenceStore } from './presence/store.ts';
import { checkPresenceParts } from './presence/troubleshooter.ts';
import type { CheckedPart } from './presence/troubleshooter.ts';

export interface BridgePresenceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly backEnds: BackEnds;
  readonly audit: Audit;
  readonly onCalendars: WaysOptions['onCalendars'];
}

/** What a configuration says about presence, with the systems already made. */
export interface PresenceParts {
  readonly config: Config;
  readonly lookup: Lookup;
  readonly routing: Routing;
}

/** What lives as long as the process. */
interface Kept {
  readonly store: PresenceStore;
  readonly optIns: OptIns;
  readonly catalogues: Catalogues;
  readonly ports: PresencePorts;
  readonly ways: BridgePresenceWays;
  readonly desk: PresenceDesk;
}

/** A configuration that can be put in force. */
export interface PreparedPresence {
  readonly parts: PresenceParts;
  readonly ways: PresenceWays;
}

/** Wires presence: the desk, its store and its call-back ports live as long as the process; gateways and publishers as long as their configuration stays the same. */
export class BridgePresence {
  readonly #options: BridgePresenceOptions;
  #kept: Kept | undefined;

  constructor(options: BridgePresenceOptions) {
    this.#options = options;
  }

  /** What faces and commands ask. @throws BridgeError CONFIGURATION before the first `prepare` */
  readonly service: PresenceService = {
    presenceOf: (mailbox, ctx) => this.#desk().presenceOf(mailbox, ctx),
    snapshot: () => this.#desk().snapshot(),
    subscribe: (listener, after) => this.#desk().subscribe(listener, after),
    optInOf: (mailbox) => this.#desk().optInOf(mailbox),
    optIns: () => this.#desk().optIns(),
    switch: (mailbox, isOn, actor) => this.#desk().switch(mailbox, isOn, actor),
    setLanguage: (mailbox, language, actor) => this.#desk().setLanguage(mailbox, language, actor),
    setOwn: (mailbox, source, state, until, actor) => this.#desk().setOwn(mailbox, source, state, until, actor),
    resync: (which) => this.#desk().resync(which),
    status: () => this.#desk().status(),
    followed: () => this.#desk().followed(),
  };

  get catalogues(): Catalogues | undefined {
    return this.#kept?.catalogues;
  }

  /** Makes what a configuration needs and tries its port; nothing of it is in force: `apply` or `discard` it. @throws BridgeError CONFIGURATION */
  async prepare(parts: PresenceParts): Promise<PreparedPresence> {
    const isFirst = this.#kept === undefined;
    const kept = (this.#kept ??= await this.#open(parts));
    // At start a taken port costs notifications, and not the lookups of everybody; afterwards the change is refused.
    await kept.ports.prepare(parts.config, { isPatient: isFirst });
    const ways = kept.ways.prepare(parts.config);
    try {
      for (const { label } of ways.publishers) await kept.store.openPublished(label);
    } catch (error) {
      await kept.ways.discard(ways);
      throw error;
    }
    return { parts, ways };
  }

  /** Ends what was prepared and is not to be put in force. */
  async discard(prepared: PreparedPresence): Promise<void> {
    await this.#kept?.ways.discard(prepared.ways);
  }

  /** Puts it in force, while everybody's state stays as it is. */
  async apply({ parts, ways }: PreparedPresence): Promise<void> {
    const { logger } = this.#options;
    const { optIns, catalogues, ports, desk, store, ...kept } = this.#kept!;
    const { config, lookup, routing } = parts;
    await ports.apply(config);
    await catalogues.load(config.presence.locales);
    const file = { by: 'file', via: 'file' };
    optIns.setFileList(config.presence.optIn, file);
    await kept.ways.apply(ways, config, { lookup, routing });
    const setup = this.#setup(parts, ways);
    await this.#switchOffWithoutGateways(config, setup, optIns, store);
    await desk.apply(setup);
    // Behind the desk: nobody is without a gateway for a moment.
    await kept.ways.endOthers(ways);
    await ports.endUnneeded(config);
    if (config.presence.gateways.length > 0 || optIns.optedIn().size > 0) logger.info({ count: optIns.optedIn().size, reason: `${config.presence.gateways.length} gateways, ${config.presence.publishers.length} publishers` }, 'presence is in force');
  }

  /** The body of `presence check --json`, tried by the bridge that runs. */
  async check(config: Config): Promise<readonly CheckedPart[]> {
    const found = await presenceToCheck(config, this.#kept!.ports, { isBesideABridge: false });
    try {
      return await checkPresenceParts(found, false);
    } finally {
      await found.close();
    }
  }

  /** Whether changes in this system are heard because of presence. */
  isHearing(system: string): boolean {
    return this.#kept?.ways.isHearing(system) === true;
  }

  /** What a change feed, a push or POST /notify told of a system. */
  heard(system: string, notice: ChangeNotice): void {
    this.#kept?.ways.heard(system);
    if (notice.kind === 'changed') this.#kept?.desk.calendarsChanged(notice.mailboxes);
    else this.#kept?.desk.everythingChanged(system);
  }

  /** The directories say that people have moved. */
  moved(): void {
    this.#kept?.desk.sync();
  }

  counts(): PresenceCounts {
    const status = this.#kept?.desk.status();
    return {
      states: status?.states ?? {},
      watched: (status?.gateways ?? []).flatMap(({ description, watch }) => (['live', 'hinted', 'polled', 'starting'] as const).map((mode) => ({ gateway: description, mode, count: watch[mode] }))),
      waiting: (status?.publishers ?? []).map(({ label, waiting }) => ({ publisher: label, count: waiting })),
    };
  }

  /** Gives publishers a moment, takes leave of servers, closes what is open. Safe to call twice. */
  async close(graceMs: number): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    await kept.desk.close(graceMs);
    // Subscriptions are kept: what happens meanwhile is told to whoever comes back with the watermark.
    await kept.ways.close();
    await kept.ports.close();
    await kept.store.close();
  }

  #desk(): PresenceDesk {
    if (this.#kept === undefined) throw new BridgeError('CONFIGURATION', 'presence does not run');
    return this.#kept.desk;
  }

  async #open(parts: PresenceParts): Promise<Kept> {
    const { clock, logger, metrics, backEnds, audit, onCalendars } = this.#options;
    const { dataDir, presence } = parts.config;
    const store = await PresenceStore.open(dataDir, { logger });
    const optIns = new OptIns({ kept: store.optIns, audit, clock, logger });
    // What the file lists at start is no switch: only what changes in it while the bridge runs is audited.
    optIns.load(presence.optIn);
    const catalogues = new Catalogues(logger);
    const ports = presencePorts(logger);
    const ways = new BridgePresenceWays({ store, ports, clock, logger, backEnds, onCalendars, onChanged: (mailboxes) => this.#kept?.desk.calendarsChanged(mailboxes) });
    const nothing: DeskSetup = {
      mapping: presence.mapping,
      precedence: presence.precedence,
      calendarSpread: presence.parameters.calendarSpread,
      textFor: (state, language) => catalogues.statusText(state, language ?? presence.language),
      resolve: (mailbox) => mailbox,
      channelOf: () => undefined,
      obstacleOf: () => undefined,
      publishers: [],
      gateways: [],
      labelOf: (channel) => channel.name,
      pending: () => [],
      idle: undefined,
    };
    const desk = new PresenceDesk({ optIns, shown: store.shown, own: store.own, audit, publishedBy: (label) => store.publishedBy(label), clock, logger, metrics }, nothing);
    return { store, optIns, catalogues, ports, ways, desk };
  }

  #setup({ config, routing }: PresenceParts, ways: PresenceWays): DeskSetup {
    const { catalogues, ports } = this.#kept!;
    const { presence } = config;
    const { mapping, precedence, language, parameters } = presence;
    return {
      mapping,
      precedence,
      calendarSpread: parameters.calendarSpread,
      textFor: (state, own) => catalogues.statusText(state, own ?? language),
      resolve: (mailbox) => {
        const route = routing.route(mailbox);
        return route.home === undefined ? mailbox : route.address;
      },
      channelOf: (mailbox, isUp) => ways.channelOf(mailbox, isUp),
      obstacleOf: (mailbox) => ways.obstacleOf(mailbox),
      publishers: ways.publishers,
      gateways: ways.gateways.map(({ channel }) => channel),
      labelOf: (channel) => ways.labelOf(channel),
      pending: () => [...ports.pending(), ...ways.pending()],
      idle: presence.gateways.length === 0 && presence.optIn.length === 0 ? 'no gateway is configured under presence.gateways' : undefined,
    };
  }

  /** presence.md A31: with the WebDAV or the last EWS gateway goes the presence of whoever needs one; the file's own list stays what the file says. */
  async #switchOffWithoutGateways(config: Config, setup: DeskSetup, optIns: OptIns, store: PresenceStore): Promise<void> {
    const { logger } = this.#options;
    const before = store.memoryOf('bridge').get('gateways');
    const now = String(config.presence.gateways.length);
    if (before === now) return;
    store.memoryOf('bridge').set('gateways', now);
    if (before === undefined || before === '0' || now !== '0') return;
    const inFile = new Set(config.presence.optIn);
    const which = [...optIns.optedIn()].filter((mailbox) => !inFile.has(mailbox) && setup.obstacleOf(mailbox) !== undefined);
    try {
      const off = await optIns.switchAllOff(which, { by: 'configuration', via: 'gateway' });
      logger.warn({ count: off.length }, 'the last presence gateway is gone: the presence of its people is switched off');
    } catch (thrown) {
      logger.error({ code: toBridgeError(thrown).code, reason: toBridgeError(thrown).publicMessage }, 'not everybody could be switched off');
    }
  }
}
