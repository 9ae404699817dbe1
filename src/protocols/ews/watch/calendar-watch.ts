import { pauseAfter } from '../../../core/back-off.ts';
import type { Instant } from '../../../core/clock.ts';
import { toBridgeError } from '../../../core/errors.ts';
import type { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import { OVER } from '../../../core/over.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { CalendarWatch, WatchListener, WatchMode, WatchStatus } from '../../../presence/gateway.ts';
import type { KeptTexts } from '../../../presence/publisher.ts';
import { described } from '../probe.ts';
import { actionFor } from './error-action.ts';
import { Gate } from './gate.ts';
import { Ladder } from './ladder.ts';
import { leaveAll, makeWays } from './make-ways.ts';
import { countModes, isOutdated, modeOf, newlyWatched } from './watched.ts';
import type { Watched } from './watched.ts';
import { WATCH_TIMING } from './watch-timing.ts';
import type { WatchTiming } from './watch-timing.ts';
import { Watermarks } from './watermarks.ts';
import type { Subscription, Way, WayName } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface CalendarWatchOptions {
  readonly description: string;
  readonly wire: WatchWire;
  /** Tried in this order; none: calendars are polled. */
  readonly ways: readonly WayName[];
  readonly callBack: NotificationPort | undefined;
  readonly statusFrequencyMinutes: number;
  readonly apply: 'gradual' | 'now';
  /** Requests at the same time. */
  readonly concurrency: number;
  readonly memory: KeptTexts;
  readonly listener: WatchListener;
  readonly logger: Logger;
  readonly timing?: Partial<WatchTiming> | undefined;
}

/** Keeps one subscription for everybody who is followed, whatever happens to them (presence.md §B.1–B.3). It has one timer; everything is due by the clock. */
export class EwsCalendarWatch implements CalendarWatch {
  readonly #options: CalendarWatchOptions;
  readonly #timing: WatchTiming;
  readonly #watched = new Map<MailboxAddress, Watched>();
  readonly #ready = new Set<Watched>();
  readonly #gate: Gate;
  readonly #ladder: Ladder;
  readonly #ways: readonly Way[];
  readonly #marks: Watermarks;
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #stopMoved: (() => void) | undefined;
  #running = 0;
  #frequency: number;
  #apply: 'gradual' | 'now';
  /** No new subscription before, because Exchange grants no more. */
  #heldUntil: Instant = 0;
  #trouble: string | undefined;
  #renewalsLeft = 0;
  #tickedAt: Instant;
  #closing: Promise<void> | undefined;
  /** Whom Exchange is being told of that they need no subscription any more. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: CalendarWatchOptions) {
    const { wire, callBack, concurrency, memory, description, ways, logger } = options;
    this.#options = options;
    this.#timing = { ...WATCH_TIMING, ...options.timing };
    this.#frequency = options.statusFrequencyMinutes;
    this.#apply = options.apply;
    this.#gate = new Gate(wire.clock, concurrency, this.#timing.pauses);
    this.#marks = new Watermarks(memory, wire.clock, description);
    const isWaiting = (): boolean => this.#gate.isShut;
    const events = { heard: (one: Subscription) => this.#heard(one), changed: (one: Subscription, reason: string) => this.#changed(one, reason), failed: (one: Subscription, error: BridgeError) => this.#failed(one, error) };
    this.#ways = makeWays(ways, { description, wire, callBack, concurrency, statusFrequency: () => this.#frequency, events, isWaiting, signal: this.#end.signal, timing: this.#timing, logger });
    this.#ladder = new Ladder(this.#ways, wire.clock);
    this.#tickedAt = wire.clock.now();
    this.#timer = setInterval(() => this.#tick(), this.#timing.tickMs).unref();
    this.#stopMoved = callBack?.onMoved(() => this.#tick());
  }

  follow(mailboxes: ReadonlySet<MailboxAddress>): void {
    if (this.#end.signal.aborted) return;
    for (const [mailbox, watched] of this.#watched) {
      if (mailboxes.has(mailbox)) continue;
      this.#watched.delete(mailbox);
      this.#ready.delete(watched);
      this.#leave(watched.subscription);
    }
    this.#marks.keepOnly(mailboxes);
    for (const mailbox of mailboxes) if (!this.#watched.has(mailbox)) this.#watched.set(mailbox, newlyWatched(mailbox, this.#now()));
    this.#tick();
  }

  modeOf(mailbox: MailboxAddress): WatchMode {
    const watched = this.#watched.get(mailbox);
    return watched === undefined ? 'starting' : modeOf(watched, this.#ladder.way !== undefined);
  }

  status(): WatchStatus {
    const counts = countModes(this.#watched.values(), this.#ladder.way !== undefined, this.#options.callBack?.generation);
    const trouble = this.#gate.isShut ? this.#trouble : this.#now() < this.#heldUntil ? 'Exchange grants no more subscriptions or connections: the others are polled' : this.#ladder.reason;
    return { method: this.#ladder.way?.name ?? 'poll', ...counts, heardAt: this.#options.wire.heardAt, trouble };
  }

  /** A changed StatusFrequency reaches a subscription when Exchange next speaks through it, or (`now`) one after the other at once (A45). */
  update({ statusFrequencyMinutes, apply }: { readonly statusFrequencyMinutes: number; readonly apply: 'gradual' | 'now' }): void {
    this.#frequency = statusFrequencyMinutes;
    this.#apply = apply;
    this.#tick();
  }

  close(options: { readonly unsubscribe?: boolean } = {}): Promise<void> {
    return (this.#closing ??= this.#close(options.unsubscribe === true));
  }

  async #close(unsubscribe: boolean): Promise<void> {
    clearInterval(this.#timer);
    this.#stopMoved?.();
    this.#end.abort(OVER);
    if (unsubscribe) {
      const left = [...this.#watched.values()].flatMap(({ subscription }) => (subscription === undefined ? [] : [subscription]));
      await leaveAll(left, (one) => this.#ladder.wayOf(one.way), this.#options.concurrency, this.#leaving);
    }
    this.#watched.clear();
    this.#ready.clear();
    await Promise.all(this.#ways.map((way) => way.close()));
  }

  #now(): Instant {
    return this.#options.wire.clock.now();
  }

  /** Looks what is due. */
  #tick(): void {
    if (this.#end.signal.aborted) return;
    const now = this.#now();
    for (const way of this.#ways) way.tick();
    this.#renewalsLeft = Math.min(LIMITS.ewsRenewalsPerSecond, this.#renewalsLeft + ((now - this.#tickedAt) * LIMITS.ewsRenewalsPerSecond) / 1_000);
    this.#tickedAt = now;
    const wanted = { way: this.#ladder.way?.name, generation: this.#options.callBack?.generation, frequency: this.#apply === 'now' ? this.#frequency : undefined };
    let isCalled = false;
    let subscribedAt = Infinity;
    let somebody: MailboxAddress | undefined;
    for (const watched of this.#watched.values()) {
      isCalled ||= watched.subscription?.isProved === true;
      if (watched.subscription !== undefined) subscribedAt = Math.min(subscribedAt, watched.madeAt);
      if (watched.trouble === undefined) somebody ??= watched.mailbox;
      if (watched.isBusy || this.#ready.has(watched)) continue;
      if (watched.dueAt !== undefined && watched.dueAt <= now) this.#ready.add(watched);
      else if (watched.dueAt === undefined && this.#renewalsLeft >= 1 && isOutdated(watched.subscription, wanted)) {
        this.#renewalsLeft -= 1;
        this.#ready.add(watched);
      }
    }
    // Push that nobody ever calls is worth nothing: a firewall, a name that Exchange does not know. Where it was our choice, we choose again.
    if (!isCalled && this.#ladder.way?.name === 'push' && this.#ladder.hasNext && now - subscribedAt > LIMITS.ewsPushProofMs) this.#down('Exchange accepts push subscriptions and does not call');
    this.#ladder.tick(this.#gate.isShut ? undefined : somebody, this.#end.signal, (way) => {
      this.#options.logger.info({ system: this.#options.description, method: way.name }, 'calendar changes are heard of in a better way again');
      for (const watched of this.#watched.values()) if (watched.subscription === undefined) watched.dueAt = now;
    });
    this.#turn();
  }

  #turn(): void {
    const way = this.#ladder.way;
    if (way === undefined || this.#end.signal.aborted) return;
    for (const watched of this.#ready) {
      if (this.#gate.isShut || this.#running >= this.#gate.room) return;
      this.#ready.delete(watched);
      if (watched.subscription === undefined && this.#now() < this.#heldUntil) this.#holdBack(watched);
      else void this.#subscribe(watched, way);
    }
  }

  async #subscribe(watched: Watched, way: Way): Promise<void> {
    const { mailbox, isAlone } = watched;
    const before = watched.subscription;
    const watermark = this.#marks.get(mailbox);
    watched.isBusy = true;
    this.#running += 1;
    try {
      const subscription = await way.subscribe({ mailbox, watermark, isAlone, signal: this.#end.signal });
      this.#gate.went();
      if (this.#watched.get(mailbox) !== watched || this.#end.signal.aborted) {
        this.#leave(subscription);
        return;
      }
      watched.subscription = subscription;
      watched.madeAt = this.#now();
      watched.dueAt = undefined;
      watched.isHeldBack = false;
      this.#marks.set(mailbox, subscription.watermark);
      const isRenewal = before?.isOver === false;
      this.#leave(before);
      this.#say(watched, undefined);
      this.#options.listener.changed([mailbox], isRenewal ? 'renewed' : 'resubscribed');
    } catch (thrown) {
      if (!this.#end.signal.aborted) this.#refused(watched, way, toBridgeError(thrown), watermark !== undefined);
    } finally {
      watched.isBusy = false;
      this.#running -= 1;
      this.#turn();
    }
  }

  /** Subscribe has failed; what there was before stays. */
  #refused(watched: Watched, way: Way, error: BridgeError, hadWatermark: boolean): void {
    const now = this.#now();
    const action = actionFor(error);
    watched.failures += 1;
    const later = now + pauseAfter(watched.failures, this.#timing.pauses);
    watched.dueAt = later;
    switch (action) {
      case 'wait':
      case 'sign-in':
        this.#shut(action, error);
        watched.dueAt = now;
        return;
      case 'hold-back':
        this.#holdBack(watched, error);
        return;
      case 'alone':
        if (watched.isAlone) this.#mailboxTrouble(watched, error);
        watched.isAlone = true;
        return;
      case 'mailbox':
        this.#mailboxTrouble(watched, error);
        return;
      case 'begin-anew':
      case 'resubscribe':
      case 'retry':
      case 'other-way':
        // A watermark that was never valid here is not always called so.
        this.#marks.forget(watched.mailbox);
        if (hadWatermark) watched.dueAt = now;
        else if (action === 'other-way') this.#wayRefused(watched, way, error);
        return;
    }
  }

  /** A subscription that was there is no good any more, or the server behind it. */
  #failed(subscription: Subscription, error: BridgeError): void {
    if (this.#ladder.isTrial(subscription)) {
      this.#ladder.failed();
      return;
    }
    const watched = this.#watched.get(subscription.mailbox);
    if (watched?.subscription !== subscription || this.#end.signal.aborted) return;
    const now = this.#now();
    const action = actionFor(error);
    if (action === 'wait' || action === 'sign-in') {
      this.#shut(action, error);
      return;
    }
    if (now - watched.madeAt > LIMITS.ewsWatchPauses.longestMs) watched.failures = 0;
    watched.failures += 1;
    if (action === 'retry' && watched.failures <= TIMES_BEFORE_NEW) return;
    this.#options.logger.debug({ system: this.#options.description, mailbox: watched.mailbox, reason: described(error), outcome: action }, 'a subscription has ended');
    if (action === 'begin-anew') this.#marks.forget(watched.mailbox);
    watched.subscription = undefined;
    // At once the first time.
    watched.dueAt = watched.failures === 1 ? now : now + pauseAfter(watched.failures - 1, this.#timing.pauses);
    this.#leave(subscription, action === 'hold-back');
    if (action === 'alone') watched.isAlone = true;
    else if (action === 'mailbox') this.#mailboxTrouble(watched, error);
    else if (action === 'other-way') this.#wayRefused(watched, this.#ladder.wayOf(subscription.way), error);
    else if (action === 'hold-back') this.#holdBack(watched, error);
    // What happened since is not known before it is subscribed again.
    this.#options.listener.changed([watched.mailbox], 'missed');
  }

  #heard(subscription: Subscription): void {
    subscription.isProved = true;
    this.#options.wire.heardAt = this.#now();
    const watched = this.#watched.get(subscription.mailbox);
    if (watched?.subscription !== subscription) return;
    this.#marks.set(subscription.mailbox, subscription.watermark);
    if (subscription.way === 'push' && subscription.frequency !== this.#frequency) watched.dueAt ??= this.#now();
  }

  #changed({ mailbox }: Subscription, reason: string): void {
    if (this.#watched.has(mailbox)) this.#options.listener.changed([mailbox], reason);
  }

  #shut(action: 'wait' | 'sign-in', error: BridgeError): void {
    const isNews = action === 'sign-in' ? this.#gate.refused() : this.#gate.wait(error);
    this.#trouble = described(error);
    if (isNews) this.#options.logger.warn({ system: this.#options.description, code: error.code, reason: this.#trouble }, 'subscriptions wait for Exchange');
  }

  /** @param error that says so; absent: it is known */
  #holdBack(watched: Watched, error?: BridgeError): void {
    const now = this.#now();
    if (error !== undefined) {
      if (now >= this.#heldUntil) this.#options.logger.warn({ system: this.#options.description, reason: described(error) }, 'Exchange grants no more subscriptions: the other calendars are polled');
      this.#heldUntil = now + LIMITS.ewsHeldBackMs;
    }
    watched.isHeldBack = true;
    watched.dueAt = this.#heldUntil;
  }

  #mailboxTrouble(watched: Watched, error: BridgeError): void {
    watched.dueAt = this.#now() + LIMITS.ewsMailboxTroubleMs;
    this.#say(watched, described(error));
  }

  #say(watched: Watched, trouble: string | undefined): void {
    if (watched.trouble === trouble) return;
    watched.trouble = trouble;
    this.#options.listener.trouble(watched.mailbox, trouble);
  }

  /** Where it works for others it is about this mailbox. */
  #wayRefused(watched: Watched, way: Way | undefined, error: BridgeError): void {
    if (way === undefined || way !== this.#ladder.way) return;
    const works = [...this.#watched.values()].some(({ subscription }) => subscription?.way === way.name && subscription.isProved);
    if (works) this.#mailboxTrouble(watched, error);
    else this.#down(`${way.name}: ${described(error)}`);
  }

  #down(reason: string): void {
    const from = this.#ladder.way?.name;
    this.#ladder.down(reason);
    const to = this.#ladder.way?.name ?? 'poll';
    this.#options.logger.warn({ system: this.#options.description, method: to, reason }, `Exchange does not tell of changes by ${from ?? 'poll'}: ${to} from now on`);
    for (const watched of this.#watched.values()) {
      watched.failures = 0;
      if (to === 'poll') this.#leave(watched.subscription);
      if (watched.subscription?.isOver !== false) Object.assign(watched, { subscription: undefined, dueAt: this.#now() });
    }
  }

  #leave(subscription: Subscription | undefined, tell = true): void {
    if (subscription === undefined || subscription.isOver) return;
    subscription.isOver = true;
    const leaving = this.#ladder.wayOf(subscription.way)?.leave(subscription, tell);
    if (leaving === undefined) return;
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }
}

/** So often in a row a subscription fails in a way that may pass before a new one is made. */
const TIMES_BEFORE_NEW = 5;
