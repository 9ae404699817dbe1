import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { onlyResponseMessage } from '../folder-id.ts';
import { messageElement } from '../names.ts';

/** What one mailbox's calendar is subscribed to with. */
export type SubscribeRequest =
  /** `statusFrequency`: minutes, 1 to 1440. `url`: where Exchange calls. */
  | { readonly way: 'push'; readonly watermark: string | undefined; readonly statusFrequency: number; readonly url: string }
  | { readonly way: 'streaming' }
  /** `minutes`: 1 to 1440. */
  | { readonly way: 'pull'; readonly watermark: string | undefined; readonly minutes: number };

/** What Exchange gave for it. Streaming has no watermark. */
export interface Subscribed {
  readonly id: string;
  readonly watermark: string | undefined;
}

/** All that changes a calendar, in the schema of 2007. */
const EVENTS = ['CreatedEvent', 'ModifiedEvent', 'DeletedEvent', 'MovedEvent', 'CopiedEvent'] as const;
/** FreeBusyChangedEvent came with the schema that streaming needs anyway; push and pull are asked in that of 2007. */
const EVENTS_OF_2010 = [...EVENTS, 'FreeBusyChangedEvent'] as const;

/** Subscribe (exchange.md §3.4) to the calendar of whoever is impersonated: one folder of one mailbox, named in no language. */
export function encodeSubscribe(request: SubscribeRequest): XmlNode {
  const folder = el('t:FolderIds', undefined, el('t:DistinguishedFolderId', { Id: 'calendar' }));
  const events = el('t:EventTypes', undefined, (request.way === 'streaming' ? EVENTS_OF_2010 : EVENTS).map((one) => el('t:EventType', undefined, one)));
  if (request.way === 'streaming') return messageElement('Subscribe', {}, el('m:StreamingSubscriptionRequest', undefined, folder, events));
  const watermark = request.watermark === undefined ? undefined : el('t:Watermark', undefined, request.watermark);
  if (request.way === 'pull') return messageElement('Subscribe', {}, el('m:PullSubscriptionRequest', undefined, folder, events, watermark, el('t:Timeout', undefined, request.minutes)));
  const { statusFrequency, url } = request;
  return messageElement('Subscribe', {}, el('m:PushSubscriptionRequest', undefined, folder, events, watermark, el('t:StatusFrequency', undefined, statusFrequency), el('t:URL', undefined, url)));
}

/** @throws BridgeError as the ResponseCode says; BACKEND_MALFORMED without an id, or with one that is no id */
export function decodeSubscribe(body: XmlElement): Subscribed {
  const message = onlyResponseMessage(body, 'Subscribe');
  const id = opaque(childText(message, 'SubscriptionId'));
  if (id === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer names no subscription');
  return { id, watermark: opaque(childText(message, 'Watermark')) };
}

/** Unsubscribe, for streaming and pull. A push subscription ends by our answer to its next call only. */
export function encodeUnsubscribe(id: string): XmlNode {
  return messageElement('Unsubscribe', {}, el('m:SubscriptionId', undefined, id));
}

/** An id or a watermark: text that is not empty and not endless; else undefined. */
export function opaque(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text.length > LIMITS.ewsOpaqueCharacters ? undefined : text;
}
