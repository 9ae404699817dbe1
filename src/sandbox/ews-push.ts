import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { LIMITS } from '../core/limits.ts';
import { pause } from '../core/pause.ts';
import { childText, descend } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { el, writeXml } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { MESSAGES_NS, SOAP_NS, TYPES_NS } from './ews-names.ts';
import type { MailboxEvents } from './ews-mailbox-events.ts';
import { notificationNode } from './ews-notification.ts';
import { nextBatch } from './ews-subscriptions.ts';
import type { Batch, Subscription } from './ews-subscriptions.ts';
import type { Faults } from './stand-in-faults.ts';

/** Events in one notification: as many as a pull brings (exchange.md §3.4). */
const MOST_EVENTS = 50;
/** The first pause between two tries, which doubles; presence.md §B.1. */
const FIRST_RETRY_SECONDS = 30;
const SECONDS_OF_MINUTE = 60;

export interface PushOptions {
  readonly url: URL;
  /** StatusFrequency in minutes. */
  readonly frequency: number;
  /** How long a minute takes. */
  readonly minuteMs: number;
  readonly events: MailboxEvents;
  readonly faults: Faults<string>;
  /** PEM of who signs the certificates of clients' https addresses; undefined: Node's own list. */
  readonly ca: string | undefined;
  /** The client has said Unsubscribe, or could not be reached within the frequency. */
  readonly onEnd: () => void;
}

export interface Push {
  /** Something has happened in the mailbox. */
  wake(): void;
  /** Its events can no longer be read: the client is told so, and the subscription ends. */
  fail(): void;
  stop(): void;
}

/** Tells one client: at once a StatusEvent, then every change when it happens, a StatusEvent where nothing does. What was not taken is tried again until the frequency is over. */
export function startPush(subscription: Subscription, options: PushOptions): Push {
  const stopped = new AbortController();
  let woken = new AbortController();
  let isFailing = false;
  const run = async (): Promise<void> => {
    let isDue = true;
    let isFirst = true;
    // Of the last watermark that the client was given: events of types that it did not ask for have none.
    let told = subscription.position;
    while (!stopped.signal.aborted) {
      woken = new AbortController();
      const from = subscription.position;
      const batch: Batch | undefined = isFirst ? { events: [], hasMore: false, position: from } : isFailing ? undefined : nextBatch(subscription, from, options.events, MOST_EVENTS);
      isFirst = false;
      if (batch === undefined) {
        await deliver(failureMessage(subscription), options, stopped.signal);
        break;
      }
      const isTold = isDue || batch.events.length > 0;
      if (isTold && !(await deliver(message(notificationNode(subscription, told, batch, options.events)), options, stopped.signal))) break;
      if (isTold) told = batch.events.at(-1)?.position ?? batch.position;
      subscription.position = batch.position;
      isDue = false;
      if (isFailing || options.events.latest(subscription.mailbox) !== subscription.position) continue;
      await pause(options.frequency * options.minuteMs, AbortSignal.any([stopped.signal, woken.signal]));
      isDue = !woken.signal.aborted;
    }
    if (!stopped.signal.aborted) options.onEnd();
  };
  void run();
  return {
    wake: () => woken.abort(),
    fail() {
      isFailing = true;
      woken.abort();
    },
    stop: () => stopped.abort(),
  };
}

/** True: the client has it (or a fault has eaten it); false: it does not want any more, or was not reached in time. */
async function deliver(body: string, options: PushOptions, stopped: AbortSignal): Promise<boolean> {
  let waited = 0;
  for (let seconds = FIRST_RETRY_SECONDS; ; seconds *= 2) {
    await options.faults.delay(stopped);
    if (stopped.aborted) return false;
    const status = options.faults.now.isUnreachable ? undefined : await post(body, options, stopped);
    if (status !== undefined) return status === 'OK';
    if (waited + seconds > options.frequency * SECONDS_OF_MINUTE || stopped.aborted) return false;
    waited += seconds;
    await pause((seconds * options.minuteMs) / SECONDS_OF_MINUTE, stopped);
  }
}

/** As often as the faults want; what the last of them was answered. */
async function post(body: string, options: PushOptions, stopped: AbortSignal): Promise<string | undefined> {
  let status: string | undefined = 'OK';
  for (let copies = options.faults.copies(); copies > 0; copies--) status = await postOnce(body, options, stopped);
  return status;
}

const ANSWER_MS = 30_000;

/** The SubscriptionStatus of the answer; undefined: there was none, or anything else than 200 with one (that counts as failure, exchange.md §3.4). */
function postOnce(body: string, { url, ca }: PushOptions, stopped: AbortSignal): Promise<string | undefined> {
  const headers = {
    'Content-Type': 'text/xml; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    SOAPAction: `"${MESSAGES_NS}/SendNotification"`,
    Connection: 'close',
  };
  return new Promise((resolve) => {
    const failed = (): void => resolve(undefined);
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const sent = send(url, { method: 'POST', headers, agent: false, signal: stopped, timeout: ANSWER_MS, ...(ca === undefined || url.protocol !== 'https:' ? {} : { ca }) }, (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > LIMITS.standInCallBackBytes) sent.destroy();
      });
      answer.on('error', failed);
      answer.on('close', () => {
        if (!answer.complete) failed();
      });
      answer.on('end', () => {
        if (answer.statusCode === 200) readStatus(Buffer.concat(parts)).then(resolve, failed);
        else failed();
      });
    });
    sent.on('error', failed);
    sent.on('timeout', () => sent.destroy());
    sent.end(body);
  });
}

async function readStatus(body: Buffer): Promise<string | undefined> {
  try {
    const root = await readXml(body);
    const status = childText(descend(root, 'Body', 'SendNotificationResult'), 'SubscriptionStatus');
    return root.ns === SOAP_NS && (status === 'OK' || status === 'Unsubscribe') ? status : undefined;
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

function message(notification: XmlNode): string {
  return envelopeOf(el('m:SendNotificationResponseMessage', { ResponseClass: 'Success' }, el('m:ResponseCode', {}, 'NoError'), notification));
}

/** As it was seen (presence.md §B.1), though the schema wants a Notification here too. */
function failureMessage(subscription: Subscription): string {
  return envelopeOf(el(
    'm:SendNotificationResponseMessage',
    { ResponseClass: 'Error' },
    el('m:MessageText', {}, 'Reading events failed. The subscription must be recreated.'),
    el('m:ResponseCode', {}, 'ErrorReadEventsFailed'),
    el('m:DescriptiveLinkKey', {}, 0),
    el('m:MessageXml', {}, el('t:Value', { Name: 'SubscriptionId' }, subscription.id)),
  ));
}

function envelopeOf(responseMessage: XmlNode): string {
  const notification = el('m:SendNotification', { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:ResponseMessages', {}, responseMessage));
  return writeXml(el('s:Envelope', { 'xmlns:s': SOAP_NS }, el('s:Body', {}, notification)));
}
