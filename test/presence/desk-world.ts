import { vi } from 'vitest';
import { DAY_MS } from '../../src/core/clock.ts';
import { noAudit } from '../../src/core/audit.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import type { FreeBusySource } from '../../src/freebusy/source.ts';
import type { Channel } from '../../src/presence/calendar-reader.ts';
import { PresenceDesk } from '../../src/presence/desk.ts';
import type { DeskOptions, DeskSetup } from '../../src/presence/desk.ts';
import type { OptInBook } from '../../src/presence/presence-service.ts';
import type { CalendarWatch, WatchMode } from '../../src/presence/gateway.ts';
import type { PresenceState, ShownPresence } from '../../src/presence/presence.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import type { KeptTexts, PresencePublisher } from '../../src/presence/publisher.ts';
import { rules } from './rules.ts';

/** Calendars in memory that count how they are asked and can be away. */
export class MemoryCalendars implements FreeBusySource {
  readonly calendars = new Map<MailboxAddress, readonly BusyInterval[]>();
  readonly asked: (readonly MailboxAddress[])[] = [];
  failure: BridgeError | undefined;
  readonly failures = new Map<MailboxAddress, BridgeError>();

  async freeBusy({ mailboxes, window }: Parameters<FreeBusySource['freeBusy']>[0]): ReturnType<FreeBusySource['freeBusy']> {
    this.asked.push(mailboxes);
    if (this.failure !== undefined) throw this.failure;
    return mailboxes.map((mailbox) => {
      const error = this.failures.get(mailbox);
      return error === undefined ? { mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: this.calendars.get(mailbox) ?? [] }), asOf: Date.now() } : { mailbox, error };
    });
  }
}

/** A watch that tells what a test tells it to. */
export class MemoryWatch implements CalendarWatch {
  followed: ReadonlySet<MailboxAddress> = new Set();
  mode: WatchMode = 'live';

  follow(mailboxes: ReadonlySet<MailboxAddress>): void {
    this.followed = mailboxes;
  }

  modeOf(): WatchMode {
    return this.mode;
  }

  status(): ReturnType<CalendarWatch['status']> {
    return { method: 'streaming', live: this.followed.size, hinted: 0, polled: 0, starting: 0, moving: 0, heardAt: undefined, trouble: undefined };
  }

  async close(): Promise<void> {}
}

/** A server that remembers what it was told. */
export class MemoryPublisher implements PresencePublisher {
  readonly label: string;
  readonly pace = { concurrency: 8, perSecond: 1_000_000 };
  showsTimes = false;
  /** As a watcher sees it now. */
  readonly seen = new Map<MailboxAddress, ShownPresence>();
  readonly calls: (readonly [at: number, mailbox: MailboxAddress, state: PresenceState | undefined])[] = [];
  failure: BridgeError | undefined;
  onLost = (): void => undefined;
  isClosed = false;

  constructor(label = 'memory') {
    this.label = label;
  }

  start(onLost: () => void): void {
    this.onLost = onLost;
  }

  async publish(mailbox: MailboxAddress, shown: ShownPresence): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.calls.push([Date.now(), mailbox, shown.state]);
    this.seen.set(mailbox, shown);
  }

  async withdraw(mailbox: MailboxAddress): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.calls.push([Date.now(), mailbox, undefined]);
    this.seen.delete(mailbox);
  }

  async observe(mailbox: MailboxAddress): Promise<PresenceState | undefined> {
    return this.seen.get(mailbox)?.state;
  }

  async probe(): Promise<readonly []> {
    return [];
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** Texts that say when they are stored. */
export function storedTexts(): DeskOptions['own'] {
  const texts = new Map<string, string>();
  const store = async (key: string, text: string | undefined): Promise<void> => void (text === undefined ? texts.delete(key) : texts.set(key, text));
  return Object.assign(texts, { store });
}

/** Who has opted in, in memory. */
export class MemoryOptIns implements OptInBook {
  readonly on = new Map<MailboxAddress, boolean>();
  readonly languages = new Map<MailboxAddress, string>();

  of(mailbox: MailboxAddress): ReturnType<OptInBook['of']> {
    const isOptedIn = this.on.get(mailbox);
    return { mailbox, isOptedIn: isOptedIn === true, by: undefined, at: isOptedIn === undefined ? undefined : 0, language: this.languages.get(mailbox) };
  }

  all(): ReturnType<OptInBook['all']> {
    return [...this.on.keys()].map((mailbox) => this.of(mailbox));
  }

  async switch(mailbox: MailboxAddress, isOn: boolean): Promise<boolean> {
    const before = this.on.get(mailbox) === true;
    this.on.set(mailbox, isOn);
    return before !== isOn;
  }

  async setLanguage(mailbox: MailboxAddress, language: string | undefined): Promise<void> {
    if (language === undefined) this.languages.delete(mailbox);
    else this.languages.set(mailbox, language);
  }
}

export const START = Date.UTC(2026, 10, 30, 8);

/** A desk with everything around it in memory, under vitest's clock: `restart` ends it as a crash does and begins anew with what was kept. */
export class DeskWorld {
  readonly source = new MemoryCalendars();
  readonly watch = new MemoryWatch();
  readonly optIns = new MemoryOptIns();
  publishers: MemoryPublisher[] = [new MemoryPublisher()];
  readonly shown: KeptTexts = memoryTexts();
  readonly own = storedTexts();
  readonly published = new Map<string, KeptTexts>();
  channel: Channel = { name: 'Head office', source: this.source, watch: this.watch, mailboxesPerRequest: 100, requests: 8, timeoutMs: 20_000, queue: 1_000 };
  setup: DeskSetup;
  desk: PresenceDesk;

  constructor(setup: Partial<DeskSetup> = {}) {
    vi.useFakeTimers({ now: START });
    const { mapping, precedence, textFor } = rules();
    this.setup = {
      mapping,
      precedence,
      textFor,
      calendarSpread: 0,
      resolve: (mailbox) => mailbox,
      channelOf: () => this.channel,
      obstacleOf: () => undefined,
      publishers: this.publishers,
      gateways: [],
      labelOf: () => 'Exchange -- EWS Server',
      pending: () => [],
      idle: undefined,
      ...setup,
    };
    this.desk = this.#begin();
  }

  /** Somebody who has opted in, with a calendar. */
  put(mailbox: string, ...busy: BusyInterval[]): MailboxAddress {
    this.source.calendars.set(mailbox as MailboxAddress, busy);
    this.optIns.on.set(mailbox as MailboxAddress, true);
    return mailbox as MailboxAddress;
  }

  /** Their calendar changes, and (unless it is lost) a notification comes. */
  change(mailbox: string, isLost: boolean, ...busy: BusyInterval[]): void {
    this.source.calendars.set(mailbox as MailboxAddress, busy);
    if (!isLost) this.desk.calendarsChanged([mailbox as MailboxAddress]);
  }

  async apply(): Promise<void> {
    await this.desk.apply(this.setup);
    await vi.advanceTimersByTimeAsync(1);
  }

  /** Crash and new start; the publishers' servers went on. */
  async restart(): Promise<void> {
    await this.desk.close(0);
    this.desk = this.#begin();
    await this.apply();
  }

  #begin(): PresenceDesk {
    return new PresenceDesk(
      {
        optIns: this.optIns,
        shown: this.shown,
        own: this.own,
        audit: noAudit,
        publishedBy: (label) => {
          const texts = this.published.get(label) ?? memoryTexts();
          this.published.set(label, texts);
          return texts;
        },
        clock: { now: () => Date.now() },
        logger: silentLogger,
        metrics: noMetrics,
      },
      { ...this.setup, publishers: [] },
    );
  }
}

export const away = (): BridgeError => new BridgeError('BACKEND_UNREACHABLE', 'nobody answers', { temporary: true });

/** Minutes after START. */
export const busy = (from: number, to: number, busyType: BusyInterval['busyType'] = 'busy'): BusyInterval => ({ start: START + from * 60_000, end: START + to * 60_000, busyType });

export const ONE_DAY = DAY_MS;
