import { BridgeError } from '../../../core/errors.ts';
import { child, childText, childrenNamed, descend } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { responseMessages } from '../folder-id.ts';
import { messageElement } from '../names.ts';
import { decodeResponseMessageError } from '../response-message.ts';
import { decodeNotification } from './notification.ts';
import type { Notification } from './notification.ts';
import { opaque } from './subscribe.ts';

/** GetStreamingEvents: keeps an answer open for so many minutes (1 to 30) and tells in it of all these subscriptions. */
export function encodeGetStreamingEvents(ids: readonly string[], minutes: number): XmlNode {
  return messageElement(
    'GetStreamingEvents',
    {},
    el('m:SubscriptionIds', undefined, ids.map((id) => el('t:SubscriptionId', undefined, id))),
    el('m:ConnectionTimeout', undefined, minutes),
  );
}

/** What one envelope of the stream says. */
export interface StreamingEvents {
  readonly notifications: readonly Notification[];
  /** Why it is no good, and for which subscriptions; none named: for all. */
  readonly error: BridgeError | undefined;
  readonly failedIds: readonly string[];
  /** The server has ended the stream as agreed: it is opened again with the same ids. */
  readonly isClosed: boolean;
}

/** @throws BridgeError BACKEND_MALFORMED */
export function decodeStreamingEvents(body: XmlElement): StreamingEvents {
  const messages = responseMessages(body, 'GetStreamingEvents');
  if (messages.length === 0) throw new BridgeError('BACKEND_MALFORMED', 'the answer holds no response message');
  const notifications: Notification[] = [];
  const failedIds: string[] = [];
  let error: BridgeError | undefined;
  let isClosed = false;
  for (const message of messages) {
    error ??= decodeResponseMessageError(message);
    for (const one of childrenNamed(child(message, 'Notifications'), 'Notification')) notifications.push(decodeNotification(one));
    for (const one of descend(message, 'ErrorSubscriptionIds')?.children ?? []) {
      const id = opaque(one.text.trim());
      if (id !== undefined) failedIds.push(id);
    }
    isClosed ||= childText(message, 'ConnectionStatus') === 'Closed';
  }
  return { notifications, error, failedIds, isClosed };
}
