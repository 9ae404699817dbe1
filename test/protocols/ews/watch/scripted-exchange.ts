import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/**
 * Subscriptions of an Exchange, written for these tests from presence.md §B.1–B.3, exchange.md §3.4 and §3.6 and Microsoft's schema, with none of the room's own
 * encoders or decoders. It calls back, streams and keeps events; a test steps in by `refuse`.
 */
export interface FakeSubscription {
  readonly id: string;
  readonly way: 'push' | 'streaming' | 'pull';
  readonly mailbox: string;
  readonly url: string;
  readonly frequency: number;
  watermark: number;
  /** Of pull: watermarks of events since. */
  readonly events: number[];
}

export interface Asked {
  readonly operation: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  /** Of ExchangeImpersonation. */
  readonly as: string;
}

export type Refusal = { readonly code: string; readonly messageXml?: string; readonly isFault?: boolean } | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

const T = 'http://schemas.microsoft.com/exchange/services/2006/types';
const M = 'http://schemas.microsoft.com/exchange/services/2006/messages';
const NS = `xmlns:m="${M}" xmlns:t="${T}"`;
const one = (body: string, name: string): string => new RegExp(`<(?:\\w+:)?${name}(?: [^>]*)?>([^<]*)</`).exec(body)?.[1] ?? '';
const all = (body: string, name: string): string[] => [...body.matchAll(new RegExp(`<(?:\\w+:)?${name}(?: [^>]*)?>([^<]*)</`, 'g'))].map((hit) => hit[1]!);

export const mark = (number: number): string => `AQAAAJ${number}==`;
const numberOf = (text: string): number => Number(/^AQAAAJ(\d+)==$/.exec(text)?.[1] ?? -1);

export function soap(body: string, version = '14.3.123.4'): string {
  const [major, minor, build, last] = version.split('.');
  return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><h:ServerVersionInfo xmlns:h="${T}" MajorVersion="${major}" MinorVersion="${minor}" MajorBuildNumber="${build}" MinorBuildNumber="${last}"/></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

function withoutPrefix(body: string, version: string): string {
  const ns = 'xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"';
  return soap(body, version)
    .replace('<s:Envelope xmlns:s=', '<Envelope xmlns=')
    .replace('</s:Envelope>', '</Envelope>')
    .replaceAll(/<s:(Header|Body)/g, `<soap11:$1 ${ns}`)
    .replaceAll('</s:', '</soap11:');
}

export const eventXml = (watermark: number | undefined, kind = 'ModifiedEvent'): string =>
  `<t:${kind}>${watermark === undefined ? '' : `<t:Watermark>${mark(watermark)}</t:Watermark>`}${kind === 'StatusEvent' ? '' : `<t:TimeStamp>2026-03-10T08:00:00Z</t:TimeStamp><t:ItemId Id="AAMk" ChangeKey="DwAA"/><t:ParentFolderId Id="AQMk" ChangeKey="AQAA"/>`}</t:${kind}>`;

/** The call that Exchange makes. */
export function sendNotification(id: string, previous: number | undefined, events: string, hasMore = false): string {
  const before = previous === undefined ? '' : `<t:PreviousWatermark>${mark(previous)}</t:PreviousWatermark>`;
  return soap(
    `<m:SendNotification ${NS}><m:ResponseMessages><m:SendNotificationResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Notification><t:SubscriptionId>${id}</t:SubscriptionId>${before}<t:MoreEvents>${hasMore}</t:MoreEvents>${events}</m:Notification></m:SendNotificationResponseMessage></m:ResponseMessages></m:SendNotification>`,
  );
}

/** The call with which Exchange says that a subscription is broken (presence.md §B.1). */
export function sendNotificationError(id: string, code: string): string {
  return soap(
    `<m:SendNotification ${NS}><m:ResponseMessages><m:SendNotificationResponseMessage ResponseClass="Error"><m:MessageText>recreate the subscription</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:MessageXml><t:Value Name="SubscriptionId">${id}</t:Value></m:MessageXml></m:SendNotificationResponseMessage></m:ResponseMessages></m:SendNotification>`,
  );
}

export class ScriptedExchange {
  readonly asked: Asked[] = [];
  readonly subscriptions = new Map<string, FakeSubscription>();
  /** Streams that are open, with their ids. */
  readonly streams = new Map<ServerResponse, readonly string[]>();
  /** What push calls were answered, oldest first. */
  readonly answers: { readonly id: string; readonly status: number; readonly body: string }[] = [];
  /** Asked before every answer. */
  refuse: (asked: Asked) => Refusal | undefined = () => undefined;
  /** Whether a StatusEvent follows a push subscription at once. */
  callsAtOnce = true;
  /** Answers to Subscribe wait for it. */
  delaySubscribe: Promise<unknown> = Promise.resolve();
  version = '14.3.123.4';
  url = new URL('http://127.0.0.1/');
  #next = 1;
  #server: Server | undefined;

  static async start(): Promise<ScriptedExchange> {
    const fake = new ScriptedExchange();
    const server = createServer((request, response) => void fake.#serve(request, response));
    fake.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fake.url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/EWS/Exchange.asmx`);
    open.push(() => fake.stop());
    return fake;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
  }

  operations(name: string): Asked[] {
    return this.asked.filter((one) => one.operation === name);
  }

  /** The newest subscription of a mailbox. */
  of(mailbox: string): FakeSubscription {
    const found = [...this.subscriptions.values()].filter((one) => one.mailbox === mailbox).at(-1);
    if (found === undefined) throw new Error(`nobody subscribed to ${mailbox}`);
    return found;
  }

  /** Something happens in a calendar; every subscription of it is told. */
  async touch(mailbox: string, kind = 'ModifiedEvent'): Promise<void> {
    for (const subscription of [...this.subscriptions.values()].filter((one) => one.mailbox === mailbox)) {
      const previous = subscription.watermark;
      subscription.watermark = this.#next++;
      if (subscription.way === 'push') await this.call(subscription, sendNotification(subscription.id, previous, eventXml(subscription.watermark, kind)));
      else if (subscription.way === 'pull') subscription.events.push(subscription.watermark);
      else this.stream(subscription.id, `<m:Notifications><m:Notification><t:SubscriptionId>${subscription.id}</t:SubscriptionId>${eventXml(undefined, kind)}</m:Notification></m:Notifications>`);
    }
  }

  /** An event of which nobody is told. */
  loseEvent(subscription: FakeSubscription): void {
    subscription.watermark = this.#next++;
  }

  async status(subscription: FakeSubscription): Promise<void> {
    await this.call(subscription, sendNotification(subscription.id, subscription.watermark, eventXml(subscription.watermark, 'StatusEvent')));
  }

  /** Posts to the subscription's URL, as Exchange does; an answer Unsubscribe ends it. */
  async call(subscription: FakeSubscription, body: string): Promise<{ readonly status: number; readonly body: string }> {
    const answer = await fetch(subscription.url, { method: 'POST', headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${M}/SendNotification"` }, body }).then(
      async (response) => ({ status: response.status, body: await response.text() }),
      () => ({ status: 0, body: '' }),
    );
    this.answers.push({ id: subscription.id, ...answer });
    if (one(answer.body, 'SubscriptionStatus') === 'Unsubscribe') this.subscriptions.delete(subscription.id);
    return answer;
  }

  /** Writes one envelope into the stream that has the id. */
  stream(id: string, content: string, code = 'NoError'): void {
    for (const [response, ids] of this.streams) if (ids.includes(id)) response.write(this.streamed(content, code));
  }

  /** As Exchange writes into streams: the envelope without a prefix, which is what ews-javascript-api looks for. */
  streamed(content: string, code = 'NoError'): string {
    return withoutPrefix(`<m:GetStreamingEventsResponse ${NS}><m:ResponseMessages><m:GetStreamingEventsResponseMessage ResponseClass="${code === 'NoError' ? 'Success' : 'Error'}"><m:ResponseCode>${code}</m:ResponseCode>${content}</m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse>`, this.version);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    // Not by SOAPAction, which not every client sends.
    const operation = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(body)?.[1]?.replace(/Request$/, '') ?? '';
    const asked = { operation, body, headers: request.headers, as: one(body, 'PrimarySmtpAddress') || one(body, 'SmtpAddress') };
    this.asked.push(asked);
    const refusal = this.refuse(asked);
    if (refusal !== undefined) return this.#refuse(response, operation, refusal);
    if (operation === 'Subscribe') await this.delaySubscribe;
    this.#answer(asked, response);
  }

  #refuse(response: ServerResponse, operation: string, refusal: Refusal): void {
    if ('status' in refusal) return void response.writeHead(refusal.status, { ...refusal.headers }).end(refusal.body ?? '');
    const { code, messageXml = '', isFault = false } = refusal;
    if (isFault) {
      const fault = `<s:Fault><faultcode xmlns:a="${T}">a:${code}</faultcode><faultstring>no</faultstring><detail><e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">${code}</e:ResponseCode><t:MessageXml xmlns:t="${T}">${messageXml}</t:MessageXml></detail></s:Fault>`;
      return void response.writeHead(500, { 'content-type': 'text/xml; charset=utf-8' }).end(soap(fault, this.version));
    }
    this.#send(response, operation, code, `${messageXml === '' ? '' : `<m:MessageXml>${messageXml}</m:MessageXml>`}`);
  }

  #send(response: ServerResponse, operation: string, code: string, content: string): void {
    response
      .writeHead(200, { 'content-type': 'text/xml; charset=utf-8', 'set-cookie': 'X-BackEndOverrideCookie=exch07~1942; path=/; secure; HttpOnly' })
      .end(soap(`<m:${operation}Response ${NS}><m:ResponseMessages><m:${operation}ResponseMessage ResponseClass="${code === 'NoError' ? 'Success' : 'Error'}"><m:ResponseCode>${code}</m:ResponseCode>${content}</m:${operation}ResponseMessage></m:ResponseMessages></m:${operation}Response>`, this.version));
  }

  #answer({ operation, body, as, headers: _ }: Asked, response: ServerResponse): void {
    const id = one(body, 'SubscriptionId');
    if (operation === 'Subscribe') {
      const way = body.includes('PushSubscriptionRequest') ? 'push' : body.includes('StreamingSubscriptionRequest') ? 'streaming' : 'pull';
      const given = one(body, 'Watermark');
      const watermark = given === '' ? this.#next++ : numberOf(given);
      const subscription: FakeSubscription = { id: `sub-${this.#next++}`, way, mailbox: as, url: one(body, 'URL'), frequency: Number(one(body, 'StatusFrequency')), watermark, events: [] };
      this.subscriptions.set(subscription.id, subscription);
      this.#send(response, operation, 'NoError', `<m:SubscriptionId>${subscription.id}</m:SubscriptionId>${way === 'streaming' ? '' : `<m:Watermark>${mark(watermark)}</m:Watermark>`}`);
      if (way === 'push' && this.callsAtOnce) void this.status(subscription);
      return;
    }
    if (operation === 'GetFolder') return this.#send(response, operation, 'NoError', `<m:Folders><t:CalendarFolder><t:FolderId Id="AQ" ChangeKey="AQ"/><t:DisplayName>予定表</t:DisplayName></t:CalendarFolder></m:Folders>`);
    if (operation === 'Unsubscribe') return this.#send(response, operation, this.subscriptions.delete(id) ? 'NoError' : 'ErrorSubscriptionNotFound', '');
    if (operation === 'GetEvents') {
      const subscription = this.subscriptions.get(id);
      if (subscription === undefined) return this.#send(response, operation, 'ErrorSubscriptionNotFound', '');
      const events = subscription.events.splice(0);
      return this.#send(response, operation, 'NoError', `<m:Notification><t:SubscriptionId>${id}</t:SubscriptionId><t:PreviousWatermark>${one(body, 'Watermark')}</t:PreviousWatermark><t:MoreEvents>false</t:MoreEvents>${events.length === 0 ? eventXml(subscription.watermark, 'StatusEvent') : events.map((at) => eventXml(at)).join('')}</m:Notification>`);
    }
    if (operation === 'GetStreamingEvents') {
      const ids = all(body, 'SubscriptionId');
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8' });
      const unknown = ids.filter((each) => !this.subscriptions.has(each));
      if (unknown.length > 0) return void response.end(this.streamed(`<m:ErrorSubscriptionIds>${unknown.map((each) => `<t:SubscriptionId>${each}</t:SubscriptionId>`).join('')}</m:ErrorSubscriptionIds><m:ConnectionStatus>Closed</m:ConnectionStatus>`, 'ErrorSubscriptionNotFound'));
      this.streams.set(response, ids);
      response.on('close', () => this.streams.delete(response));
      response.write(this.streamed('<m:ConnectionStatus>OK</m:ConnectionStatus>'));
      return;
    }
    if (operation === 'GetUserAvailability') {
      const responses = all(body, 'Address').map(() => `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage><m:FreeBusyView><t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType><t:MergedFreeBusy>0000</t:MergedFreeBusy></m:FreeBusyView></m:FreeBusyResponse>`);
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8' }).end(soap(`<m:GetUserAvailabilityResponse ${NS}><m:FreeBusyResponseArray>${responses.join('')}</m:FreeBusyResponseArray></m:GetUserAvailabilityResponse>`, this.version));
      return;
    }
    response.writeHead(500).end(`unexpected ${operation}`);
  }
}

const open: (() => Promise<void>)[] = [];
/** Ends with the test. */
export function endWithTest(end: () => Promise<unknown>): void {
  open.push(async () => void (await end()));
}
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});
