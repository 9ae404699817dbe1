import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { pause } from '../core/pause.ts';
import { EwsFault, envelope, streamedEnvelope } from './ews-envelope.ts';
import type { ServerGeneration } from './ews-envelope.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import type { MailboxEvents } from './ews-mailbox-events.ts';
import { streamedNotificationNode } from './ews-notification.ts';
import { nextBatch } from './ews-subscriptions.ts';
import type { Subscription, Subscriptions } from './ews-subscriptions.ts';
import type { Faults } from './stand-in-faults.ts';
import type { StandInAnswer } from './stand-in.ts';

export const STREAMING_SOURCE = 'presence.md §B.2, exchange.md §3.4, schemas/ews';
const MOST_IDS = 200;
const MOST_EVENTS = 50;
/** A message without notifications comes about so often where nothing happens; in minutes. */
const KEEP_ALIVE_MINUTES = 0.75;

export interface StreamingOptions {
  readonly subscriptions: Subscriptions;
  readonly events: MailboxEvents;
  readonly faults: Faults<string>;
  readonly minuteMs: number;
  readonly mostConnections: number;
}

export interface StreamingQuestion {
  readonly ids: readonly string[];
  readonly minutes: number;
  readonly generation: ServerGeneration;
  readonly gone: AbortSignal;
}

/** The streaming connections of one server. */
export interface Streaming {
  readonly connections: number;
  /** @throws EwsFault */
  answer(question: StreamingQuestion): StandInAnswer;
  wake(mailbox: string): void;
  /** `closed`: the server says so; `broken`: the connections just end. */
  close(how: 'closed' | 'broken'): void;
}

/** Why a connection ends; `replaced`: another one has taken one of its subscriptions over. */
type End = 'closed' | 'broken' | 'replaced';

interface Connection {
  /** Fires where there may be something to say. */
  woken: AbortController;
  readonly ended: AbortController;
  readonly subscriptions: ReadonlySet<Subscription>;
}

export function createStreaming(options: StreamingOptions): Streaming {
  const { subscriptions, events, faults, minuteMs } = options;
  const open = new Set<Connection>();

  async function* talk(connection: Connection, { minutes, generation, gone }: StreamingQuestion): AsyncGenerator<string, void> {
    const until = performance.now() + minutes * minuteMs;
    const stop = AbortSignal.any([gone, connection.ended.signal]);
    const say = (content: XmlNode): string => streamedEnvelope(content, generation);
    try {
      yield say(response('Success', 'NoError', el('m:ConnectionStatus', {}, 'OK')));
      while (!stop.aborted && performance.now() < until) {
        connection.woken = new AbortController();
        const { notifications, lost } = collect(connection);
        if (lost.length > 0) {
          yield say(failure('ErrorMissedNotificationEvents', 'Notification events were missed.', lost));
          return;
        }
        if (notifications.length > 0) {
          await faults.delay(stop);
          for (const batch of notifications) yield say(response('Success', 'NoError', el('m:Notifications', {}, batch)));
          continue;
        }
        await pause(Math.min(KEEP_ALIVE_MINUTES * minuteMs, Math.max(0, until - performance.now())), AbortSignal.any([stop, connection.woken.signal]));
        if (!stop.aborted && !connection.woken.signal.aborted && performance.now() < until) yield say(response('Success', 'NoError', el('m:ConnectionStatus', {}, 'OK')));
      }
      if (gone.aborted) return;
      const end = connection.ended.signal.aborted ? (connection.ended.signal.reason as End) : 'closed';
      if (end === 'broken') throw new Error('the connection was broken by command');
      const ids = [...connection.subscriptions].map((one) => one.id);
      yield say(end === 'replaced' ? failure('ErrorNewEventStreamConnectionOpened', 'Another connection was opened for the subscription.', ids) : response('Success', 'NoError', el('m:ConnectionStatus', {}, 'Closed')));
    } finally {
      leave(connection);
    }
  }

  /** What there is to tell, in messages of at most one notification a subscription; a message for every copy that the faults want. */
  const collect = (connection: Connection): { readonly notifications: readonly (readonly XmlNode[])[]; readonly lost: readonly string[] } => {
    const copies: [XmlNode[], XmlNode[]] = [[], []];
    const lost: string[] = [];
    for (const one of connection.subscriptions) {
      subscriptions.touch(one);
      const batch = nextBatch(one, one.position, events, MOST_EVENTS);
      if (batch === undefined) {
        lost.push(one.id);
        continue;
      }
      one.position = batch.position;
      if (batch.events.length === 0 || faults.now.isUnreachable) continue;
      const node = streamedNotificationNode(one, batch);
      const count = faults.copies();
      if (count > 0) copies[0].push(node);
      if (count > 1) copies[1].push(node);
      if (batch.hasMore) connection.woken.abort();
    }
    return { notifications: copies.filter((nodes) => nodes.length > 0), lost };
  };
  const leave = (connection: Connection): void => {
    open.delete(connection);
    for (const one of connection.subscriptions) subscriptions.touch(one);
  };

  return {
    get connections() {
      return open.size;
    },
    answer(question) {
      if (question.ids.length > MOST_IDS) throw new EwsFault('ErrorInvalidRequest', `There are too many subscription ids in the request. The maximum is ${MOST_IDS}.`);
      const found = question.ids.map((id) => subscriptions.find(id));
      const missing = question.ids.filter((_, index) => found[index]?.kind !== 'streaming' || subscriptions.isExpired(found[index]));
      if (missing.length > 0) return once(question, failure('ErrorSubscriptionNotFound', 'The subscription was not found.', missing));
      const wanted = new Set(found as readonly Subscription[]);
      for (const other of open) if ([...other.subscriptions].some((one) => wanted.has(one))) other.ended.abort('replaced' satisfies End);
      const others = [...open].filter((one) => !one.ended.signal.aborted);
      if (others.length >= options.mostConnections) return once(question, failure('ErrorExceededConnectionCount', 'You have exceeded the available concurrent connections for your account.', []));
      const connection: Connection = { woken: new AbortController(), ended: new AbortController(), subscriptions: wanted };
      open.add(connection);
      // Somebody who is gone before the first word never lets the talk begin.
      question.gone.addEventListener('abort', () => leave(connection), { once: true });
      return { ...envelope({ body: response('Success', 'NoError'), source: STREAMING_SOURCE, mailboxes: wanted.size }, question.generation), stream: talk(connection, question) };
    },
    wake(mailbox) {
      for (const connection of open) if ([...connection.subscriptions].some((one) => one.mailbox === mailbox)) connection.woken.abort();
    },
    close(how) {
      for (const connection of open) connection.ended.abort(how satisfies End);
    },
  };
}

function once(question: StreamingQuestion, content: XmlNode): StandInAnswer {
  return envelope({ body: content, source: STREAMING_SOURCE, mailboxes: question.ids.length }, question.generation);
}

function response(responseClass: string, code: string, ...content: readonly (XmlNode | false)[]): XmlNode {
  return el(
    'm:GetStreamingEventsResponse',
    { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS },
    el('m:ResponseMessages', {}, el('m:GetStreamingEventsResponseMessage', { ResponseClass: responseClass }, responseClass === 'Success' && el('m:ResponseCode', {}, code), content)),
  );
}

function failure(code: string, text: string, ids: readonly string[]): XmlNode {
  return response(
    'Error',
    code,
    el('m:MessageText', {}, text),
    el('m:ResponseCode', {}, code),
    el('m:DescriptiveLinkKey', {}, 0),
    ids.length > 0 && el('m:ErrorSubscriptionIds', {}, ids.map((id) => el('t:SubscriptionId', {}, id))),
    el('m:ConnectionStatus', {}, 'Closed'),
  );
}
