import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { attribute, child, childText, childrenNamed, descend } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { readShortXml, XmlError } from '../../../platform/xml/read.ts';
import { el, writeXml } from '../../../platform/xml/write.ts';
import { decodeEnvelope, encodeEnvelope } from '../../soap/envelope.ts';
import { MESSAGES_NS } from '../names.ts';
import { decodeResponseMessageError } from '../response-message.ts';
import { decodeNotification } from './notification.ts';
import type { Notification } from './notification.ts';
import { opaque } from './subscribe.ts';

/** One message of a call: something happened (or nothing, and the subscription lives), or the subscription is broken. */
export type PushMessage = { readonly notification: Notification } | { readonly error: BridgeError; readonly subscriptionId: string | undefined };

/**
 * What Exchange posts to the URL of a push subscription (exchange.md §3.4). Read at once, because it is answered before anything else.
 *
 * @throws BridgeError BACKEND_MALFORMED for what is no SendNotification with at least one message
 */
export function decodeSendNotification(text: string): readonly PushMessage[] {
  try {
    const { body } = decodeEnvelope(readShortXml(text));
    const sent = body.children.find((one) => one.name === 'SendNotification' && one.ns === MESSAGES_NS);
    const messages = childrenNamed(descend(sent, 'ResponseMessages'), 'SendNotificationResponseMessage');
    if (messages.length === 0 || messages.length > LIMITS.ewsNotificationEvents) throw new XmlError('no SendNotification');
    return messages.map(decodeMessage);
  } catch (error) {
    if (error instanceof XmlError) throw new BridgeError('BACKEND_MALFORMED', 'a call is no notification', { cause: error });
    throw error;
  }
}

function decodeMessage(message: XmlElement): PushMessage {
  const error = decodeResponseMessageError(message);
  const notification = child(message, 'Notification');
  if (error === undefined && notification !== undefined) return { notification: decodeNotification(notification) };
  const named = childrenNamed(child(message, 'MessageXml'), 'Value').find((one) => attribute(one, 'Name') === 'SubscriptionId');
  const subscriptionId = opaque(named?.text.trim()) ?? opaque(childText(notification, 'SubscriptionId'));
  return { error: error ?? new BridgeError('BACKEND_MALFORMED', 'a call holds no notification'), subscriptionId };
}

/** SendNotificationResult. `Unsubscribe` is the only way to end a push subscription. */
export function encodeSendNotificationResult(status: 'OK' | 'Unsubscribe'): string {
  return RESULTS[status];
}

const RESULTS = { OK: result('OK'), Unsubscribe: result('Unsubscribe') } as const;

function result(status: string): string {
  return writeXml(encodeEnvelope('1.1', { body: [el('m:SendNotificationResult', { 'xmlns:m': MESSAGES_NS }, el('m:SubscriptionStatus', undefined, status))] }));
}

/** What a call to a path that nobody has is answered: a subscription of a former life of the bridge is told to end. Undefined for what is no notification. */
export function answerOrphan(text: string): string | undefined {
  try {
    decodeSendNotification(text);
    return encodeSendNotificationResult('Unsubscribe');
  } catch (error) {
    if (error instanceof BridgeError) return undefined;
    throw error;
  }
}
