import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { descend } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { decodeGetEvents } from '../../../../src/protocols/ews/watch/get-events.ts';
import { decodeStreamingEvents } from '../../../../src/protocols/ews/watch/get-streaming-events.ts';
import { EnvelopeSplitter } from '../../../../src/protocols/ews/watch/envelope-splitter.ts';
import { answerOrphan, decodeSendNotification, encodeSendNotificationResult } from '../../../../src/protocols/ews/watch/send-notification.ts';
import { decodeSubscribe } from '../../../../src/protocols/ews/watch/subscribe.ts';
import { operationAnswer } from '../answer-text.ts';
import { eventXml, mark, sendNotification, sendNotificationError, soap } from './scripted-exchange.ts';

const bodyOf = async (envelope: string): Promise<XmlElement> => descend(await readXml(envelope), 'Body')!;
const code = (run: () => unknown): string => {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    return error instanceof BridgeError ? error.code : `not ours: ${String(error)}`;
  }
};

describe('a call of Exchange', () => {
  it('is read as exchange.md §3.4 shows it', () => {
    // The bytes of the sheet, spaces and all.
    const text = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:SendNotification xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><m:ResponseMessages>
 <m:SendNotificationResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Notification>
  <t:SubscriptionId>ab12</t:SubscriptionId><t:PreviousWatermark>AAA=</t:PreviousWatermark><t:MoreEvents>false</t:MoreEvents>
  <t:ModifiedEvent><t:Watermark>AAB=</t:Watermark><t:TimeStamp>2026-03-10T08:00:00Z</t:TimeStamp><t:ItemId Id="AAMk" ChangeKey="DwAA"/><t:ParentFolderId Id="AQMk" ChangeKey="AQAA"/></t:ModifiedEvent>
 </m:Notification></m:SendNotificationResponseMessage></m:ResponseMessages></m:SendNotification></s:Body></s:Envelope>`;
    expect(decodeSendNotification(text)).toEqual([{ notification: { subscriptionId: 'ab12', previousWatermark: 'AAA=', watermark: 'AAB=', hasMore: false, isChange: true } }]);
    expect(decodeSendNotification(`\uFEFF${text}`)).toHaveLength(1);
  });

  it('is answered as exchange.md §3.4 shows it', () => {
    expect(encodeSendNotificationResult('OK')).toContain('<m:SendNotificationResult xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:SubscriptionStatus>OK</m:SubscriptionStatus></m:SendNotificationResult>');
  });

  it('a StatusEvent is no change; an event that nobody knows is one; the last watermark counts', () => {
    expect(decodeSendNotification(sendNotification('a', 1, eventXml(1, 'StatusEvent')))).toMatchObject([{ notification: { isChange: false, watermark: mark(1) } }]);
    expect(decodeSendNotification(sendNotification('a', 1, eventXml(2) + eventXml(3, 'ShinyNewEvent'), true))).toMatchObject([{ notification: { isChange: true, watermark: mark(3), hasMore: true } }]);
  });

  it('says by MessageXml which subscription is broken', () => {
    const [message] = decodeSendNotification(sendNotificationError('sub-7', 'ErrorReadEventsFailed'));
    expect(message).toMatchObject({ subscriptionId: 'sub-7', error: { details: { responseCode: 'ErrorReadEventsFailed' } } });
  });

  const good = sendNotification('a', 1, eventXml(2));
  it.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['half of it', good.slice(0, good.length / 2)],
    ['a DOCTYPE', good.replace('<s:Envelope', '<!DOCTYPE x [<!ENTITY a "b">]><s:Envelope')],
    ['another document', soap('<m:Other xmlns:m="urn:x"/>')],
    ['another namespace', good.replaceAll('services/2006/messages', 'services/2006/other')],
    ['no messages', good.replace(/<m:SendNotificationResponseMessage[\s\S]*<\/m:SendNotificationResponseMessage>/, '')],
    ['no id', good.replace('<t:SubscriptionId>a</t:SubscriptionId>', '')],
    ['an endless id', good.replace('>a</t:SubscriptionId>', `>${'a'.repeat(5_000)}</t:SubscriptionId>`)],
    ['no event', good.replace(/<t:ModifiedEvent>[\s\S]*<\/t:ModifiedEvent>/, '')],
    ['a thousand and one events', sendNotification('a', 1, '<t:XEvent/>'.repeat(1_001))],
    ['more than a call may be', good + ' '.repeat(70_000)],
    ['depth', `${'<a>'.repeat(5_000)}`],
    ['square brackets', `<a><![CDATA[${']'.repeat(2_000)}`],
  ])('%s is refused, and is no orphan either', (_name, text) => {
    expect(code(() => decodeSendNotification(text))).toBe('BACKEND_MALFORMED');
    expect(answerOrphan(text)).toBeUndefined();
  });

  it('one that is well-formed and nobody\'s is told to end', () => {
    expect(answerOrphan(good)).toContain('>Unsubscribe<');
    expect(answerOrphan(sendNotificationError('x', 'ErrorReadEventsFailed'))).toContain('>Unsubscribe<');
  });

  it('without ResponseCode, or with two, it is an error and no success', () => {
    expect(decodeSendNotification(good.replace('<m:ResponseCode>NoError</m:ResponseCode>', ''))).toMatchObject([{ subscriptionId: 'a' }]);
    expect(decodeSendNotification(good.replace('<m:ResponseCode>NoError</m:ResponseCode>', '<m:ResponseCode>NoError</m:ResponseCode>'.repeat(2)))[0]).toHaveProperty('error');
  });
});

describe('answers', () => {
  it('Subscribe without an id, with an endless one, or without a message', async () => {
    for (const content of ['', '<m:SubscriptionId/>', `<m:SubscriptionId>${'x'.repeat(5_000)}</m:SubscriptionId>`]) {
      const body = await bodyOf(operationAnswer('Subscribe', content));
      expect(code(() => decodeSubscribe(body))).toBe('BACKEND_MALFORMED');
    }
    const other = await bodyOf(soap('<m:SubscribeResponse xmlns:m="urn:m"/>'));
    expect(code(() => decodeSubscribe(other))).toBe('BACKEND_MALFORMED');
  });

  it('GetEvents about another subscription, or about nothing', async () => {
    const other = await bodyOf(operationAnswer('GetEvents', `<m:Notification><t:SubscriptionId>b</t:SubscriptionId>${eventXml(1)}</m:Notification>`));
    expect(code(() => decodeGetEvents(other, 'a'))).toBe('BACKEND_MALFORMED');
    expect(decodeGetEvents(other, 'b')).toMatchObject({ isChange: true, watermark: mark(1) });
    const nothing = await bodyOf(operationAnswer('GetEvents', ''));
    expect(code(() => decodeGetEvents(nothing, 'a'))).toBe('BACKEND_MALFORMED');
  });

  it('a stream\'s: several notifications, ids in error, the end; and nothing at all', async () => {
    const one = (id: string, kind?: string): string => `<m:Notification><t:SubscriptionId>${id}</t:SubscriptionId>${eventXml(undefined, kind)}</m:Notification>`;
    const full = await bodyOf(operationAnswer('GetStreamingEvents', `<m:Notifications>${one('a')}${one('b', 'StatusEvent')}</m:Notifications><m:ConnectionStatus>Closed</m:ConnectionStatus>`));
    expect(decodeStreamingEvents(full)).toMatchObject({ notifications: [{ subscriptionId: 'a', isChange: true, watermark: undefined }, { subscriptionId: 'b', isChange: false }], error: undefined, failedIds: [], isClosed: true });
    const failed = await bodyOf(operationAnswer('GetStreamingEvents', '<m:ErrorSubscriptionIds><m:SubscriptionId>a</m:SubscriptionId></m:ErrorSubscriptionIds>', 'ErrorInvalidSubscription'));
    expect(decodeStreamingEvents(failed)).toMatchObject({ failedIds: ['a'], error: { details: { responseCode: 'ErrorInvalidSubscription' } }, isClosed: false });
    const nothing = await bodyOf(soap('<m:GetStreamingEventsResponse xmlns:m="urn:m"/>'));
    expect(code(() => decodeStreamingEvents(nothing))).toBe('BACKEND_MALFORMED');
  });
});

describe('a stream of envelopes', () => {
  const texts = [soap('<a>1</a>'), `\r\n ${soap('<b>ü€</b>').replaceAll('s:', 'soapenv:').replaceAll('xmlns:s=', 'xmlns:soapenv=')}`, soap('<c/>').replace('</s:Envelope>', '</s:Envelope \n>')];
  const bytes = Buffer.from(texts.join(''));

  it.each([1, 2, 3, 7, 64, 1_000, 100_000])('is cut the same however it comes: %i bytes at a time', (size) => {
    const splitter = new EnvelopeSplitter(10_000);
    const found: string[] = [];
    for (let start = 0; start < bytes.length; start += size) found.push(...splitter.push(bytes.subarray(start, start + size)).map((one) => one.toString('utf8')));
    expect(found).toEqual(texts.map((one) => one.trimStart()));
    expect(splitter.isBetween).toBe(true);
    splitter.push(Buffer.from('<?xml'));
    expect(splitter.isBetween).toBe(false);
  });

  it('holds no more than its bound, whether it comes at once or byte after byte', () => {
    const splitter = new EnvelopeSplitter(50_000);
    expect(code(() => splitter.push(Buffer.alloc(200_000, 'x')))).toBe('BACKEND_TOO_LARGE');
    const slow = new EnvelopeSplitter(50_000);
    let pushed = 0;
    expect(code(() => {
      for (; pushed < 60_000; pushed++) slow.push(Buffer.from('<'));
    })).toBe('BACKEND_TOO_LARGE');
    expect(pushed).toBe(50_000);
    expect(code(() => new EnvelopeSplitter(100).push(Buffer.from(`${'x'.repeat(200)}</s:Envelope>`)))).toBe('BACKEND_TOO_LARGE');
  });

  it('takes any number of envelopes that are each within it', () => {
    const splitter = new EnvelopeSplitter(LIMITS.ewsStreamEnvelopeBytes);
    expect(splitter.push(Buffer.from(soap('<a/>').repeat(1_000)))).toHaveLength(1_000);
  });
});
