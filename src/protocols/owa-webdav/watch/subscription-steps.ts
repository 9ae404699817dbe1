import type { Clock } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import type { SubscriptionBook } from './subscription-book.ts';
import { FIRED, QUIET } from './subscription-multistatus.ts';
import type { SubscriptionRequests } from './subscription-requests.ts';
import type { WatchTimes } from './watch-times.ts';
import type { Held, WatchedCalendar } from './watched-calendar.ts';

export interface SubscriptionStepsOptions {
  readonly requests: SubscriptionRequests;
  readonly book: SubscriptionBook;
  readonly callBack: NotificationPort | undefined;
  readonly clock: Clock;
  readonly times: WatchTimes;
  /** Whether another calendar may be asked about in the same request: it is followed, and its turn is not under way. */
  readonly mayJoin: (one: WatchedCalendar) => boolean;
  /** Its path was called. */
  readonly hear: (one: WatchedCalendar, text: string) => undefined;
  /** Something else is due for it than before. */
  readonly plan: (one: WatchedCalendar) => void;
  /** All is well with it. */
  readonly settled: (one: WatchedCalendar) => void;
  readonly troubled: (one: WatchedCalendar, reason: string) => void;
  readonly changed: (calendars: readonly WatchedCalendar[], reason: string) => void;
}

type Asking = { readonly signal: AbortSignal };

/** What is done about one calendar's subscription: it is made, renewed, polled, made anew and ended. Throws what the server or the network fails with; the calendar is as before then. */
export class SubscriptionSteps {
  readonly #options: SubscriptionStepsOptions;

  constructor(options: SubscriptionStepsOptions) {
    this.#options = options;
  }

  /** The next thing that a calendar needs. @returns whether the server was asked */
  async next(one: WatchedCalendar, ctx: Asking): Promise<boolean> {
    const { book, clock } = this.#options;
    const { held } = one;
    const now = clock.now();
    if (one.isHinted && (one.failures > 0 || one.isPollVain)) {
      // What cannot be asked is believed.
      Object.assign(one, { isHinted: false, polledAt: now });
      this.#options.changed([one], 'notified');
      return false;
    }
    if (held === undefined || now >= held.expiresAt || book.hasMoved(held)) await this.#subscribe(one, ctx);
    else if (one.isDoubtful || now >= held.renewAt) await this.#renew(one, held, ctx);
    else if (one.isHinted || now >= one.pollAt) await this.#poll(one, held, ctx);
    else return false;
    return true;
  }

  async #subscribe(one: WatchedCalendar, ctx: Asking): Promise<void> {
    const { book, callBack, clock, requests, times } = this.#options;
    const generation = callBack?.generation;
    const path = callBack?.open((text) => this.#options.hear(one, text));
    try {
      const { id, location, folder, lifetimeMs } = await requests.subscribe(one.mailbox, path?.url, ctx);
      const old = one.held;
      const now = clock.now();
      book.hold(one, { id, location, folder: folder.href, callBack: path?.url, path, generation, lifetimeMs, renewAt: now + lifetimeMs * times.renewedAt, expiresAt: now + lifetimeMs });
      Object.assign(one, { isHinted: false, isAlone: false, isPollVain: false, pollAt: now + this.#pollMs });
      this.#options.settled(one);
      this.#options.changed([one], 'resubscribed');
      if (old !== undefined) await this.end(old, ctx);
    } catch (error) {
      if (one.held?.path !== path) path?.close();
      throw error;
    }
  }

  async #renew(one: WatchedCalendar, held: Held, ctx: Asking): Promise<void> {
    const { book, clock, requests, times } = this.#options;
    const asked = this.#together(one, held);
    const answer = await requests.renew(this.#placeOf(held), asked.map(({ id }) => id), ctx);
    const members = stillHeld(asked);
    if (answer === 'unknown' || answer === 'not-understood') return this.#refused(members, asked.length > 1, answer === 'unknown');
    const now = clock.now();
    const doubted: WatchedCalendar[] = [];
    for (const { calendar, id } of members) {
      const status = answer.statuses.get(id);
      if (status === undefined) this.#anew(calendar);
      else if (status < 200 || status > 299) this.lost(calendar);
      else {
        Object.assign(calendar.held!, { lifetimeMs: answer.lifetimeMs, renewAt: now + answer.lifetimeMs * times.renewedAt, expiresAt: now + answer.lifetimeMs });
        book.keep(calendar);
        if (calendar.isDoubtful) doubted.push(calendar);
        this.#options.settled(calendar);
      }
      if (calendar !== one) this.#options.plan(calendar);
    }
    this.#options.changed(doubted, 'renewed');
  }

  async #poll(one: WatchedCalendar, held: Held, ctx: Asking): Promise<void> {
    const { clock, requests } = this.#options;
    const asked = this.#together(one, held);
    const hinted = asked.flatMap(({ calendar }) => (calendar.isHinted ? calendar : []));
    const now = clock.now();
    // A notification that comes meanwhile makes another one.
    for (const { calendar } of asked) Object.assign(calendar, { isHinted: false, polledAt: now, pollAt: now + this.#pollMs });
    const answer = await requests.poll(this.#placeOf(held), asked.map(({ id }) => id), ctx).catch((error: unknown) => {
      this.#options.changed(hinted, 'notified');
      one.pollAt = -Infinity;
      throw error;
    });
    const members = stillHeld(asked);
    if (answer === 'unknown') return this.#refused(members, asked.length > 1, true);
    if (answer === 'not-understood') {
      this.#options.changed(hinted, 'notified');
      for (const { calendar } of members) this.#pollsInVain(calendar);
      return;
    }
    const fired: WatchedCalendar[] = [];
    for (const { calendar, id } of members) {
      // One that is not spoken about may have changed.
      const status = answer.statuses.get(id) ?? FIRED;
      if (status === FIRED) fired.push(calendar);
      if (status === FIRED || status === QUIET) this.#options.settled(calendar);
      else this.lost(calendar);
      if (calendar !== one) this.#options.plan(calendar);
    }
    this.#options.changed(fired, 'notified');
  }

  #pollsInVain(one: WatchedCalendar): void {
    one.isPollVain = true;
    one.pollAt = this.#options.clock.now() + this.#options.times.refusedPauseMs;
    if (one.held?.callBack === undefined) {
      one.mode = 'polled';
      this.#options.troubled(one, 'the server does not understand POLL');
    }
    this.#options.plan(one);
  }

  /** What of a subscription's place is asked about in one request: all of it, but for those whose turn it is elsewhere or that want to be asked about alone. */
  #together(one: WatchedCalendar, held: Held): readonly Asked[] {
    const asked: Asked[] = [{ calendar: one, id: held.id }];
    for (const other of one.isAlone ? [] : this.#options.book.together(held)) {
      if (asked.length >= LIMITS.webdavIdsPerRequest) break;
      if (other === one || other.held === undefined || other.isAlone) continue;
      if (this.#options.mayJoin(other) && !this.#options.book.hasMoved(other.held)) asked.push({ calendar: other, id: other.held.id });
    }
    return asked;
  }

  /** Some of many are not known, or many are too many: each by itself. One that is not known even then is made anew. */
  #refused(members: readonly Asked[], wereMany: boolean, isUnknown: boolean): void {
    for (const { calendar } of members) {
      if (wereMany) Object.assign(calendar, { isAlone: true, pollAt: -Infinity });
      else if (isUnknown) this.lost(calendar);
      else this.#anew(calendar);
      this.#options.plan(calendar);
    }
  }

  /** The server has it no more: it is made anew, and whatever changed meanwhile was missed. */
  lost(one: WatchedCalendar): void {
    this.#options.book.drop(one);
    Object.assign(one, { mode: 'polled', isDoubtful: false, isAlone: false });
  }

  /** It may be alive, and cannot be relied on: it is made anew, and ended. */
  #anew(one: WatchedCalendar): void {
    if (one.held !== undefined) one.held.expiresAt = -Infinity;
    Object.assign(one, { mode: 'polled', isDoubtful: false });
  }

  async end(held: Held, ctx: Asking): Promise<void> {
    try {
      await this.#options.requests.unsubscribe(this.#placeOf(held), [held.id], ctx);
    } catch {
      // It runs out by itself.
    } finally {
      held.path?.close();
    }
  }

  get #pollMs(): number {
    return this.#options.callBack === undefined ? this.#options.times.pollMs : this.#options.times.safetyPollMs;
  }

  #placeOf(held: Held): URL {
    const place = this.#options.book.placeOf(held);
    if (place === undefined) throw new BridgeError('BACKEND_REDIRECT', 'the subscription is on another host');
    return place;
  }
}

/** One of those asked about in a request, with the id that it had then. */
interface Asked {
  readonly calendar: WatchedCalendar;
  readonly id: string;
}

/** Others have had their turn meanwhile: what was answered about a subscription that they gave up is about nothing. */
function stillHeld(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter(({ calendar, id }) => calendar.held?.id === id);
}
