import type { Clock, Instant } from '../core/clock.ts';
import { pauseAfter } from '../core/back-off.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { RequestContext } from '../core/request-context.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { within } from '../core/within.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import type { FreeBusyResult, FreeBusySource } from '../freebusy/source.ts';
import { Agenda, AgendaTimer } from './agenda.ts';
import type { Planned } from './agenda.ts';
import type { CalendarWatch } from './gateway.ts';
import { presenceContext, presenceWindow } from './the-bridge.ts';

/** A way to calendars: a gateway, or the lookup for systems that have none. */
export interface Channel {
  /** A gateway's description, or a system's name. */
  readonly name: string;
  readonly source: FreeBusySource;
  /** Undefined: nobody tells of changes. */
  readonly watch: CalendarWatch | undefined;
  readonly mailboxesPerRequest: number;
  /** At the same time. */
  readonly requests: number;
  readonly timeoutMs: number;
  /** Mailboxes that may be due for reading before that is worth a warning. */
  readonly queue: number;
}

export interface ReaderOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRead: (mailbox: MailboxAddress, freeBusy: FreeBusy) => void;
  /** What was read is not to be believed any more. */
  readonly onLost: (mailbox: MailboxAddress) => void;
  /** The server as a whole does not answer, or does again. */
  readonly onHealth?: (isUp: boolean) => void;
}

interface Reading extends Planned {
  readonly mailbox: MailboxAddress;
  isUnderWay: boolean;
  /** In the order of `#order`: when it was last told of, and when the reading began that is shown. What began before it was told of is not the last word. */
  toldAt: number;
  begunAt: number;
  failures: number;
  /** Of the first of the failures. */
  failedAt: Instant | undefined;
  readAt: Instant | undefined;
  trouble: string | undefined;
}

/** Somebody's calendar, asked for by those who wait. */
interface Asked {
  readonly done: Promise<void>;
  readonly end: AbortController;
  waiters: number;
}

/**
 * Reads the calendars of one channel: at once whoever has changed, in time whoever has not been read for long, again and again what failed. Many who are due together are one
 * question, and whoever changes while being read is read once more.
 */
export class CalendarReader {
  readonly #options: ReaderOptions;
  readonly #readings = new Map<MailboxAddress, Reading>();
  readonly #agenda = new Agenda<Reading>();
  readonly #timer: AgendaTimer;
  readonly #ended = new AbortController();
  readonly #asked = new Map<MailboxAddress, Asked>();
  #underWay = 0;
  /** Requests in a row that the server as a whole failed, and when everybody was tried for that. */
  #downs = 0;
  #triedAllAt: Instant = -Infinity;
  /** After refused credentials nobody is asked before then: accounts get locked. */
  #pausedUntil: Instant = 0;
  #isOverfull = false;
  /** Grows with everything that happens: clocks are set, and two things can happen in one millisecond. */
  #order = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#timer = new AgendaTimer(() => this.#nextDue(), () => this.#run(), options.clock);
  }

  get channel(): Channel {
    return this.#options.channel;
  }

  get size(): number {
    return this.#readings.size;
  }

  /** Whose calendars are kept up to date from now on; who is new is read at once. */
  follow(mailboxes: ReadonlySet<MailboxAddress>): void {
    const now = this.#options.clock.now();
    for (const [mailbox, reading] of this.#readings) {
      if (mailboxes.has(mailbox)) continue;
      this.#agenda.cancel(reading);
      this.#readings.delete(mailbox);
    }
    for (const mailbox of mailboxes) {
      if (this.#readings.has(mailbox)) continue;
      const reading: Reading = { mailbox, due: now, place: -1, isUnderWay: false, toldAt: 0, begunAt: 0, failures: 0, failedAt: undefined, readAt: undefined, trouble: undefined };
      this.#readings.set(mailbox, reading);
      this.#agenda.plan(reading, now);
    }
    this.channel.watch?.follow(mailboxes);
    this.#timer.set();
  }

  /** These may have changed: they are read again soon. Others than those who are followed do not matter. */
  changed(mailboxes: Iterable<MailboxAddress>): void {
    const due = this.#options.clock.now() + LIMITS.presenceGatherMs;
    for (const mailbox of mailboxes) {
      const reading = this.#readings.get(mailbox);
      if (reading === undefined) continue;
      reading.toldAt = ++this.#order;
      // Who asks from now on does not want what was asked before.
      this.#asked.delete(mailbox);
      if (!reading.isUnderWay && (reading.place < 0 || reading.due > due)) this.#agenda.plan(reading, due);
    }
    this.#timer.set();
  }

  /** The same for all. How many that are. */
  changedAll(): number {
    this.changed(this.#readings.keys());
    return this.#readings.size;
  }

  /** Whether nobody has told of a change since the calendar that is shown was read. */
  isCurrent(mailbox: MailboxAddress): boolean {
    const reading = this.#readings.get(mailbox);
    return reading !== undefined && reading.begunAt > reading.toldAt;
  }

  /** Reads one now, for somebody who waits; several who ask at once share it, and it ends when the last of them has gone. @throws BridgeError BACKEND_AUTH also without asking */
  async readNow(mailbox: MailboxAddress, ctx: RequestContext): Promise<void> {
    if (this.#options.clock.now() < this.#pausedUntil) throw REFUSED;
    const asked = this.#asked.get(mailbox) ?? this.#ask(mailbox);
    asked.waiters += 1;
    try {
      await untilAborted(asked.done, ctx.signal, Math.max(0, ctx.deadline - this.#options.clock.now()));
    } finally {
      asked.waiters -= 1;
      if (asked.waiters === 0) {
        asked.end.abort();
        if (this.#asked.get(mailbox) === asked) this.#asked.delete(mailbox);
      }
    }
  }

  stateOf(mailbox: MailboxAddress): { readonly readAt: Instant | undefined; readonly trouble: string | undefined } | undefined {
    return this.#readings.get(mailbox);
  }

  /** How many are due and wait. */
  waiting(): number {
    const now = this.#options.clock.now();
    let count = 0;
    for (const { place, due } of this.#readings.values()) if (place >= 0 && due <= now) count += 1;
    return count;
  }

  /** Ends what is under way. The channel is the caller's. */
  stop(): void {
    this.#timer.stop();
    this.#ended.abort();
    for (const { end } of this.#asked.values()) end.abort();
  }

  #ask(mailbox: MailboxAddress): Asked {
    const { clock } = this.#options;
    const { source, timeoutMs } = this.channel;
    const end = new AbortController();
    const begunAt = ++this.#order;
    const done = (async (): Promise<void> => {
      try {
        const [result] = await within(timeoutMs, end.signal, (signal) => source.freeBusy({ mailboxes: [mailbox], window: presenceWindow(clock.now()), details: false }, presenceContext(clock.now() + timeoutMs, signal)));
        if (result === undefined) throw new BridgeError('NO_DATA', 'no answer for this mailbox');
        if ('error' in result) throw result.error;
        const reading = this.#readings.get(mailbox);
        if (reading !== undefined) this.#succeeded(reading, result.freeBusy, begunAt);
      } catch (thrown) {
        if (thrown instanceof BridgeError && thrown.code === 'BACKEND_AUTH') this.#pause();
        throw thrown;
      }
    })();
    const asked = { done, end, waiters: 0 };
    this.#asked.set(mailbox, asked);
    return asked;
  }

  /** Nothing while all requests are out: each that comes back looks again. */
  #nextDue(): Instant | undefined {
    const isPaused = this.#options.clock.now() < this.#pausedUntil;
    return this.#underWay >= this.channel.requests && !isPaused ? undefined : this.#agenda.next;
  }

  #run(): void {
    const now = this.#options.clock.now();
    if (now < this.#pausedUntil) {
      this.#failUnasked(now);
      return;
    }
    while (!this.#ended.signal.aborted && this.#underWay < this.channel.requests) {
      const batch: Reading[] = [];
      while (batch.length < this.channel.mailboxesPerRequest) {
        const reading = this.#agenda.take(now);
        if (reading === undefined) break;
        reading.isUnderWay = true;
        batch.push(reading);
      }
      if (batch.length === 0) break;
      this.#underWay += 1;
      void this.#read(batch, ++this.#order).finally(() => {
        this.#underWay -= 1;
        if (!this.#ended.signal.aborted) this.#timer.set();
      });
    }
    this.#warnWhereOverfull(now);
  }

  /** Nobody is asked, and what was read before is believed no longer for that: whoever is due has failed. */
  #failUnasked(now: Instant): void {
    for (let count = 0; count < LIMITS.presenceShownPerTurn; count++) {
      const reading = this.#agenda.take(now);
      if (reading === undefined) return;
      this.#failed(reading, REFUSED, ++this.#order);
    }
  }

  /** Where the server as a whole fails, hearing nothing of a calendar is no news of it: all but those whose changes we provably hear are tried. */
  #tryAll(now: Instant): void {
    if ((this.#downs < LIMITS.presenceFailuresBeforeDown && now >= this.#pausedUntil) || now - this.#triedAllAt < LIMITS.presenceTryAllMs) return;
    this.#triedAllAt = now;
    for (const reading of this.#readings.values()) {
      if (reading.failures === 0 && reading.place >= 0 && reading.due > now && this.channel.watch?.modeOf(reading.mailbox) !== 'live') this.#agenda.plan(reading, now);
    }
  }

  async #read(batch: readonly Reading[], begunAt: number): Promise<void> {
    const { clock, logger } = this.#options;
    const { source, timeoutMs, name } = this.channel;
    const mailboxes = batch.map(({ mailbox }) => mailbox);
    let results: readonly FreeBusyResult[];
    try {
      results = await within(timeoutMs, this.#ended.signal, (signal) => source.freeBusy({ mailboxes, window: presenceWindow(clock.now()), details: false }, presenceContext(clock.now() + timeoutMs, signal)));
      if (results.length !== batch.length || results.some(({ mailbox }, index) => mailbox !== mailboxes[index])) throw new BridgeError('INTERNAL', 'results out of order');
    } catch (thrown) {
      const error = toBridgeError(thrown);
      results = mailboxes.map((mailbox) => ({ mailbox, error }));
      if (!this.#ended.signal.aborted) logger.warn({ system: name, code: error.code, reason: error.publicMessage, mailboxes: mailboxes.length }, 'calendars cannot be read for presence');
    }
    if (this.#ended.signal.aborted) return;
    const isDown = results.every((result) => 'error' in result && ABOUT_THE_SERVER.has(result.error.code));
    this.#downs = isDown ? this.#downs + 1 : 0;
    if (results.some((result) => 'error' in result && result.error.code === 'BACKEND_AUTH')) this.#pause();
    if (!isDown) this.#options.onHealth?.(true);
    else if (this.#downs >= LIMITS.presenceFailuresBeforeDown) this.#options.onHealth?.(false);
    batch.forEach((reading, index) => {
      reading.isUnderWay = false;
      // Somebody else's business by now, or everybody's.
      if (this.#readings.get(reading.mailbox) !== reading || this.#ended.signal.aborted) return;
      const result = results[index]!;
      if ('error' in result) this.#failed(reading, result.error, begunAt);
      else this.#succeeded(reading, result.freeBusy, begunAt);
    });
    this.#tryAll(clock.now());
  }

  #succeeded(reading: Reading, freeBusy: FreeBusy, begunAt: number): void {
    const { clock, logger, onRead } = this.#options;
    const now = clock.now();
    if (reading.trouble !== undefined) logger.info({ system: this.channel.name, mailbox: reading.mailbox }, 'a calendar can be read again');
    reading.failures = 0;
    reading.failedAt = undefined;
    reading.trouble = undefined;
    const isNewest = begunAt > reading.begunAt;
    if (isNewest) {
      reading.begunAt = begunAt;
      reading.readAt = now;
    }
    // One that is under way is planned when it is done.
    if (!reading.isUnderWay) this.#agenda.plan(reading, this.isCurrent(reading.mailbox) ? now + this.#period(reading.mailbox) : now + LIMITS.presenceGatherMs);
    this.#timer.set();
    if (isNewest) onRead(reading.mailbox, freeBusy);
  }

  #failed(reading: Reading, error: BridgeError, begunAt: number): void {
    const { clock, logger, onLost } = this.#options;
    const now = clock.now();
    // One that began later has been read meanwhile.
    if (begunAt < reading.begunAt) {
      this.#agenda.plan(reading, this.isCurrent(reading.mailbox) ? now + this.#period(reading.mailbox) : now + LIMITS.presenceGatherMs);
      return;
    }
    reading.failures += 1;
    reading.failedAt ??= now;
    if (reading.trouble === undefined) logger.info({ system: this.channel.name, mailbox: reading.mailbox, code: error.code, reason: error.publicMessage }, 'a calendar cannot be read for presence');
    reading.trouble = `${error.code}: ${error.publicMessage}`;
    const isFinal = isAboutTheMailbox(error);
    if (isFinal || now - reading.failedAt >= LIMITS.presenceStaleMs) onLost(reading.mailbox);
    const pause = isFinal ? LIMITS.presencePollMs : pauseAfter(reading.failures, READ_PAUSES, error.retryAfterMs);
    // Not later than when what was read before stops being believed.
    const stale = reading.failedAt + LIMITS.presenceStaleMs;
    this.#agenda.plan(reading, stale > now ? Math.min(now + pause, stale) : now + pause);
  }

  /** Accounts get locked. */
  #pause(): void {
    this.#pausedUntil = this.#options.clock.now() + LIMITS.presenceRefusedPauseMs;
  }

  /** Until a calendar is read again without a reason; the tenth by which they differ keeps thousands from coming together. */
  #period(mailbox: MailboxAddress): number {
    const mode = this.channel.watch?.modeOf(mailbox) ?? 'polled';
    const whole = mode === 'live' || mode === 'hinted' ? LIMITS.presenceSafetyPollMs : LIMITS.presencePollMs;
    return whole * (0.9 + Math.random() / 10);
  }

  #warnWhereOverfull(now: Instant): void {
    const { logger } = this.#options;
    const isOverfull = (this.#agenda.next ?? Infinity) <= now && this.#readings.size > this.channel.queue && this.waiting() > this.channel.queue;
    if (isOverfull && !this.#isOverfull) logger.warn({ system: this.channel.name, count: this.waiting(), reason: 'exchangeQueue' }, 'more calendars wait to be read than planned for; they are read later');
    this.#isOverfull = isOverfull;
  }
}

const REFUSED = new BridgeError('BACKEND_AUTH', 'the calendar system has refused our credentials; it is asked again in some minutes', { temporary: true });

const ABOUT_THE_SERVER: ReadonlySet<ErrorCode> = new Set(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_AUTH', 'BACKEND_FAULT', 'BACKEND_MALFORMED', 'BACKEND_REDIRECT', 'DEADLINE']);

const READ_PAUSES = { firstMs: 2_000, longestMs: 60_000 };

/** What the server knows to say about a mailbox is its word: nothing that was read before holds. */
const ABOUT_THE_MAILBOX: ReadonlySet<ErrorCode> = new Set(['MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'ACCESS_DENIED', 'NO_DATA', 'LOOP', 'NOT_FOUND']);

/** The server's word about this one mailbox; everything else may be different in a moment. */
export function isAboutTheMailbox({ code }: BridgeError): boolean {
  return ABOUT_THE_MAILBOX.has(code);
}
