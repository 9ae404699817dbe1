import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { SERVER_GONE } from '../connection.ts';
import { STREAMING_SERVER_VERSION } from '../names.ts';
import { asOwnerOf } from './impersonation.ts';
import { unsubscribe } from './pull-way.ts';
import { StreamingGroup } from './streaming-group.ts';
import type { StreamTiming } from './streaming-group.ts';
import { decodeSubscribe, encodeSubscribe } from './subscribe.ts';
import type { Subscription, SubscribeWish, Way, WayEvents } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface StreamingWayOptions {
  readonly wire: WatchWire;
  readonly events: WayEvents;
  readonly timing: StreamTiming;
  readonly isWaiting: () => boolean;
}

/** Streaming subscriptions (presence.md §B.2), 200 a connection. */
export class StreamingWay implements Way {
  readonly name = 'streaming';
  readonly #options: StreamingWayOptions;
  readonly #groups = new Set<StreamingGroup>();
  readonly #groupOf = new Map<Subscription, StreamingGroup>();

  constructor(options: StreamingWayOptions) {
    this.#options = options;
  }

  async subscribe({ mailbox, isAlone, signal }: SubscribeWish): Promise<Subscription> {
    const { wire } = this.#options;
    const group = this.#groupFor(isAlone, mailbox);
    group.reserve();
    try {
      const manner = asOwnerOf(mailbox, STREAMING_SERVER_VERSION, group.at);
      const headers = { ...manner.headers, ...group.affinity() };
      const body = await wire.call('Subscribe', encodeSubscribe({ way: 'streaming' }), { ...manner, headers }, signal, { cookies: (cookies) => group.noteCookies(cookies), asking: (lane) => group.noteLane(lane) });
      const { id } = decodeSubscribe(body);
      const subscription: Subscription = { mailbox, way: 'streaming', id, at: group.at, watermark: undefined, isProved: false, isInterrupted: false, heardAt: wire.clock.now(), generation: 0, frequency: 0, isOver: false };
      this.#groupOf.set(subscription, group);
      group.add(subscription);
      return subscription;
    } catch (error) {
      if (error instanceof BridgeError && error.details['reason'] === SERVER_GONE) group.retire();
      throw error;
    } finally {
      group.release();
      this.#dropIfEmpty(group);
    }
  }

  async leave(subscription: Subscription, tell: boolean): Promise<void> {
    subscription.isOver = true;
    const group = this.#groupOf.get(subscription);
    this.#groupOf.delete(subscription);
    group?.remove(subscription);
    if (group !== undefined) this.#dropIfEmpty(group);
    if (tell) await unsubscribe(this.#options.wire, subscription);
  }

  tick(): void {
    for (const group of this.#groups) group.tick();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#groups].map((group) => group.close()));
    this.#groups.clear();
  }

  #groupFor(isAlone: boolean, mailbox: SubscribeWish['mailbox']): StreamingGroup {
    for (const group of this.#groups) if (!isAlone && !group.isAlone && !group.isRetired && group.size < LIMITS.ewsStreamSubscriptions) return group;
    const group = new StreamingGroup({ ...this.#options, anchor: mailbox, isAlone, at: this.#options.wire.connection.pick() });
    this.#groups.add(group);
    return group;
  }

  #dropIfEmpty(group: StreamingGroup): void {
    if (group.size > 0) return;
    this.#groups.delete(group);
    void group.close();
  }
}
