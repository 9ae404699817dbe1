import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { opaque } from './subscribe.ts';

/** What one `t:Notification` says. Of which items is not read: only that something is different. */
export interface Notification {
  readonly subscriptionId: string;
  /** Streaming has none. */
  readonly previousWatermark: string | undefined;
  /** Of its last event. */
  readonly watermark: string | undefined;
  readonly hasMore: boolean;
  /** Something happened; else it says only that the subscription lives (StatusEvent). */
  readonly isChange: boolean;
}

const EVENT = /^[A-Z][A-Za-z]{1,40}Event$/;

/** @throws BridgeError BACKEND_MALFORMED without a readable id, without any event, or with more than LIMITS.ewsNotificationEvents */
export function decodeNotification(notification: XmlElement): Notification {
  const subscriptionId = opaque(childText(notification, 'SubscriptionId'));
  const events = notification.children.filter((one) => EVENT.test(one.name));
  if (subscriptionId === undefined || events.length === 0 || events.length > LIMITS.ewsNotificationEvents) throw new BridgeError('BACKEND_MALFORMED', 'a notification cannot be read');
  return {
    subscriptionId,
    previousWatermark: opaque(childText(notification, 'PreviousWatermark')),
    watermark: opaque(childText(events.at(-1), 'Watermark')),
    hasMore: childText(notification, 'MoreEvents') === 'true',
    // What we do not know is taken for a change: reading once too often costs little.
    isChange: events.some((one) => one.name !== 'StatusEvent'),
  };
}
