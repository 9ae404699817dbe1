import { pauseAfter } from '../../../core/back-off.ts';
import type { Clock, Instant } from '../../../core/clock.ts';
import { toBridgeError } from '../../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import { OVER } from '../../../core/over.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { CalendarWatch, WatchListener, WatchMode, WatchStatus } from '../../../presence/gateway.ts';
import type { SubscriptionBook } from './subscription-book.ts';
import type { SubscriptionRequests } from './subscription-requests.ts';
import { SubscriptionSteps } from './subscription-steps.ts';
import { idsInNotify, namesIds } from './subscription.ts';
import { PacedQueue } from './paced-queue.ts';
import type { WatchTimes } from './watch-times.ts';
import { takeLeave } from './take-leave.ts';
import { TimeLimited } from './time-limited.ts';
import { watchStatus } from './watch-status.ts';
import { newWatched } from './watched-calendar.ts';
import type { WatchedCalendar } from './watched-calendar.ts';

export interface SubscriptionWatchOptions {
  readonly description: string;
  readonly requests: SubscriptionRequests;
  readonly book: SubscriptionBook;
  /** Undefined: nobody can reach us, subscriptions are polled. */
  readonly callBack: NotificationPort | undefined;
  readonly listener: WatchListener;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly times: WatchTimes;
  /** What else the administrator should know; one line. */
  readonly remark: () => string | undefined;
}

/**
 * Subscriptions to the calendars of an Exchange 2000–2007 (presence.md §B.4). A datagram is only a hint: it makes one POLL, and what that says counts. Never `live`: UDP loses, and the server says nothing of it; a slow POLL finds what was
 * lost. Everything that a calendar needs happens in its turn; each turn does the next thing (SubscriptionSteps), and plans the one after it.
 */
export class SubscriptionWatch implements CalendarWatch {
  readonly #options: SubscriptionWatchOptions;
  readonly #watched = new Map<MailboxAddress, WatchedCalendar>();
  readonly #timers = new Map<WatchedCalendar, NodeJS.Timeout>();
  readonly #limited = new TimeLimited(LIMITS.webdavRequestMs);
  readonly #queue: PacedQueue<WatchedCalendar>;
  readonly #steps: SubscriptionSteps;
  readonly #stopMoved: () => void;
  #followed: ReadonlySet<MailboxAddress> | undefined;
  #heardAt: Instant | undefined;
  #unsolicitedAt = -Infinity;
  #serverTrouble: string | undefined;
  #isClosed = false;

  constructor(options: SubscriptionWatchOptions) {
    this.#options = options;
    this.#queue = new PacedQueue({ ...LIMITS.webdavWatchPace, pauses: options.times.pauses, run: (one) => this.#turn(one) });
    this.#steps = new SubscriptionSteps({
      ...options,
      mayJoin: (one) => !this.#queue.isRunning(one) && this.#followed?.has(one.mailbox) === true,
      hear: (one, text) => this.#hear(one, text),
      plan: (one) => this.#plan(one),
      settled: (one) => this.#settled(one),
      troubled: (one, reason) => this.#troubled(one, reason),
      changed: (calendars, reason) => this.#changed(calendars, reason),
    });
    this.#stopMoved = options.callBack?.onMoved(() => this.#planAll()) ?? (() => undefined);
  }

  follow(mailboxes: ReadonlySet<MailboxAddress>): void {
    if (this.#isClosed) return;
    const isFirst = this.#followed === undefined;
    this.#followed = new Set(mailboxes);
    // Those of a former life whom nobody follows any more have to be ended.
    for (const mailbox of [...mailboxes, ...(isFirst ? this.#options.book.keptMailboxes() : [])]) {
      if (this.#watched.has(mailbox)) continue;
      const one = newWatched(mailbox, this.#options.clock.now());
      this.#watched.set(mailbox, one);
      this.#options.book.resume(one, (text) => this.#hear(one, text));
    }
    this.#planAll();
  }

  modeOf(mailbox: MailboxAddress): WatchMode {
    return this.#followed?.has(mailbox) === true ? (this.#watched.get(mailbox)?.mode ?? 'starting') : 'starting';
  }

  status(): WatchStatus {
    return watchStatus({
      watched: [...this.#watched.values()].filter(({ mailbox }) => this.#followed?.has(mailbox) === true),
      isMoving: ({ held }) => held !== undefined && this.#options.book.hasMoved(held),
      heardAt: this.#heardAt,
      serverTrouble: this.#serverTrouble,
      remark: this.#options.remark(),
    });
  }

  async close(options: { readonly unsubscribe?: boolean } = {}): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopMoved();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    const over = new AbortController();
    const abort = (): void => {
      over.abort(OVER);
      this.#limited.abort();
    };
    const late = setTimeout(abort, options.unsubscribe === true ? LIMITS.webdavFarewellMs : 0);
    await this.#queue.close();
    const { book, requests } = this.#options;
    if (options.unsubscribe === true) await takeLeave(this.#watched.values(), book, requests, over);
    clearTimeout(late);
    for (const { held } of this.#watched.values()) held?.path?.close();
  }

  #planAll(): void {
    for (const one of this.#watched.values()) this.#plan(one);
  }

  /** Gives it its turn when something is due. */
  #plan(one: WatchedCalendar): void {
    clearTimeout(this.#timers.get(one));
    this.#timers.delete(one);
    if (this.#isClosed || this.#watched.get(one.mailbox) !== one) return;
    const waitMs = this.#followed?.has(one.mailbox) === true ? this.#dueAt(one) - this.#options.clock.now() : 0;
    if (waitMs <= 0) this.#queue.push(one, one.isHinted);
    else this.#timers.set(one, setTimeout(() => this.#plan(one), Math.min(waitMs, LONGEST_TIMER_MS)));
  }

  #dueAt(one: WatchedCalendar): Instant {
    const { held } = one;
    const isNow = held === undefined || one.isDoubtful || this.#options.book.hasMoved(held);
    const at = Math.max(isNow ? -Infinity : Math.min(held.renewAt, held.expiresAt, one.pollAt), one.tryAt);
    return one.isHinted ? Math.min(at, one.polledAt + this.#options.times.gatheringMs) : at;
  }

  async #turn(one: WatchedCalendar): Promise<void> {
    try {
      if (this.#followed?.has(one.mailbox) === true) {
        const hasAsked = await this.#limited.run((ctx) => this.#steps.next(one, ctx));
        if (hasAsked) this.#queue.succeeded();
      } else {
        await this.#leave(one);
      }
    } catch (thrown) {
      if (!this.#isClosed) this.#failed(one, toBridgeError(thrown));
    }
    this.#plan(one);
  }

  /** Somebody has called its path. */
  #hear(one: WatchedCalendar, text: string): undefined {
    if (this.#isClosed) return undefined;
    const ids = idsInNotify(text).slice(0, LIMITS.webdavIdsPerRequest);
    if (ids.length === 0 && !namesIds(text)) {
      this.#unsolicited();
    } else if (one.held !== undefined && ids.includes(one.held.id)) {
      this.#heardAt = this.#options.clock.now();
      for (const id of ids) for (const named of this.#options.book.withId(id)) this.#hint(named);
    }
    return undefined;
  }

  #hint(one: WatchedCalendar): void {
    if (one.isHinted) return;
    one.isHinted = true;
    if (!this.#queue.isRunning(one)) this.#plan(one);
  }

  /** Notifications will be missing for a while (the store shuts down): nobody's subscription is believed until it has been renewed. */
  #unsolicited(): void {
    const { clock, description, logger, times } = this.#options;
    if (clock.now() - this.#unsolicitedAt < times.unsolicitedMs) return;
    this.#unsolicitedAt = clock.now();
    this.#heardAt = clock.now();
    logger.warn({ system: description, protocol: 'owa-webdav', count: this.#watched.size }, 'the server says that notifications will be missing; subscriptions are renewed');
    for (const one of this.#watched.values()) {
      if (one.held === undefined) continue;
      Object.assign(one, { isDoubtful: true, mode: 'polled' });
      if (!this.#queue.isRunning(one)) this.#plan(one);
    }
  }

  #settled(one: WatchedCalendar): void {
    Object.assign(one, { mode: 'hinted', isDoubtful: false, failures: 0, tryAt: -Infinity });
    this.#serverTrouble = undefined;
    this.#heardAt = this.#options.clock.now();
    this.#troubled(one, undefined);
  }

  #failed(one: WatchedCalendar, error: BridgeError): void {
    const { clock, description, logger, times } = this.#options;
    one.failures += 1;
    one.mode = 'polled';
    const fields = { system: description, protocol: 'owa-webdav', mailbox: one.mailbox, code: error.code, reason: error.publicMessage, attempt: one.failures };
    if (OF_THE_SERVER.has(error.code)) {
      one.tryAt = clock.now() + this.#queue.failed(error.code === 'BACKEND_AUTH' ? LIMITS.webdavAuthPauseMs : error.retryAfterMs);
      if (this.#serverTrouble === undefined) logger.warn(fields, 'calendars cannot be subscribed to');
      this.#serverTrouble = `${error.code}: ${error.publicMessage}`;
      return;
    }
    this.#queue.succeeded();
    one.tryAt = clock.now() + (FOR_LONG.has(error.code) ? times.refusedPauseMs : pauseAfter(one.failures, times.pauses, error.retryAfterMs));
    logger.debug(fields, 'calendar not subscribed to');
    this.#troubled(one, `${error.code}: ${error.publicMessage}`);
  }

  #troubled(one: WatchedCalendar, reason: string | undefined): void {
    if (one.trouble === reason) return;
    one.trouble = reason;
    this.#options.listener.trouble(one.mailbox, reason);
  }

  #changed(calendars: readonly WatchedCalendar[], reason: string): void {
    const mailboxes = calendars.map(({ mailbox }) => mailbox).filter((one) => this.#followed?.has(one) === true);
    if (mailboxes.length > 0 && !this.#isClosed) this.#options.listener.changed(mailboxes, reason);
  }

  /** Nobody follows it any more. It is ended as well as may be; else it runs out by itself. */
  async #leave(one: WatchedCalendar): Promise<void> {
    const { held } = one;
    if (held !== undefined) await this.#limited.run((ctx) => this.#steps.end(held, ctx));
    // Somebody may have come back meanwhile: then it is made anew.
    this.#steps.lost(one);
    this.#troubled(one, undefined);
    if (this.#followed?.has(one.mailbox) !== true) this.#watched.delete(one.mailbox);
  }

}

/** setTimeout takes no longer ones. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What somebody has to set right first. */
const FOR_LONG: ReadonlySet<ErrorCode> = new Set(['MAILBOX_REFUSED', 'MAILBOX_UNKNOWN', 'UNSUPPORTED', 'NO_DATA', 'BACKEND_REDIRECT']);

/** Failures that say nothing of one mailbox: everybody waits. */
const OF_THE_SERVER: ReadonlySet<ErrorCode> = new Set(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_AUTH', 'BACKEND_BUSY', 'DEADLINE']);
