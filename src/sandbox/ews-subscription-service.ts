import type { Clock } from '../core/clock.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import type { CalendarStore } from './calendar-store.ts';
import { ownerOfFolder } from './ews-calendar-folder.ts';
import { EwsFault, envelope } from './ews-envelope.ts';
import type { ServerGeneration } from './ews-envelope.ts';
import { createMailboxEvents } from './ews-mailbox-events.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import { notificationNode } from './ews-notification.ts';
import { startPush } from './ews-push.ts';
import type { Push } from './ews-push.ts';
import { createStreaming } from './ews-streaming.ts';
import { readGetEvents, readGetStreamingEvents, readSubscribe, readUnsubscribe } from './ews-subscribe.ts';
import type { SubscribeRequest } from './ews-subscribe.ts';
import { createSubscriptions, nextBatch } from './ews-subscriptions.ts';
import type { Subscription, SubscriptionKind } from './ews-subscriptions.ts';
import type { Faults } from './stand-in-faults.ts';
import type { StandInAnswer } from './stand-in.ts';

const SOURCE = 'exchange.md §3.4, presence.md §B.1 to §B.3, schemas/ews';
/** `GetEvents` brings the first fifty (exchange.md §3.4). */
const MOST_EVENTS = 50;
/** A streaming subscription to which nobody listens; not in any source. */
const STREAMING_LIFETIME_MINUTES = 30;
const URL_CHARACTERS = 2_083;

export interface SubscriptionServiceOptions {
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  readonly faults: Faults<SubscriptionKind>;
  readonly minuteMs: number;
  readonly mostSubscriptions: number;
  readonly mostConnections: number;
  readonly ca: string | undefined;
}

export interface Asker {
  /** Whose own calendar is meant: who is impersonated, else who has signed in (if that is anybody with a mailbox). */
  readonly address: string | undefined;
  readonly generation: ServerGeneration;
  readonly gone: AbortSignal;
}

/** What one subscription is, for tests. */
export interface ShownSubscription {
  readonly id: string;
  readonly kind: SubscriptionKind;
  readonly mailbox: string;
}

export interface SubscriptionService {
  readonly list: readonly ShownSubscription[];
  readonly connections: number;
  /** Subscribe, Unsubscribe, GetEvents and GetStreamingEvents; undefined for any other operation. @throws EwsFault */
  answer(operation: XmlElement, asker: Asker): Promise<StandInAnswer | undefined>;
  closeStreams(how: 'closed' | 'broken'): void;
  failPush(): void;
  forget(): void;
  forgetWatermarks(): void;
}

export function createSubscriptionService(options: SubscriptionServiceOptions): SubscriptionService {
  const { calendars, faults, minuteMs } = options;
  const events = createMailboxEvents(calendars, options.clock);
  const subscriptions = createSubscriptions(options.mostSubscriptions);
  const streaming = createStreaming({ subscriptions, events, faults, minuteMs, mostConnections: options.mostConnections });
  const pushes = new Map<string, Map<Subscription, Push>>();
  events.onEvent((mailbox) => {
    streaming.wake(mailbox);
    for (const push of pushes.get(mailbox)?.values() ?? []) push.wake();
  });

  const beginPush = (subscription: Subscription, request: SubscribeRequest, url: URL): void => {
    const ofMailbox = pushes.get(subscription.mailbox) ?? new Map<Subscription, Push>();
    pushes.set(subscription.mailbox, ofMailbox);
    const push = startPush(subscription, { url, frequency: request.minutes, minuteMs, events, faults, ca: options.ca, onEnd: () => subscriptions.remove(subscription) });
    ofMailbox.set(subscription, push);
    subscription.end = () => {
      push.stop();
      ofMailbox.delete(subscription);
      if (ofMailbox.size === 0 && pushes.get(subscription.mailbox) === ofMailbox) pushes.delete(subscription.mailbox);
    };
  };

  const subscribe = (operation: XmlElement, asker: Asker): XmlNode => {
    const request = readSubscribe(operation);
    if (faults.now.refused.includes(request.kind)) throw new EwsFault('ErrorSchemaValidation', `The request failed schema validation: The element 'Subscribe' has invalid child element for ${request.kind}.`);
    const mailbox = mailboxOf(request, calendars, asker.address);
    if ('code' in mailbox) return failure('Subscribe', mailbox.code, mailbox.text);
    const url = request.kind === 'push' ? callBack(request.url) : undefined;
    if (request.kind === 'push' && url === undefined) return failure('Subscribe', 'ErrorInvalidPushSubscriptionUrl', 'The push subscription URL is invalid.');
    const position = request.watermark === undefined ? events.latest(mailbox.address) : events.positionOf(mailbox.address, request.watermark);
    if (position === undefined) return failure('Subscribe', 'ErrorInvalidWatermark', 'The watermark used for creating this subscription was not found.');
    const lifetimeMs = request.kind === 'push' ? undefined : minuteMs * (request.kind === 'pull' ? request.minutes : STREAMING_LIFETIME_MINUTES);
    const added = subscriptions.add({ kind: request.kind, mailbox: mailbox.address, types: request.types, position, lifetimeMs });
    if (url !== undefined) beginPush(added, request, url);
    return success('Subscribe', el('m:SubscriptionId', {}, added.id), request.kind !== 'streaming' && el('m:Watermark', {}, events.watermark(added.mailbox, position)));
  };

  const unsubscribe = (operation: XmlElement): XmlNode => {
    const found = subscriptions.find(readUnsubscribe(operation));
    if (found === undefined) return notFound('Unsubscribe');
    // Push ends by the answer to a notification only (exchange.md §3.4).
    if (found.kind === 'push') return failure('Unsubscribe', 'ErrorInvalidPullSubscriptionId', 'The subscription identifier is not of a pull subscription.');
    subscriptions.remove(found);
    return success('Unsubscribe');
  };

  const getEvents = (operation: XmlElement): XmlNode => {
    const { id, watermark } = readGetEvents(operation);
    const found = subscriptions.find(id);
    if (found === undefined) return notFound('GetEvents');
    if (found.kind !== 'pull') return failure('GetEvents', 'ErrorInvalidPullSubscriptionId', 'The subscription identifier is not of a pull subscription.');
    if (subscriptions.isExpired(found)) {
      subscriptions.remove(found);
      return failure('GetEvents', 'ErrorExpiredSubscription', 'The subscription has expired.');
    }
    const from = events.positionOf(found.mailbox, watermark);
    const batch = from === undefined ? undefined : nextBatch(found, from, events, MOST_EVENTS);
    if (from === undefined || batch === undefined) return failure('GetEvents', 'ErrorInvalidWatermark', 'The watermark is invalid.');
    subscriptions.touch(found);
    // Here a loss shows only as what was never told: the client's next watermark is behind it.
    const isLost = batch.events.length > 0 && (faults.now.isUnreachable || faults.copies() === 0);
    return success('GetEvents', notificationNode(found, from, isLost ? { ...batch, events: [] } : batch, events));
  };

  return {
    get list() {
      return (['push', 'pull', 'streaming'] as const).flatMap((kind) => subscriptions.of(kind)).map(({ id, kind, mailbox }) => ({ id, kind, mailbox }));
    },
    get connections() {
      return streaming.connections;
    },
    async answer(operation, asker) {
      if (!OPERATIONS.includes(operation.name)) return undefined;
      await faults.delay(asker.gone);
      // Nobody would ever know of what was subscribed for who is gone.
      if (asker.gone.aborted) throw new EwsFault('ErrorTimeoutExpired', 'The client is gone.');
      if (operation.name === 'GetStreamingEvents') {
        if (faults.now.refused.includes('streaming')) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation: GetStreamingEvents.');
        return streaming.answer({ ...readGetStreamingEvents(operation), generation: asker.generation, gone: asker.gone });
      }
      const message = operation.name === 'Subscribe' ? subscribe(operation, asker) : operation.name === 'Unsubscribe' ? unsubscribe(operation) : getEvents(operation);
      const body = el(`m:${operation.name}Response`, { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:ResponseMessages', {}, message));
      return envelope({ body, source: SOURCE, mailboxes: 1 }, asker.generation);
    },
    closeStreams: (how) => streaming.close(how),
    failPush() {
      for (const ofMailbox of pushes.values()) for (const push of ofMailbox.values()) push.fail();
    },
    forget() {
      streaming.close('broken');
      subscriptions.forget();
    },
    forgetWatermarks: () => events.forget(),
  };
}

const OPERATIONS = ['Subscribe', 'Unsubscribe', 'GetEvents', 'GetStreamingEvents'];

interface Refused {
  readonly code: string;
  readonly text: string;
}

/** One mailbox, and only one's own: an account that acts for nobody may not subscribe to somebody else's folder (the schema's ErrorSubscriptionDelegateAccessNotSupported). */
function mailboxOf(request: SubscribeRequest, calendars: CalendarStore, asker: string | undefined): { readonly address: string } | Refused {
  const several = { code: 'ErrorInvalidSubscriptionRequest', text: 'Subscription request is invalid: folders of one mailbox, or all folders.' };
  if (request.isForAllFolders === request.folderIds.length > 0) return several;
  if (request.isForAllFolders) return asker === undefined ? NO_MAILBOX : { address: asker };
  const owners = request.folderIds.map((id) => ownerOfFolder(id, calendars, asker));
  const addresses = new Set(owners.map((one) => (typeof one === 'string' ? one : one.address)));
  if (owners.includes('nobody')) return NO_MAILBOX;
  if (owners.includes('elsewhere')) return { code: 'ErrorFolderNotFound', text: 'The specified folder could not be found in the store.' };
  if (addresses.size > 1) return several;
  const [owner] = owners;
  if (owner === undefined || typeof owner === 'string') return several;
  return owner.isDelegated ? { code: 'ErrorSubscriptionDelegateAccessNotSupported', text: 'Subscriptions are not supported for delegate user access.' } : { address: owner.address };
}

const NO_MAILBOX: Refused = { code: 'ErrorNonExistentMailbox', text: 'The SMTP address has no mailbox associated with it.' };

/** Undefined for what a server would not call. */
function callBack(text: string): URL | undefined {
  const url = text.length < URL_CHARACTERS && URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

function success(operation: string, ...content: readonly (XmlNode | false)[]): XmlNode {
  return el(`m:${operation}ResponseMessage`, { ResponseClass: 'Success' }, el('m:ResponseCode', {}, 'NoError'), content);
}

function failure(operation: string, code: string, text: string): XmlNode {
  return el(`m:${operation}ResponseMessage`, { ResponseClass: 'Error' }, el('m:MessageText', {}, text), el('m:ResponseCode', {}, code), el('m:DescriptiveLinkKey', {}, 0));
}

function notFound(operation: string): XmlNode {
  return failure(operation, 'ErrorSubscriptionNotFound', 'The subscription was not found.');
}
