import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Instant } from '../core/clock.ts';
import { pauseAfter } from '../core/back-off.ts';
import { toBridgeError } from '../core/errors.ts';
import type { BridgeError, ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { within } from '../core/within.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { Agenda, AgendaTimer } from './agenda.ts';
import type { Planned } from './agenda.ts';
import type { PresenceChange, ShownPresence } from './presence.ts';
import type { KeptTexts, PresencePublisher } from './publisher.ts';

export interface PublisherQueueOptions {
  readonly publisher: PresencePublisher;
  /** What was published and not withdrawn: mailbox → what it showed. It outlives the process, so that nothing stays published of who opted out meanwhile. */
  readonly published: KeptTexts;
  /** What is shown of everybody now; for a server that has lost everything. */
  readonly everybody: () => Iterable<PresenceChange>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Something that is to be published, or taken away (`shown` undefined). */
interface Publication extends Planned {
  readonly mailbox: MailboxAddress;
  shown: ShownPresence | undefined;
  failures: number;
  trouble: string | undefined;
}

export interface PublisherStatus {
  readonly label: string;
  /** Mailboxes whose newest state the server has not taken yet, those under way among them. */
  readonly waiting: number;
  readonly failing: number;
  readonly publishedAt: Instant | undefined;
  readonly trouble: string | undefined;
}

/**
 * What one publisher has still to be told: the newest state of each mailbox, one call a mailbox at a time, at the server's pace, tried again until it is accepted or
 * overtaken. Each publisher has one of its own, so that none holds up another.
 */
export class PublisherQueue {
  readonly #options: PublisherQueueOptions;
  readonly #waiting = new Map<MailboxAddress, Publication>();
  readonly #underWay = new Map<MailboxAddress, Publication>();
  readonly #agenda = new Agenda<Publication>();
  readonly #timer: AgendaTimer;
  readonly #ended = new AbortController();
  /** Who was published since the process began: before that nobody knows whether the server still has it, if it is one that keeps anything. */
  readonly #confirmed = new Set<MailboxAddress>();
  readonly #failing = new Map<MailboxAddress, string>();
  /** When the next call may begin. */
  #slot: Instant = 0;
  /** The server as a whole refuses or is away: one try at a time, from then on. */
  #brake: { failures: number; until: Instant; reason: string } | undefined;
  #publishedAt: Instant | undefined;

  constructor(options: PublisherQueueOptions) {
    this.#options = options;
    this.#timer = new AgendaTimer(() => this.#nextDue(), () => this.#run(), options.clock);
  }

  get publisher(): PresencePublisher {
    return this.#options.publisher;
  }

  get label(): string {
    return this.#options.publisher.label;
  }

  /** Opens the publisher, and takes away what is published of others than these. */
  start(optedIn: (mailbox: MailboxAddress) => boolean): void {
    const { publisher, published } = this.#options;
    publisher.start(() => this.republish());
    if (publisher.isOnlyTold === true) for (const mailbox of published.keys()) this.#confirmed.add(mailbox as MailboxAddress);
    for (const mailbox of [...published.keys()] as MailboxAddress[]) if (!optedIn(mailbox)) this.tell({ mailbox, shown: undefined });
  }

  /** A state is shown, or is shown no more. */
  tell({ mailbox, shown }: PresenceChange): void {
    const waiting = this.#waiting.get(mailbox);
    if (waiting === undefined && !this.#underWay.has(mailbox) && this.#isKnown(mailbox, shown)) return;
    if (shown === undefined) this.#failing.delete(mailbox);
    if (waiting !== undefined) {
      waiting.shown = shown;
      waiting.failures = 0;
      if (waiting.place >= 0) this.#agenda.plan(waiting, Math.min(waiting.due, this.#options.clock.now()));
    } else {
      const publication: Publication = { mailbox, shown, failures: 0, trouble: undefined, due: 0, place: -1 };
      this.#waiting.set(mailbox, publication);
      if (!this.#underWay.has(mailbox)) this.#agenda.plan(publication, this.#options.clock.now());
    }
    this.#timer.set();
  }

  /** Tells the server everything once more. */
  republish(): void {
    this.#confirmed.clear();
    this.tellAll();
  }

  /** Tells it of everybody whom it does not show as they are. */
  tellAll(): void {
    void this.#tellEach(this.#options.everybody(), false);
  }

  /** Ends for good: a server that is told nothing any more would show for ever what it was told last. Whoever is only told hears nothing more. */
  async retire(): Promise<void> {
    const { published, publisher } = this.#options;
    if (publisher.isOnlyTold !== true) for (const mailbox of [...published.keys()] as MailboxAddress[]) this.tell({ mailbox, shown: undefined });
    await this.close(LIMITS.presenceRetireMs);
  }

  /** The same for some; thousands in several turns of the event loop. @param changes made when they are asked for: what changes meanwhile is not told twice over */
  republishOf(changes: Iterable<PresenceChange>): void {
    void this.#tellEach(changes, true);
  }

  status(): PublisherStatus {
    return { label: this.label, waiting: this.#waiting.size + [...this.#underWay.keys()].filter((mailbox) => !this.#waiting.has(mailbox)).length, failing: this.#failing.size, publishedAt: this.#publishedAt, trouble: this.#brake?.reason };
  }

  /** Why a mailbox cannot be published, where that is so. */
  troubleOf(mailbox: MailboxAddress): string | undefined {
    return this.#failing.get(mailbox);
  }

  /** Gives what waits so long, then ends the publisher. */
  async close(graceMs: number): Promise<void> {
    if (this.#brake === undefined && this.#waiting.size + this.#underWay.size > 0 && graceMs > 0) {
      const until = Date.now() + graceMs;
      while (this.#waiting.size + this.#underWay.size > 0 && this.#brake === undefined && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#timer.stop();
    this.#ended.abort();
    await this.#options.publisher.close();
  }

  /** Whether the server shows that already, as far as we know. */
  #isKnown(mailbox: MailboxAddress, shown: ShownPresence | undefined): boolean {
    const { published, publisher } = this.#options;
    if (shown === undefined) return published.get(mailbox) === undefined;
    return this.#confirmed.has(mailbox) && published.get(mailbox) === summaryOf(shown, publisher.showsTimes === true);
  }

  /** @param isAnew whether it is told what it shows already, too */
  async #tellEach(changes: Iterable<PresenceChange>, isAnew: boolean): Promise<void> {
    let count = 0;
    for (const change of changes) {
      if (isAnew) this.#confirmed.delete(change.mailbox);
      this.tell(change);
      if (++count % LIMITS.presenceShownPerTurn === 0) await nextTurn();
      if (this.#ended.signal.aborted) return;
    }
  }

  #nextDue(): Instant | undefined {
    const { next } = this.#agenda;
    if (next === undefined || this.#underWay.size >= this.#concurrency()) return undefined;
    return Math.max(next, this.#slotAt(this.#options.clock.now()), this.#brake?.until ?? 0);
  }

  #concurrency(): number {
    return this.#brake === undefined ? this.#options.publisher.pace.concurrency : 1;
  }

  /** It is never further ahead than one gap, unless the clock was set back. */
  #slotAt(now: Instant): Instant {
    return this.#slot > now + 1000 / this.#options.publisher.pace.perSecond ? now : this.#slot;
  }

  #run(): void {
    const { clock, publisher } = this.#options;
    const now = clock.now();
    if (this.#brake !== undefined && now < this.#brake.until) return;
    // As many as have become due since the last ones; a timer that came late catches up for a tenth of a second.
    const gapMs = 1000 / publisher.pace.perSecond;
    this.#slot = Math.max(this.#slotAt(now), now - LIMITS.presenceCatchUpMs);
    while (this.#underWay.size < this.#concurrency() && this.#slot <= now) {
      const publication = this.#agenda.take(now);
      if (publication === undefined) break;
      this.#slot += gapMs;
      this.#waiting.delete(publication.mailbox);
      this.#underWay.set(publication.mailbox, publication);
      void this.#publish(publication);
    }
  }

  async #publish(publication: Publication): Promise<void> {
    const { publisher, published, clock, logger, metrics } = this.#options;
    const { mailbox, shown } = publication;
    try {
      // Before the server can have it: whoever ends in the middle has something to take away at the next start.
      if (shown !== undefined && published.get(mailbox) === undefined) published.set(mailbox, UNCONFIRMED);
      await within(LIMITS.presencePublishMs, this.#ended.signal, (signal) => (shown === undefined ? publisher.withdraw(mailbox, signal) : publisher.publish(mailbox, shown, signal)));
      if (shown === undefined) {
        published.delete(mailbox);
        this.#confirmed.delete(mailbox);
      } else {
        published.set(mailbox, summaryOf(shown, publisher.showsTimes === true));
        this.#confirmed.add(mailbox);
      }
      if (this.#failing.delete(mailbox)) logger.info({ system: publisher.label, mailbox }, 'presence is published again');
      if (this.#brake !== undefined) logger.info({ system: publisher.label }, 'the publisher takes presence again');
      this.#brake = undefined;
      this.#publishedAt = clock.now();
      metrics.presencePublished(publisher.label, shown === undefined ? 'withdrawn' : 'ok');
      this.#done(publication, undefined);
    } catch (thrown) {
      if (this.#ended.signal.aborted) return;
      this.#failed(publication, toBridgeError(thrown));
    }
  }

  #failed(publication: Publication, error: BridgeError): void {
    const { publisher, clock, logger, metrics } = this.#options;
    const { mailbox } = publication;
    const now = clock.now();
    const reason = `${error.code}: ${error.publicMessage}`;
    metrics.presencePublished(publisher.label, error.code);
    publication.failures += 1;
    if (ABOUT_THE_SERVER.has(error.code)) {
      const failures = (this.#brake?.failures ?? 0) + 1;
      if (this.#brake === undefined) logger.warn({ system: publisher.label, code: error.code, reason: error.publicMessage, count: this.#waiting.size + this.#underWay.size }, 'a publisher takes no presence; what changes waits');
      this.#brake = { failures, until: now + pauseAfter(failures, error.code === 'BACKEND_AUTH' ? REFUSED_PAUSES : AWAY_PAUSES, error.retryAfterMs), reason };
      this.#done(publication, now);
    } else if (error.temporary) {
      this.#done(publication, now + pauseAfter(publication.failures, MAILBOX_PAUSES, error.retryAfterMs));
    } else {
      // The same would be refused again: the next change is a new try.
      logger.warn({ system: publisher.label, mailbox, code: error.code, reason: error.publicMessage }, 'presence cannot be published');
      this.#failing.set(mailbox, reason);
      this.#done(publication, undefined);
    }
  }

  /** @param again when it is to be tried again, unless something newer waits; undefined: never */
  #done(publication: Publication, again: Instant | undefined): void {
    const { mailbox } = publication;
    this.#underWay.delete(mailbox);
    const newer = this.#waiting.get(mailbox);
    // What is newer need not wait out the pause of what failed; that of the server holds for all.
    if (newer !== undefined) this.#agenda.plan(newer, this.#options.clock.now());
    else if (again !== undefined) {
      this.#waiting.set(mailbox, publication);
      this.#agenda.plan(publication, again);
    }
    this.#timer.set();
  }
}

/** It was on its way; no state is called so. */
const UNCONFIRMED = '?';

const AWAY_PAUSES = { firstMs: 500, longestMs: 15_000 };
const REFUSED_PAUSES = { firstMs: 60_000, longestMs: 15 * 60_000 };
const MAILBOX_PAUSES = { firstMs: 1_000, longestMs: 5 * 60_000 };

const ABOUT_THE_SERVER: ReadonlySet<ErrorCode> = new Set(['BACKEND_AUTH', 'BACKEND_TLS', 'BACKEND_UNREACHABLE', 'BACKEND_REDIRECT', 'CONFIGURATION']);

/** What a watcher of that publisher can tell apart. */
function summaryOf({ state, reason, until, language }: ShownPresence, withTimes: boolean): string {
  if (state === 'available' || state === 'unknown') return state;
  return shared(withTimes ? `${state} ${language} ${reason} ${until ?? ''}` : `${state} ${language}`);
}

/** Thousands of people show the same few things: one text for all of them. */
const TEXTS = new Map<string, string>();
function shared(text: string): string {
  const known = TEXTS.get(text);
  if (known !== undefined) return known;
  if (TEXTS.size >= LIMITS.presenceSharedTexts) TEXTS.clear();
  TEXTS.set(text, text);
  return text;
}
