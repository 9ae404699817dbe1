import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { folderIdOf, itemIdOf } from './ews-calendar-folder.ts';
import type { MailboxEvents } from './ews-mailbox-events.ts';
import type { Batch, Subscription } from './ews-subscriptions.ts';

const CHANGE_KEY = 'AgAAAA==';

/** A `Notification` of push and pull: with watermarks; a StatusEvent where nothing has happened (exchange.md §3.4). */
export function notificationNode(subscription: Subscription, from: number, batch: Batch, events: MailboxEvents): XmlNode {
  const watermark = (position: number): XmlNode => el('t:Watermark', {}, events.watermark(subscription.mailbox, position));
  return el(
    'm:Notification',
    {},
    el('t:SubscriptionId', {}, subscription.id),
    el('t:PreviousWatermark', {}, events.watermark(subscription.mailbox, from)),
    el('t:MoreEvents', {}, String(batch.hasMore)),
    batch.events.length === 0 ? el('t:StatusEvent', {}, watermark(batch.position)) : batch.events.map((event) => eventNode(subscription, event, watermark(event.position))),
  );
}

/** A `Notification` of a streaming connection: no watermarks at all (presence.md §B.2). */
export function streamedNotificationNode(subscription: Subscription, batch: Batch): XmlNode {
  return el('t:Notification', {}, el('t:SubscriptionId', {}, subscription.id), batch.events.map((event) => eventNode(subscription, event)));
}

function eventNode(subscription: Subscription, event: Batch['events'][number], watermark?: XmlNode): XmlNode {
  return el(
    `t:${event.kind}`,
    {},
    watermark,
    el('t:TimeStamp', {}, new Date(event.at).toISOString().replace('.000Z', 'Z')),
    el('t:ItemId', { Id: itemIdOf(event.entryId), ChangeKey: CHANGE_KEY }),
    el('t:ParentFolderId', { Id: folderIdOf(subscription.mailbox), ChangeKey: CHANGE_KEY }),
  );
}
