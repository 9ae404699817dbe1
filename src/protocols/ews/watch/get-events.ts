import { BridgeError } from '../../../core/errors.ts';
import { child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { onlyResponseMessage } from '../folder-id.ts';
import { messageElement } from '../names.ts';
import { decodeNotification } from './notification.ts';
import type { Notification } from './notification.ts';

/** GetEvents: what has happened to a pull subscription since the watermark. */
export function encodeGetEvents(id: string, watermark: string): XmlNode {
  return messageElement('GetEvents', {}, el('m:SubscriptionId', undefined, id), el('m:Watermark', undefined, watermark));
}

/** @throws BridgeError as the ResponseCode says; BACKEND_MALFORMED where it says nothing, or speaks of another subscription */
export function decodeGetEvents(body: XmlElement, id: string): Notification {
  const element = child(onlyResponseMessage(body, 'GetEvents'), 'Notification');
  if (element === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer holds no notification');
  const notification = decodeNotification(element);
  if (notification.subscriptionId !== id) throw new BridgeError('BACKEND_MALFORMED', 'the answer is about another subscription');
  return notification;
}
