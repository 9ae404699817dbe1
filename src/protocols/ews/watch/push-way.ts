import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import { asOwnerOf } from './impersonation.ts';
import type { Notification } from './notification.ts';
import { decodeSendNotification, encodeSendNotificationResult } from './send-notification.ts';
import type { PushMessage } from './send-notification.ts';
import { decodeSubscribe, encodeSubscribe } from './subscribe.ts';
import type { Subscription, SubscribeWish, Way, WayEvents } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface PushWayOptions {
  readonly description: string;
  readonly wire: WatchWire;
  readonly callBack: NotificationPort;
  /** Minutes; asked at every subscription. */
  readonly statusFrequency: () => number;
  readonly events: WayEvents;
  readonly logger: Logger;
}

interface Path {
  readonly close: () => void;
  /** Not known until Exchange has answered, which its first call may overtake. */
  subscription: Subscription | undefined;
  readonly early: PushMessage[];
}

/** Push subscriptions (presence.md §B.1): Exchange calls a path of each mailbox's own. What it says is a hint; who says it is known by the path and the id. */
export class PushWay implements Way {
  readonly name = 'push';
  readonly #options: PushWayOptions;
  readonly #paths = new Map<Subscription, Path>();

  constructor(options: PushWayOptions) {
    this.#options = options;
  }

  async subscribe({ mailbox, watermark, signal }: SubscribeWish): Promise<Subscription> {
    const { callBack, wire, statusFrequency } = this.#options;
    const frequency = statusFrequency();
    const { generation } = callBack;
    const opened = callBack.open((text, from) => this.#called(path, text, from));
    const path: Path = { close: () => opened.close(), subscription: undefined, early: [] };
    try {
      const made = decodeSubscribe(await wire.call('Subscribe', encodeSubscribe({ way: 'push', watermark, statusFrequency: frequency, url: opened.url }), asOwnerOf(mailbox), signal));
      const subscription: Subscription = { mailbox, way: 'push', id: made.id, watermark: made.watermark, isProved: false, isInterrupted: false, heardAt: wire.clock.now(), generation, frequency, isOver: false };
      path.subscription = subscription;
      this.#paths.set(subscription, path);
      // Whoever asked takes it in first, and then what was said about it.
      setImmediate(() => path.early.splice(0).forEach((message) => this.#message(subscription, message)));
      return subscription;
    } catch (error) {
      path.close();
      throw error;
    }
  }

  /** Its path is given back. Exchange learns of it by our answer to its next call: nobody has that path then. */
  async leave(subscription: Subscription): Promise<void> {
    subscription.isOver = true;
    this.#paths.get(subscription)?.close();
    this.#paths.delete(subscription);
  }

  /** The watchdog (A44): Exchange speaks once in StatusFrequency, and load may hold it up; after twice that it has lost us. */
  tick(): void {
    const now = this.#options.wire.clock.now();
    for (const subscription of [...this.#paths.keys()]) {
      if (now - subscription.heardAt > 2 * subscription.frequency * 60_000) {
        this.#options.events.failed(subscription, new BridgeError('BACKEND_FAULT', 'nothing was heard for twice the status frequency', { temporary: true, details: { responseCode: 'ErrorExpiredSubscription' } }));
      }
    }
  }

  async close(): Promise<void> {
    for (const subscription of [...this.#paths.keys()]) await this.leave(subscription);
  }

  #called(path: Path, text: string, from: string): string | undefined {
    const { description: system, logger } = this.#options;
    let messages: readonly PushMessage[];
    try {
      messages = decodeSendNotification(text);
    } catch (error) {
      logger.debug({ system, address: from, reason: error instanceof BridgeError ? error.publicMessage : 'unreadable' }, 'a call to a notification path is no notification');
      return undefined;
    }
    const { subscription } = path;
    if (subscription === undefined) {
      // Nobody knows yet whether it is for us; saying Unsubscribe could end what is being made.
      if (path.early.length + messages.length <= LIMITS.ewsEarlyCalls) path.early.push(...messages);
      return encodeSendNotificationResult('OK');
    }
    return encodeSendNotificationResult(messages.map((one) => this.#message(subscription, one)).every(Boolean) ? 'OK' : 'Unsubscribe');
  }

  /** Whether the subscription goes on. */
  #message(subscription: Subscription, message: PushMessage): boolean {
    if (subscription.isOver) return false;
    const { events } = this.#options;
    if ('error' in message) {
      if (message.subscriptionId !== undefined && message.subscriptionId !== subscription.id) return false;
      events.failed(subscription, message.error);
      return false;
    }
    const { notification } = message;
    if (notification.subscriptionId !== subscription.id) return false;
    subscription.heardAt = this.#options.wire.clock.now();
    return this.#take(subscription, notification);
  }

  #take(subscription: Subscription, { previousWatermark, watermark, isChange }: Notification): boolean {
    const { events } = this.#options;
    const known = subscription.watermark;
    // Said before, because our answer was lost; or nothing happened since.
    if (watermark !== undefined && watermark === known) {
      events.heard(subscription);
      return true;
    }
    if (known !== undefined && previousWatermark !== undefined && previousWatermark !== known) {
      events.changed(subscription, 'missed');
      events.failed(subscription, new BridgeError('BACKEND_FAULT', 'a notification was missed', { temporary: true, details: { responseCode: 'ErrorReadEventsFailed' } }));
      return false;
    }
    subscription.watermark = watermark ?? known;
    events.heard(subscription);
    if (isChange) events.changed(subscription, 'notified');
    return true;
  }
}
