import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { BridgeAddressBook } from './bridge-address-book.ts';
import { accountOf, isSameClient } from './bridge-clients.ts';
import { createAdminFace, createFaces } from './bridge-faces.ts';
import { ldapSignIn } from './bridge-ldap.ts';
import { BridgeListeners } from './bridge-listeners.ts';
import { directoryMoved } from './bridge-notices.ts';
import { BridgePresence } from './bridge-presence.ts';
import type { PreparedPresence } from './bridge-presence.ts';
import { LiveLookups, closeSystems, exchangesOf, homeSystem } from './bridge-systems.ts';
import type { RunningSystem } from './bridge-systems.ts';
import { BridgePrivacy } from './bridge-privacy.ts';
import { BridgeReplication } from './bridge-replication.ts';
import type { PreparedReplication, ReplicationParts } from './bridge-replication.ts';
import type { Config } from './config/config.ts';
import { listenerUrl } from './config/listener-url.ts';
import { systemClock } from './core/clock.ts';
import type { Clock } from './core/clock.ts';
import { BridgeError, toBridgeError } from './core/errors.ts';
import { silentLogger } from './core/logger.ts';
import type { Logger } from './core/logger.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { ChangeNotice } from './freebusy/change-feed.ts';
import type { PrivacyService } from './freebusy/privacy.ts';
import { Lookup } from './lookup/lookup.ts';
import { Routing } from './lookup/routing.ts';
import { AuditLog } from './platform/audit-log.ts';
import { TokenIssuers } from './platform/auth/bearer/token-issuers.ts';
import { ClientSignIn } from './platform/auth/client-sign-in.ts';
import { FailureMemory } from './platform/auth/failure-memory.ts';
import { BackEndLoadBook } from './platform/http-client/load/back-end-load-book.ts';
import { HashedPasswords } from './platform/auth/hashed-passwords.ts';
import { LoadGate } from './platform/http-server/load-gate.ts';
import { createMetrics } from './platform/metrics.ts';
import type { PrometheusMetrics } from './platform/metrics.ts';
import type { Exclusions } from './privacy/exclusions.ts';
import type { LdapFaceServices } from './protocols/ldap/endpoint.ts';
import { BackEnds } from './protocols/back-ends.ts';
import { createSystem } from './protocols/registry.ts';
import { PresenceStreams, StreamSlots } from './protocols/rest-api/presence-streams.ts';
import type { ReplicationAgent } from './replication/agent.ts';

/** What a test or a command replaces. */
export interface BridgeOverrides {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Which Redis of its own it keeps, whatever is installed. */
  readonly ownRedis?: 'private' | 'embedded';
}

/** Everything that a configuration makes; a reload makes a new one and swaps it in whole. */
interface Runtime {
  readonly config: Config;
  readonly systems: readonly RunningSystem[];
  readonly lookup: Lookup;
  readonly routing: Routing;
  readonly book: BridgeAddressBook;
  /** Who is hidden. */
  readonly exclusions: Exclusions;
  readonly faces: RequestListener;
  readonly admin: RequestListener;
  /** Who watches presence with the rights of this configuration. */
  readonly streams: PresenceStreams;
  readonly ldap: (base: string) => LdapFaceServices;
}

/** Requests under way keep the systems of their configuration for this long after a reload. */
const OLD_RUNTIME_MS = 60_000;
/** Contract: a clean end within 5 s of SIGTERM. */
const CLOSE_GRACE_MS = 4_000;
/** How long a command that is about something else waits for directories that have never been read. */
const COMMAND_READS_MS = 20_000;
/** Turns of the replication that are not done by then are done after the next start. */
const TURNS_GRACE_MS = 1_000;

/** The composition root: introduces nouns, verbs, protocols and plumbing to each other. Wiring only. */
export class Bridge {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: PrometheusMetrics = createMetrics();
  readonly #failures: FailureMemory;
  readonly #loads: BackEndLoadBook;
  readonly #backEnds: BackEnds;
  readonly #issuers: TokenIssuers;
  readonly #hashes = new HashedPasswords();
  readonly #tokenKey = randomBytes(32);
  readonly #gate = new LoadGate({ metrics: this.#metrics });
  readonly #watchers = new StreamSlots();
  readonly #lookups = new LiveLookups();
  readonly #listeners: BridgeListeners;
  readonly #retired = new Set<Runtime>();
  readonly #replication: BridgeReplication;
  readonly #presence: BridgePresence;
  readonly #audit: AuditLog;
  readonly #privacy: BridgePrivacy;
  #runtime: Runtime;
  #ready = false;

  /** Opens nothing yet: `lookup` and `systems` can be used without `start`. */
  constructor(config: Config, overrides: BridgeOverrides = {}) {
    this.#clock = overrides.clock ?? systemClock;
    this.#logger = overrides.logger ?? silentLogger;
    this.#failures = new FailureMemory(this.#clock);
    this.#loads = new BackEndLoadBook({ clock: this.#clock, metrics: this.#metrics });
    this.#backEnds = new BackEnds({ loads: this.#loads, clock: this.#clock, logger: this.#logger });
    this.#issuers = new TokenIssuers({ clock: this.#clock, logger: this.#logger });
    this.#listeners = new BridgeListeners(this.#logger);
    this.#audit = new AuditLog({ path: join(config.dataDir, 'audit.log'), clock: this.#clock, logger: this.#logger, ...config.audit, isGuest: true });
    this.#privacy = new BridgePrivacy({ audit: this.#audit, clock: this.#clock, logger: this.#logger });
    const own = { clock: this.#clock, logger: this.#logger, metrics: this.#metrics, backEnds: this.#backEnds };
    this.#presence = new BridgePresence({ ...own, audit: this.#audit, onCalendars: (system, mailboxes) => this.#lookups.changed(system, mailboxes) });
    this.#replication = new BridgeReplication({ ...own, prefer: overrides.ownRedis, onHeard: (system, notice) => this.#heard(system, notice) });
    this.#metrics.readDepthsFrom(async () => (await this.#replication.agent?.depths()) ?? []);
    this.#metrics.readDirectoriesFrom(() => this.addressBook.states());
    this.#metrics.readBackEndsFrom(() => this.#loads.states());
    this.#metrics.readPresenceFrom(() => this.#presence.counts());
    this.#runtime = this.#build(config);
  }

  /** The whole bridge as a source: what the faces ask. */
  get lookup(): Lookup {
    return this.#runtime.lookup;
  }

  get systems(): readonly RunningSystem[] {
    return this.#runtime.systems;
  }

  /** The address book; empty before `start` and `openAddressBook`. */
  get addressBook(): BridgeAddressBook {
    return this.#runtime.book;
  }

  /** What carries changes onward; undefined where nothing is replicated, and before `start` or `openReplication`. */
  get replication(): ReplicationAgent | undefined {
    return this.#replication.agent;
  }

  /** Who is shown as what; answers once the bridge has started. */
  get presence(): BridgePresence {
    return this.#presence;
  }

  /** Who is hidden. */
  get privacy(): PrivacyService {
    return this.#runtime.exclusions;
  }

  get config(): Config {
    return this.#runtime.config;
  }

  /** What is handed out to clients as our address: the configured one, else that of the first listener; without a trailing slash. */
  get publicUrl(): string {
    return this.config.publicUrl ?? this.urls[0] ?? listenerUrl(this.config.listen[0]!);
  }

  /** URLs of the open listeners, the public ones first, that of the LDAP face last. */
  get urls(): readonly string[] {
    return this.#listeners.urls;
  }

  /** Opens all listeners, or none. @throws BridgeError CONFIGURATION */
  async start(): Promise<void> {
    const { config, book, exclusions } = this.#runtime;
    this.#audit.takeOver();
    // Nothing is shown before it is known who must not be.
    await this.#privacy.open(config);
    await book.load();
    // First the store: a face that listens can then keep what it is told.
    const replication = await this.#replication.prepare(this.#replicationParts(this.#runtime));
    await this.#replication.swap(replication, { work: false, graceMs: 0 });
    await this.#presence.apply(await this.#presence.prepare(this.#runtime));
    await this.#listeners.swap(this.#runtime, 0);
    this.#ready = true;
    book.start();
    replication?.agent.start();
    this.#privacy.apply(exclusions, config, () => this.replication);
    for (const warning of config.warnings) this.#logger.warn({ reason: warning }, 'configuration');
  }

  /**
   * The replication without a running bridge, for commands: Redis is open, nothing is worked off.
   *
   * @throws BridgeError CONFIGURATION where nothing is replicated, or Redis cannot be opened
   */
  async openReplication(): Promise<ReplicationAgent> {
    await this.openAddressBook();
    await this.openPrivacy();
    const prepared = await this.#replication.prepare(this.#replicationParts(this.#runtime));
    if (prepared === undefined) throw new BridgeError('CONFIGURATION', 'replication: is missing; nothing is replicated');
    await this.#replication.swap(prepared, { work: false, graceMs: 0 });
    return prepared.agent;
  }

  /** The address book without a running bridge, for commands: what is on disk, and what nothing is on disk of is read once. Nothing is written. */
  async openAddressBook(): Promise<BridgeAddressBook> {
    const { book } = this.#runtime;
    await book.load({ isReadOnly: true });
    await book.readOnce('unread', COMMAND_READS_MS);
    return book;
  }

  /** Who has opted out, without a running bridge, for commands. @throws BridgeError CONFIGURATION where that cannot be read */
  async openPrivacy(): Promise<void> {
    await this.#privacy.open(this.config, { isReadOnly: true });
  }

  /**
   * Puts another configuration in force without dropping a request: those under way finish with the old one.
   *
   * @throws BridgeError CONFIGURATION when a listener cannot be opened; the old one stays in force
   */
  async reload(config: Config): Promise<void> {
    const old = this.#runtime;
    const next = this.#build(config, old);
    // Two address books cannot write into one directory; the old one answers from memory meanwhile.
    const isOtherBook = next.book !== old.book;
    let replication: PreparedReplication | undefined;
    let presence: PreparedPresence | undefined;
    try {
      if (isOtherBook) await old.book.close();
      await next.book.load();
      replication = await this.#replication.prepare(this.#replicationParts(next));
      presence = await this.#presence.prepare(next);
      await this.#listeners.swap(next, OLD_RUNTIME_MS);
    } catch (error) {
      if (isOtherBook) {
        await next.book.close();
        // What cannot go on either still answers from memory; why the reload failed is what its caller has to hear.
        await old.book.resume().catch((thrown: unknown) => this.#logger.error({ code: toBridgeError(thrown).code, reason: toBridgeError(thrown).publicMessage }, 'the address book is read no more until the next reload'));
      }
      if (replication !== undefined) await this.#replication.discard(replication);
      if (presence !== undefined) await this.#presence.discard(presence);
      this.#lookups.drop(next.lookup);
      await closeSystems(next.systems);
      throw error;
    }
    this.#runtime = next;
    // Past this point nothing goes back: what fails is said, and the rest of the new configuration is in force.
    await this.#presence.apply(presence).catch((thrown: unknown) => this.#logger.error({ code: toBridgeError(thrown).code, reason: toBridgeError(thrown).publicMessage, stack: thrown instanceof Error ? thrown.stack : undefined }, 'the new configuration of presence is not wholly in force'));
    await this.#replication.swap(replication, { work: true, graceMs: TURNS_GRACE_MS });
    this.#audit.setBounds(config.audit);
    this.#privacy.apply(next.exclusions, config, () => this.replication);
    // Who watches goes on watching; whoever may see something else now comes back as that.
    old.streams.handOver(next.streams, (client) => isSameClient(client, old.config, config));
    if (isOtherBook) next.book.start();
    this.#retired.add(old);
    setTimeout(() => void this.#retire(old), OLD_RUNTIME_MS).unref();
    this.reloaded('ok');
    for (const warning of config.warnings) this.#logger.warn({ reason: warning }, 'configuration');
  }

  /** Counts how a reload went; one refused before it came here is counted by whoever refused it. */
  reloaded(outcome: 'ok' | 'refused'): void {
    this.#metrics.reload(outcome);
  }

  /** Lets requests under way finish, then ends everything. Safe to call twice. */
  async close(): Promise<void> {
    this.#ready = false;
    this.#runtime.streams.end();
    await Promise.all([this.#listeners.close(CLOSE_GRACE_MS), this.#replication.close(TURNS_GRACE_MS), this.#presence.close(TURNS_GRACE_MS), this.#runtime.book.close()]);
    await Promise.all([this.#runtime, ...this.#retired].map(({ systems }) => closeSystems(systems)));
    await this.#backEnds.close();
    this.#retired.clear();
    await this.#privacy.close();
    await this.#audit.close();
  }

  #build(config: Config, old?: Runtime): Runtime {
    const clock = this.#clock;
    const logger = this.#logger;
    const metrics = this.#metrics;
    const backEnds = this.#backEnds;
    const book = old !== undefined && BridgeAddressBook.keyOf(old.config) === BridgeAddressBook.keyOf(config) ? old.book : new BridgeAddressBook(config, { clock, logger, backEnds }, (mailboxes) => {
      directoryMoved(config, logger, () => this.replication, mailboxes);
      this.#presence.moved();
    });
    const { whereabouts } = book;
    const directory = book.directory(config.gal);
    const directoryDn = whereabouts.legacyExchangeDn.bind(whereabouts);
    const systems = config.systems.map((one): RunningSystem => ({ config: one, system: createSystem(one, { clock, logger, backEnds, directoryDn }) }));
    const homes = systems.map(homeSystem);
    const routing = new Routing(homes, whereabouts);
    const exclusions = this.#privacy.exclusionsOf(config, book);
    const isHeard = (system: string): boolean => this.replication?.isHearing(system) === true || this.#presence.isHearing(system);
    const isFollowed = (system: string, mailbox: MailboxAddress): boolean => isHeard(system) && (whereabouts.find(mailbox)?.address === mailbox || this.#lookups.isNamed(mailbox));
    const lookup = this.#lookups.keep(new Lookup({ routing, workingElsewhereAs: config.workingElsewhere, clock, logger, metrics, privacy: exclusions, audit: config.audit.lookups ? this.#audit : undefined, isFollowed }), routing);
    const { behindProxy, trustedProxies } = config;
    const byOthers = { issuers: this.#issuers.of(config.issuers), clientCa: config.tls?.clientCa, hashes: this.#hashes };
    const signIn = new ClientSignIn({ accounts: config.clients.map(accountOf), failures: this.#failures, tokenKey: this.#tokenKey, clock, metrics, behindProxy, trustedProxies, ...byOthers });
    const streams = new PresenceStreams(this.#watchers);
    const own = { publicUrl: () => this.publicUrl, isReady: () => this.#ready, replication: () => this.replication, presence: this.#presence, onHeard: this.#heard.bind(this), privacy: () => this.privacy, failures: this.#failures, gate: this.#gate };
    const faces = createFaces(config, { ...own, lookup, routing, homes, whereabouts, directory, signIn, streams, clock, logger, metrics });
    const ldap = (base: string): LdapFaceServices => ({ directory, base, signIn: ldapSignIn(signIn, logger), clock, logger, metrics, enter: () => this.#gate.enter() });
    const admin = createAdminFace(config, { ...own, metrics, logger });
    return { config, systems, lookup, routing, book, exclusions, faces, admin, streams, ldap };
  }

  /** What a change feed, a push or POST /notify tells. */
  #heard(system: string, notice: ChangeNotice): void {
    this.#lookups.changed(system, notice.kind === 'changed' ? notice.mailboxes : undefined);
    this.#presence.heard(system, notice);
  }

  #replicationParts({ config, systems, routing, book, exclusions }: Runtime): ReplicationParts {
    return {
      config,
      sourceOf: (name) => systems.find((one) => one.config.name === name)!.system,
      homeOf: (mailbox) => routing.route(mailbox).home?.name,
      directoryDn: (mailbox, system) => book.whereabouts.legacyExchangeDn(mailbox, system),
      isHidden: (mailbox) => exclusions.isHidden(mailbox),
    };
  }

  async #retire(runtime: Runtime): Promise<void> {
    if (!this.#retired.delete(runtime)) return;
    this.#lookups.drop(runtime.lookup);
    await closeSystems(runtime.systems);
    await this.#backEnds.retain(exchangesOf(this.config));
  }
}
