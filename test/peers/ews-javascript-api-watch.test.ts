import ews from 'ews-javascript-api';
import { describe, expect, it, vi } from 'vitest';
import { childText, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { writeXml } from '../../src/platform/xml/write.ts';
import type { XmlNode } from '../../src/platform/xml/write.ts';
import { encodeImpersonation } from '../../src/protocols/ews/impersonation.ts';
import { encodeGetEvents } from '../../src/protocols/ews/watch/get-events.ts';
import { encodeGetStreamingEvents } from '../../src/protocols/ews/watch/get-streaming-events.ts';
import { encodeSubscribe, encodeUnsubscribe } from '../../src/protocols/ews/watch/subscribe.ts';
import { mark, ScriptedExchange } from '../protocols/ews/watch/scripted-exchange.ts';
import type { Asked } from '../protocols/ews/watch/scripted-exchange.ts';
import { exchangeService } from './ews-javascript-api-client.ts';

// A devDependency, so it is always there and nothing is skipped. It judges both sides: what we send must say what a client sends that we did not write, and it must
// understand the Exchange that our other tests talk to.

/** Names, namespaces, attributes and texts, without prefixes and white space; event types in the order of the alphabet (the library puts the first one last). */
function plain(element: XmlElement): unknown {
  if (element.name === 'EventTypes') return element.children.map((one) => `{${one.ns}}${one.name} ${one.text}`).sort();
  const attributes = Object.fromEntries(element.attributes.map((one) => [one.name, one.value]));
  return { name: `{${element.ns}}${element.name}`, attributes, text: element.children.length === 0 ? element.text.trim() : '', children: element.children.map(plain) };
}

const ours = async (node: XmlNode): Promise<unknown> => plain(await readXml(writeXml(node)));
const theirs = async (asked: Asked, where: 'Body' | 'Header', name: string): Promise<unknown> => plain(descend(await readXml(asked.body), where, name)!);

async function service(): Promise<{ readonly exchange: ScriptedExchange; readonly client: ews.ExchangeService }> {
  const exchange = await ScriptedExchange.start();
  const client = exchangeService(exchange.url.origin, 'Basic', { version: ews.ExchangeVersion.Exchange2010_SP1 });
  client.ImpersonatedUserId = new ews.ImpersonatedUserId(ews.ConnectingIdType.PrincipalName, 'unused');
  client.ImpersonatedUserId.IdType = ews.ConnectingIdType.SmtpAddress;
  client.ImpersonatedUserId.Id = 'alice@corp.example';
  return { exchange, client };
}

const CALENDAR = [new ews.FolderId(ews.WellKnownFolderName.Calendar)];
const EVENTS = [ews.EventType.Created, ews.EventType.Modified, ews.EventType.Deleted, ews.EventType.Moved, ews.EventType.Copied];

describe('ews-javascript-api, subscribing', () => {
  it('sends the push subscription that we send, and is given what we are given', async () => {
    const { exchange, client } = await service();
    const made = await client.SubscribeToPushNotifications(CALENDAR, new ews.Uri('http://127.0.0.1:1/path'), 60, mark(7), ...EVENTS);
    expect(await theirs(exchange.operations('Subscribe')[0]!, 'Body', 'Subscribe')).toEqual(await ours(encodeSubscribe({ way: 'push', watermark: mark(7), statusFrequency: 60, url: 'http://127.0.0.1:1/path' })));
    expect(made.Watermark).toBe(mark(7));
    expect(exchange.subscriptions.has(made.Id)).toBe(true);
  });

  it('sends the pull subscription and GetEvents that we send', async () => {
    const { exchange, client } = await service();
    const made = await client.SubscribeToPullNotifications(CALENDAR, 30, null as never, ...EVENTS);
    expect(await theirs(exchange.operations('Subscribe')[0]!, 'Body', 'Subscribe')).toEqual(await ours(encodeSubscribe({ way: 'pull', watermark: undefined, minutes: 30 })));
    const { Id: id, Watermark: watermark } = made;
    await made.GetEvents();
    expect(await theirs(exchange.operations('GetEvents')[0]!, 'Body', 'GetEvents')).toEqual(await ours(encodeGetEvents(id, watermark)));
    await made.Unsubscribe();
    expect(await theirs(exchange.operations('Unsubscribe')[0]!, 'Body', 'Unsubscribe')).toEqual(await ours(encodeUnsubscribe(id)));
    expect(exchange.subscriptions.size).toBe(0);
  });

  it('sends the streaming subscription that we send, and reads our Exchange\'s stream', async () => {
    const { exchange, client } = await service();
    const made = await client.SubscribeToStreamingNotifications(CALENDAR, ...EVENTS, ews.EventType.FreeBusyChanged);
    expect(await theirs(exchange.operations('Subscribe')[0]!, 'Body', 'Subscribe')).toEqual(await ours(encodeSubscribe({ way: 'streaming' })));
    const connection = new ews.StreamingSubscriptionConnection(client, 30);
    connection.AddSubscription(made);
    const heard: string[] = [];
    connection.OnNotificationEvent.push((_sender, { Events }) => heard.push(...Events.map((one) => ews.EventType[one.EventType])));
    // Never comes back.
    connection.Open().catch(() => undefined);
    await vi.waitFor(() => expect(exchange.streams.size).toBe(1));
    expect(await theirs(exchange.operations('GetStreamingEvents')[0]!, 'Body', 'GetStreamingEvents')).toEqual(await ours(encodeGetStreamingEvents([made.Id], 30)));
    await exchange.touch('alice@corp.example');
    await vi.waitFor(() => expect(heard).toEqual(['Modified']));
    for (const response of exchange.streams.keys()) response.end(exchange.streamed('<m:ConnectionStatus>Closed</m:ConnectionStatus>'));
  });

  it('acts in somebody\'s name as we do, but for the kind of the address', async () => {
    const { exchange, client } = await service();
    await client.SubscribeToPullNotifications(CALENDAR, 30, null as never, ...EVENTS);
    const header = descend(await readXml(exchange.operations('Subscribe')[0]!.body), 'Header', 'ExchangeImpersonation')!;
    const own = await readXml(writeXml(encodeImpersonation('alice@corp.example' as never)));
    expect([header.ns, header.children.map((one) => [one.name, one.ns])]).toEqual([own.ns, own.children.map((one) => [one.name, one.ns])]);
    expect(childText(header.children[0], 'SmtpAddress')).toBe(childText(own.children[0], 'PrimarySmtpAddress'));
  });
});
