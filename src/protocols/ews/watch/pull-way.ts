import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { EwsLane } from '../servers/knowledge.ts';
import { asOwnerOf } from './impersonation.ts';
import { decodeGetEvents, encodeGetEvents } from './get-events.ts';
import { decodeSubscribe, encodeSubscribe, encodeUnsubscribe } from './subscribe.ts';
import type { Subscription, SubscribeWish, Way, WayEvents } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface PullWayOptions {
  readonly wire: WatchWire;
  readonly concurrency: number;
  readonly everyMs: number;
  readonly events: WayEvents;
  /** Nothing is asked meanwhile: the server is busy, or refuses us. */
  readonly isWaiting: () => boolean;
  /** The end of everything. */
  readonly signal: AbortSignal;
}

/** Pull subscriptions (presence.md §B.3): Exchange keeps what happened, and is asked for it mailbox after mailbox. */
export class PullWay implements Way {
  readonly name = 'pull';
  readonly #options: PullWayOptions;
  /** When each is asked next; in the order in which they are due. */
  readonly #due = new Map<Subscription, number>();
  #running = 0;

  constructor(options: PullWayOptions) {
    this.#options = options;
  }

  async subscribe({ mailbox, watermark, signal }: SubscribeWish): Promise<Subscription> {
    const { wire } = this.#options;
    const asked: { at?: EwsLane } = {};
    const asking = (lane: EwsLane): void => void (asked.at = lane);
    const made = decodeSubscribe(await wire.call('Subscribe', encodeSubscribe({ way: 'pull', watermark, minutes: LIMITS.ewsPullMinutes }), asOwnerOf(mailbox), signal, { asking }));
    if (made.watermark === undefined) throw new BridgeError('BACKEND_MALFORMED', 'a pull subscription without a watermark');
    const subscription: Subscription = { mailbox, way: 'pull', id: made.id, at: asked.at, watermark: made.watermark, isProved: false, isInterrupted: false, heardAt: wire.clock.now(), generation: 0, frequency: 0, isOver: false };
    this.#due.set(subscription, 0);
    return subscription;
  }

  async leave(subscription: Subscription, tell: boolean): Promise<void> {
    subscription.isOver = true;
    this.#due.delete(subscription);
    if (tell) await unsubscribe(this.#options.wire, subscription);
  }

  tick(): void {
    const now = this.#options.wire.clock.now();
    if (this.#options.isWaiting()) return;
    for (const [subscription, dueAt] of this.#due) {
      if (this.#running >= this.#options.concurrency) return;
      if (dueAt > now) continue;
      // To the end of the line, and not asked again while it is being asked.
      this.#due.delete(subscription);
      this.#due.set(subscription, Infinity);
      this.#running += 1;
      void this.#ask(subscription).finally(() => {
        this.#running -= 1;
        if (this.#due.has(subscription)) this.#due.set(subscription, this.#options.wire.clock.now() + this.#options.everyMs);
        if (!this.#options.signal.aborted) this.tick();
      });
    }
  }

  async close(): Promise<void> {
    this.#due.clear();
  }

  async #ask(subscription: Subscription): Promise<void> {
    const { wire, events, signal } = this.#options;
    try {
      for (let page = 0; page < LIMITS.ewsPullPages && !subscription.isOver; page++) {
        const body = await wire.call('GetEvents', encodeGetEvents(subscription.id, subscription.watermark ?? ''), asOwnerOf(subscription.mailbox, undefined, subscription.at), signal);
        const { watermark, isChange, hasMore } = decodeGetEvents(body, subscription.id);
        if (subscription.isOver) return;
        subscription.heardAt = wire.clock.now();
        const isNew = watermark !== undefined && watermark !== subscription.watermark;
        subscription.watermark = watermark ?? subscription.watermark;
        events.heard(subscription);
        if (isChange) events.changed(subscription, 'notified');
        if (!hasMore || !isNew) return;
      }
    } catch (thrown) {
      if (!subscription.isOver && !signal.aborted) events.failed(subscription, toBridgeError(thrown));
    }
  }
}

/** Takes leave of Exchange; that it may not hear it is no matter: what nobody asks for ends by itself. */
export async function unsubscribe(wire: WatchWire, { id, mailbox, at }: Subscription): Promise<void> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), LIMITS.ewsLeaveMs);
  await wire.call('Unsubscribe', encodeUnsubscribe(id), asOwnerOf(mailbox, undefined, at), over.signal).catch(() => undefined);
  clearTimeout(timer);
}
