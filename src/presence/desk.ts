import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Audit } from '../core/audit.ts';
import type { Clock, Instant } from '../core/clock.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { AgendaTimer } from './agenda.ts';
import { isAboutTheMailbox } from './calendar-reader.ts';
import type { CalendarReader, Channel } from './calendar-reader.ts';
import type { OwnState, OwnStates, PrecedenceRule } from './compose.ts';
import { PresenceEngine } from './engine.ts';
import type { EngineRules } from './engine.ts';
import { EventLog } from './event-log.ts';
import { Followers } from './followers.ts';
import type { PresenceMapping } from './mapping.ts';
import { followedMailbox, statusOf } from './desk-status.ts';
import { decodeOwnStates, encodeOwnStates } from './own-states.ts';
import { OWN_STATES } from './presence-service.ts';
import type { Actor, FollowedMailbox, OptInBook, OptInState, OwnSource, PresenceEvent, PresenceService, PresenceStatus } from './presence-service.ts';
import { PRESENCE_STATES } from './presence.ts';
import type { PresenceChange, PresenceState, ShownPresence } from './presence.ts';
import { PublisherQueue } from './publisher-queue.ts';
import type { KeptTexts, PresencePublisher } from './publisher.ts';
import { spreadSeconds } from './spread.ts';

/** What a configuration says of presence; another one replaces it while everything goes on. */
export interface DeskSetup {
  readonly mapping: PresenceMapping;
  readonly precedence: readonly PrecedenceRule[];
  readonly calendarSpread: number | 'auto';
  readonly textFor: EngineRules['textFor'];
  /** The primary address behind an alias. */
  readonly resolve: (mailbox: MailboxAddress) => MailboxAddress;
  /** Undefined: it lives nowhere. @param isUp whether a channel answers */
  readonly channelOf: (mailbox: MailboxAddress, isUp: (channel: Channel) => boolean) => Channel | undefined;
  /** Why somebody cannot be switched on; undefined: they can. */
  readonly obstacleOf: (mailbox: MailboxAddress) => BridgeError | undefined;
  /** In the configuration's order; those that stay are the same objects as before. */
  readonly publishers: readonly PresencePublisher[];
  /** The gateways, whoever they serve. */
  readonly gateways: readonly Channel[];
  readonly labelOf: (channel: Channel) => string;
  /** What is not in force yet, one line each. */
  readonly pending: () => readonly string[];
  readonly idle: string | undefined;
}

export interface DeskOptions {
  readonly optIns: OptInBook;
  /** mailbox → what is shown; so that a restart is no change. */
  readonly shown: KeptTexts;
  /** mailbox → what other sources say. */
  readonly own: KeptTexts & { /** Resolves when it is on disk; undefined: it is gone. @throws BridgeError STORE_UNAVAILABLE */ store(key: string, text: string | undefined): Promise<void> };
  readonly audit: Audit;
  /** Of each publisher, by its label: mailbox → what it shows. */
  readonly publishedBy: (label: string) => KeptTexts;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Presence as a whole: who has opted in is followed, composed and published. Lives as long as the process; a configuration is applied to it. */
export class PresenceDesk implements PresenceService {
  readonly #options: DeskOptions;
  readonly #engine: PresenceEngine;
  readonly #timer: AgendaTimer;
  readonly #events: EventLog;
  readonly #followers: Followers;
  readonly #lags: number[] = [];
  #queues: readonly PublisherQueue[] = [];
  readonly #retiring = new Set<PublisherQueue>();
  #setup: DeskSetup;
  #appliedAt: Instant;
  #isClosed = false;
  /** All texts that are in use; see retellWords. */
  #words: string | undefined;
  /** People have come or gone, and are to be sorted into channels. */
  #sorting: NodeJS.Timeout | undefined;

  /** Nobody is followed before `apply`. */
  constructor(options: DeskOptions, setup: DeskSetup) {
    const { clock, logger } = options;
    this.#options = options;
    this.#setup = setup;
    this.#appliedAt = clock.now();
    this.#events = new EventLog(clock);
    this.#engine = new PresenceEngine({ rules: this.#rules(), clock, onChange: (change, lagMs) => this.#changed(change, lagMs) });
    this.#timer = new AgendaTimer(() => this.#engine.next, () => this.#run(), clock);
    this.#followers = new Followers({
      clock,
      logger,
      onRead: (mailbox, freeBusy) => {
        this.#engine.read(mailbox, freeBusy);
        this.#timer.set();
      },
      onLost: (mailbox) => {
        this.#engine.lose(mailbox);
        this.#timer.set();
      },
      onDown: () => this.#followSoon(),
    });
  }

  /** Puts a configuration in force: what stays the same goes on, nobody's state is lost meanwhile. A publisher that is gone takes away what it has shown, as far as its server lets it within a minute. */
  async apply(setup: DeskSetup): Promise<void> {
    // Two of one label would share what is kept, overtake each other's publications, and (an XMPP component) put each other out.
    const replaced = this.#queues.filter(({ publisher }) => !setup.publishers.includes(publisher) && setup.publishers.some(({ label }) => label === publisher.label));
    await Promise.all(replaced.map((queue) => queue.close(0)));
    const isRemapped = JSON.stringify(setup.mapping) !== JSON.stringify(this.#setup.mapping);
    this.#setup = setup;
    this.#appliedAt = this.#options.clock.now();
    const former = this.#queues;
    const isNew = (publisher: PresencePublisher): boolean => former.every((queue) => queue.publisher !== publisher);
    const added = setup.publishers.filter(isNew).map((publisher) => this.#queueFor(publisher));
    this.#queues = setup.publishers.map((publisher) => [...former, ...added].find((queue) => queue.publisher === publisher)!);
    this.sync();
    for (const queue of added) {
      queue.start((mailbox) => this.#engine.has(mailbox));
      queue.tellAll();
    }
    // Each of these takes some 40 ms with 15,000 people.
    await nextTurn();
    this.#flushFollow();
    await nextTurn();
    this.#retellWords(former.filter((queue) => this.#queues.includes(queue)));
    if (isRemapped) this.#followers.changed([...this.#engine.mailboxes()]);
    for (const queue of former) {
      if (this.#queues.includes(queue) || replaced.includes(queue)) continue;
      this.#retiring.add(queue);
      void queue.retire().finally(() => this.#retiring.delete(queue));
    }
  }

  /** Follows exactly those who have opted in now; who came is read, who went is withdrawn. */
  sync(): void {
    const { optIns } = this.#options;
    const wanted = new Map<MailboxAddress, OptInState>();
    for (const entry of optIns.all()) {
      const mailbox = this.#setup.resolve(entry.mailbox);
      // Listed under an alias, and switched off under the real address: the person's own word.
      if (!entry.isOptedIn || (mailbox !== entry.mailbox && isSwitchedOff(optIns.of(mailbox)))) continue;
      wanted.set(mailbox, entry);
    }
    for (const mailbox of [...this.#engine.mailboxes()]) if (!wanted.has(mailbox)) this.#engine.remove(mailbox);
    for (const [mailbox, { language }] of wanted) this.#admit(mailbox, language);
    this.#engine.setRules(this.#rules());
    this.#timer.set();
    this.#followSoon();
  }

  /** These calendars may have changed, whoever says so. */
  calendarsChanged(mailboxes: readonly MailboxAddress[]): void {
    this.#followers.changed(mailboxes.map((one) => this.#setup.resolve(one)));
  }

  /** Every calendar of these channels may have changed. */
  everythingChanged(channelName: string): void {
    for (const reader of this.#followers.readers()) if (reader.channel.name === channelName) reader.changedAll();
  }

  async presenceOf(address: MailboxAddress, ctx: RequestContext): Promise<ShownPresence | undefined> {
    const mailbox = this.#setup.resolve(address);
    if (!this.#engine.has(mailbox)) return undefined;
    if (this.#sorting !== undefined) this.#flushFollow();
    const reader = this.#followers.readerOf(mailbox);
    const readAt = reader?.stateOf(mailbox)?.readAt;
    const mode = reader?.channel.watch?.modeOf(mailbox) ?? 'polled';
    const isFresh = (mode === 'live' || mode === 'hinted') && reader?.isCurrent(mailbox) === true && readAt !== undefined && this.#options.clock.now() - readAt <= LIMITS.presenceFreshMs;
    try {
      if (!isFresh) await reader?.readNow(mailbox, ctx);
    } catch (thrown) {
      // Its gateway was replaced while it was asked: the new one knows.
      if (!ctx.signal.aborted && this.#followers.readerOf(mailbox) !== reader) return this.presenceOf(address, ctx);
      // Why, the reader's log says; a watcher is told what nobody knows.
      if (!this.#isOnTheMove(mailbox, reader, thrown)) return this.#unknown();
    }
    return this.#engine.has(mailbox) ? (this.#engine.shownOf(mailbox, true) ?? this.#unknown()) : undefined;
  }

  snapshot(): Iterable<PresenceChange> {
    return this.#changesOf(this.#engine.mailboxes());
  }

  subscribe(listener: (event: PresenceEvent) => void, after?: string): { readonly missed: boolean; stop(): void } {
    return this.#events.subscribe(listener, after);
  }

  optInOf(mailbox: MailboxAddress): OptInState {
    return this.#options.optIns.of(this.#setup.resolve(mailbox));
  }

  optIns(): readonly OptInState[] {
    return this.#options.optIns.all();
  }

  async switch(address: MailboxAddress, isOn: boolean, actor: Actor): Promise<boolean> {
    const mailbox = this.#setup.resolve(address);
    const obstacle = isOn ? this.#setup.obstacleOf(mailbox) : undefined;
    if (obstacle !== undefined) throw obstacle;
    const { optIns } = this.#options;
    const isOther = await optIns.switch(mailbox, isOn, actor);
    if (isOn) this.#admit(mailbox, optIns.of(mailbox).language);
    else this.#engine.remove(mailbox);
    this.#followSoon();
    return isOther;
  }

  async setLanguage(address: MailboxAddress, language: string | undefined, actor: Actor): Promise<void> {
    const mailbox = this.#setup.resolve(address);
    await this.#options.optIns.setLanguage(mailbox, language, actor);
    this.#engine.setLanguage(mailbox, language);
  }

  async setOwn(address: MailboxAddress, source: OwnSource, state: PresenceState | undefined, until: Instant | null, actor: Actor): Promise<void> {
    const mailbox = this.#setup.resolve(address);
    if (state !== undefined && !OWN_STATES[source].includes(state)) throw new BridgeError('INVALID_REQUEST', `${source} may say ${OWN_STATES[source].join(', ')}, not ${state}`);
    if (!this.#engine.has(mailbox)) throw new BridgeError('NOT_FOUND', 'this mailbox has not opted in');
    const { [source]: _before, ...others } = this.#engine.ownOf(mailbox);
    const said: OwnState | undefined = state === undefined ? undefined : { state, at: this.#options.clock.now(), until };
    const own: OwnStates = said === undefined ? others : { ...others, [source]: said };
    await this.#options.own.store(mailbox, Object.keys(own).length === 0 ? undefined : encodeOwnStates(own));
    this.#options.audit.record({ what: 'presence.own-state', mailbox, ...actor, source, state });
    this.#engine.setOwn(mailbox, own);
    this.#timer.set();
  }

  resync(which: readonly MailboxAddress[] | 'all'): number {
    const chosen = which === 'all' ? [...this.#engine.mailboxes()] : [...new Set(which.map((one) => this.#setup.resolve(one)))].filter((one) => this.#engine.has(one));
    this.#followers.changed(chosen);
    for (const queue of this.#queues) queue.republishOf(this.#changesOf(chosen));
    return chosen.length;
  }

  status(): PresenceStatus {
    return statusOf({ engine: this.#engine, followers: this.#followers, queues: this.#queues, setup: this.#setup, spread: this.#rules().spread, lags: this.#lags, appliedAt: this.#appliedAt });
  }

  *followed(): Iterable<FollowedMailbox> {
    for (const mailbox of this.#engine.mailboxes()) yield followedMailbox(mailbox, this.#engine.shownOf(mailbox) ?? this.#unknown(), this.#followers.readerOf(mailbox), this.#queues);
  }

  /** Gives publishers a moment for what waits, then ends everything. Gateways are the caller's. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#timer.stop();
    clearTimeout(this.#sorting);
    this.#followers.stop();
    await Promise.all([...this.#queues.map((queue) => queue.close(graceMs)), ...[...this.#retiring].map((queue) => queue.close(0))]);
  }

  /** Other texts, or the same ones in another language: whoever shows one is told anew, which no state would do. @param queues that know the former ones */
  #retellWords(queues: readonly PublisherQueue[]): void {
    const languages = new Set([undefined, ...this.#options.optIns.all().map(({ language }) => language)]);
    const words = JSON.stringify([...languages].map((language) => PRESENCE_STATES.map((state) => [language ?? '', this.#setup.textFor(state, language)])));
    const isOther = this.#words !== undefined && this.#words !== words;
    this.#words = words;
    if (!isOther) return;
    const changes = [...this.snapshot()].filter(({ shown }) => shown?.text !== '');
    for (const change of changes) this.#events.add(change);
    for (const queue of queues) queue.republishOf(changes);
  }

  #admit(mailbox: MailboxAddress, language: string | undefined): void {
    const { shown, own } = this.#options;
    const before = shown.get(mailbox) as PresenceState | undefined;
    this.#engine.add(mailbox, { language, own: decodeOwnStates(own.get(mailbox)), shownBefore: before !== undefined && PRESENCE_STATES.includes(before) ? before : undefined });
    this.#engine.setLanguage(mailbox, language);
  }

  /** Thousands who are switched on one after the other are sorted once. */
  #followSoon(): void {
    this.#sorting ??= setTimeout(() => this.#flushFollow(), LIMITS.presenceSortMs);
  }

  #flushFollow(): void {
    clearTimeout(this.#sorting);
    this.#sorting = undefined;
    if (this.#isClosed) return;
    if (this.#setup.calendarSpread === 'auto') this.#engine.setRules(this.#rules());
    this.#follow();
  }

  #follow(): void {
    this.#followers.follow([...this.#engine.mailboxes()], (mailbox) => this.#setup.channelOf(mailbox, (channel) => this.#followers.isUp(channel)));
  }

  #rules(): EngineRules {
    const { mapping, precedence, textFor, calendarSpread } = this.#setup;
    return { mapping, precedence, textFor, spread: spreadSeconds(calendarSpread, this.#engine?.size ?? 0) };
  }

  #run(): void {
    if (this.#isClosed) return;
    this.#engine.run(LIMITS.presenceShownPerTurn);
  }

  #changed(change: PresenceChange, lagMs: number | undefined): void {
    const { mailbox, shown } = change;
    const { shown: kept, own, metrics } = this.#options;
    if (shown === undefined) {
      kept.delete(mailbox);
      own.delete(mailbox);
    } else if (kept.get(mailbox) !== shown.state) kept.set(mailbox, shown.state);
    if (lagMs !== undefined) {
      metrics.presenceShown(lagMs);
      if (this.#lags.push(lagMs) > LIMITS.presenceLags * 2) this.#lags.splice(0, LIMITS.presenceLags);
    }
    this.#events.add(change);
    for (const queue of this.#queues) queue.tell(change);
  }

  /** Another way to the calendar is in force by now, or has not answered yet: what the former one said holds until it does (presence.md A29). */
  #isOnTheMove(mailbox: MailboxAddress, reader: CalendarReader | undefined, thrown: unknown): boolean {
    if (this.#followers.readerOf(mailbox) !== reader) return true;
    return reader?.stateOf(mailbox)?.readAt === undefined && !isAboutTheMailbox(toBridgeError(thrown));
  }

  *#changesOf(mailboxes: Iterable<MailboxAddress>): Iterable<PresenceChange> {
    for (const mailbox of mailboxes) {
      const shown = this.#engine.shownOf(mailbox);
      if (shown !== undefined) yield { mailbox, shown };
    }
  }

  #unknown(): ShownPresence {
    const words = this.#setup.textFor('unknown', undefined);
    return { state: 'unknown', until: null, reason: 'calendar', since: this.#options.clock.now(), next: null, ...words };
  }

  #queueFor(publisher: PresencePublisher): PublisherQueue {
    const { clock, logger, metrics, publishedBy } = this.#options;
    return new PublisherQueue({ publisher, published: publishedBy(publisher.label), everybody: () => this.snapshot(), clock, logger, metrics });
  }
}

/** Somebody said no; a mailbox of which nobody ever said anything is something else. */
function isSwitchedOff({ isOptedIn, at }: OptInState): boolean {
  return !isOptedIn && at !== undefined;
}
