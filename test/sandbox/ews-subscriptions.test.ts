import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore, Entry } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws, ExchangeEwsOptions } from '../../src/sandbox/exchange-ews.ts';
import { CAN_VALIDATE } from '../shared.ts';
import { startCallBackListener } from './call-back-listener.ts';
import type { CallBackListener } from './call-back-listener.ts';
import { askEws, CALENDAR, CHANGES, envelopesOf, expectValid, getEvents, getStreamingEvents, M, openEws, subscribePull, subscribePush, subscribeStreaming, textOf, unsubscribe } from './ews-talk.ts';
import type { EwsAnswer, EwsAsk } from './ews-talk.ts';

const at = (text: string): number => Date.parse(text);
const ANNA = 'anna@exch.example';
const BOB = 'bob@exch.example';
const AS_ANNA = { as: ANNA };

let server: ExchangeEws;
let calendars: CalendarStore;
let listener: CallBackListener;

beforeEach(async () => {
  listener = await startCallBackListener();
});
afterEach(async () => {
  await server.close();
  await listener.close();
});

async function start(options: Partial<ExchangeEwsOptions> = {}): Promise<void> {
  calendars = createCalendarStore([{ address: ANNA, displayName: 'Anna' }, { address: BOB, displayName: 'Bob' }]);
  server = createExchangeEws({ username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => at('2026-03-10T08:00:00Z') }, ...options });
  await server.listen();
}

const ask = (operation: string, how: EwsAsk = {}): Promise<EwsAnswer> => askEws(server, operation, how);
const addBusy = (address = ANNA): Entry => calendars.add(address, { start: at('2026-03-10T09:00:00Z'), end: at('2026-03-10T10:00:00Z'), type: 'busy' });
const codeOf = (answer: EwsAnswer): string | undefined => textOf(answer.text, 'ResponseCode');
const eventsIn = (text: string): readonly string[] => [...text.matchAll(/<t:(\w+Event)>/g)].map((match) => match[1]!);

async function subscribed(operation: string, how: EwsAsk = AS_ANNA): Promise<{ readonly id: string; readonly watermark: string; readonly text: string }> {
  const { text } = await ask(operation, how);
  return { id: textOf(text, 'SubscriptionId') ?? '', watermark: textOf(text, 'Watermark') ?? '', text };
}

describe('pull subscriptions of the stand-in Exchange', () => {
  it('tells nothing with a StatusEvent, then each change with a watermark of its own', async () => {
    await start();
    const { id, watermark } = await subscribed(subscribePull());
    const nothing = await ask(getEvents(id, watermark));
    expect(eventsIn(nothing.text)).toEqual(['StatusEvent']);
    const entry = addBusy();
    calendars.update(ANNA, entry.id, { type: 'oof' });
    calendars.remove(ANNA, entry.id);
    addBusy(BOB);
    const { text } = await ask(getEvents(id, watermark));
    expect(eventsIn(text)).toEqual(['CreatedEvent', 'ModifiedEvent', 'DeletedEvent']);
    expect(textOf(text, 'PreviousWatermark')).toBe(watermark);
    expect(textOf(text, 'MoreEvents')).toBe('false');
    expect(textOf(text, 'TimeStamp')).toBe('2026-03-10T08:00:00Z');
    const last = [...text.matchAll(/<t:Watermark>([^<]+)</g)].at(-1)![1]!;
    expect(eventsIn((await ask(getEvents(id, last))).text)).toEqual(['StatusEvent']);
  });

  it('tells only of the types asked for; a change is one of free/busy too', async () => {
    await start();
    const { id, watermark } = await subscribed(subscribePull({ types: '<t:EventTypes><t:EventType>FreeBusyChangedEvent</t:EventType></t:EventTypes>' }));
    addBusy();
    expect(eventsIn((await ask(getEvents(id, watermark))).text)).toEqual(['FreeBusyChangedEvent']);
  });

  it('brings fifty events at a time and says that there are more', async () => {
    await start();
    const { id, watermark } = await subscribed(subscribePull());
    for (let count = 0; count < 60; count++) addBusy();
    const first = (await ask(getEvents(id, watermark))).text;
    expect([eventsIn(first).length, textOf(first, 'MoreEvents')]).toEqual([50, 'true']);
    const second = (await ask(getEvents(id, [...first.matchAll(/<t:Watermark>([^<]+)</g)].at(-1)![1]!))).text;
    expect([eventsIn(second).length, textOf(second, 'MoreEvents')]).toEqual([10, 'false']);
  });

  it('goes on from a watermark of an earlier subscription, also after a restart', async () => {
    await start();
    const { watermark } = await subscribed(subscribePull());
    addBusy();
    server.forgetSubscriptions();
    const { id, watermark: again } = await subscribed(subscribePull({ watermark }));
    expect(again).toBe(watermark);
    expect(eventsIn((await ask(getEvents(id, again))).text)).toEqual(['CreatedEvent']);
  });

  it('refuses watermarks of others, of nobody, of a forgotten time and of too long ago', async () => {
    await start();
    const { watermark } = await subscribed(subscribePull());
    const ofBob = await subscribed(subscribePull(), { as: BOB });
    for (const foreign of [ofBob.watermark, 'AAA=', 'not base64 at all']) {
      expect(codeOf(await ask(subscribePull({ watermark: foreign }), AS_ANNA))).toBe('ErrorInvalidWatermark');
      expect(codeOf(await ask(getEvents((await subscribed(subscribePull())).id, foreign)))).toBe('ErrorInvalidWatermark');
    }
    for (let count = 0; count <= LIMITS.standInEvents / 2; count++) addBusy();
    expect(codeOf(await ask(subscribePull({ watermark }), AS_ANNA))).toBe('ErrorInvalidWatermark');
    server.forgetWatermarks();
    expect(codeOf(await ask(subscribePull({ watermark: ofBob.watermark }), { as: BOB }))).toBe('ErrorInvalidWatermark');
  });

  it('ends by Unsubscribe, by its Timeout and by a restart', async () => {
    await start({ minuteMs: 1 });
    const one = await subscribed(subscribePull({ timeout: '1440' }));
    expect(codeOf(await ask(unsubscribe(one.id)))).toBe('NoError');
    expect(codeOf(await ask(unsubscribe(one.id)))).toBe('ErrorSubscriptionNotFound');
    expect(codeOf(await ask(getEvents(one.id, one.watermark)))).toBe('ErrorSubscriptionNotFound');
    const short = await subscribed(subscribePull({ timeout: '1' }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(codeOf(await ask(getEvents(short.id, short.watermark)))).toBe('ErrorExpiredSubscription');
    expect(codeOf(await ask(getEvents(short.id, short.watermark)))).toBe('ErrorSubscriptionNotFound');
    const other = await subscribed(subscribePull({ timeout: '1440' }));
    server.forgetSubscriptions();
    expect(codeOf(await ask(getEvents(other.id, other.watermark)))).toBe('ErrorSubscriptionNotFound');
    expect(server.subscriptions).toEqual([]);
  });

  it('takes no more than it may, and has room again when some have ended', async () => {
    await start({ mostSubscriptions: 2, minuteMs: 10_000 });
    const one = await subscribed(subscribePull());
    await subscribed(subscribeStreaming());
    expect(codeOf(await ask(subscribePull(), AS_ANNA))).toBe('ErrorExceededSubscriptionCount');
    await ask(unsubscribe(one.id));
    expect(codeOf(await ask(subscribePull(), AS_ANNA))).toBe('NoError');
    expect(server.subscriptions.map(({ kind, mailbox }) => [kind, mailbox])).toEqual([['pull', ANNA], ['streaming', ANNA]]);
  });
});

describe('who may subscribe to what', () => {
  it('is one mailbox, one’s own', async () => {
    await start();
    const folderOf = (address: string): string => `<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>${address}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>`;
    const both = `<t:FolderIds>${folderOf(ANNA)}${folderOf(BOB)}</t:FolderIds>`;
    expect(codeOf(await ask(subscribePull({ folders: both }), AS_ANNA))).toBe('ErrorInvalidSubscriptionRequest');
    expect(codeOf(await ask(subscribePull({ folders: `<t:FolderIds>${folderOf(BOB)}</t:FolderIds>` }), AS_ANNA))).toBe('ErrorSubscriptionDelegateAccessNotSupported');
    expect(codeOf(await ask(subscribePull({ folders: `<t:FolderIds>${folderOf(ANNA)}</t:FolderIds>` }), AS_ANNA))).toBe('NoError');
    expect(codeOf(await ask(subscribePull({ folders: '<t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>' }), AS_ANNA))).toBe('ErrorFolderNotFound');
    expect(codeOf(await ask(subscribePull({ folders: '', attributes: ' SubscribeToAllFolders="true"' }), AS_ANNA))).toBe('NoError');
    expect(codeOf(await ask(subscribePull({ attributes: ' SubscribeToAllFolders="true"' }), AS_ANNA))).toBe('ErrorInvalidSubscriptionRequest');
    expect(codeOf(await ask(subscribePull({ folders: '' }), AS_ANNA))).toBe('ErrorInvalidSubscriptionRequest');
    // The account itself has no mailbox.
    expect(codeOf(await ask(subscribePull()))).toBe('ErrorNonExistentMailbox');
  });

  it('is by impersonation of whom there is, and of whom the account may be', async () => {
    await start();
    const nobody = await ask(subscribePull(), { as: 'ghost@exch.example' });
    expect([nobody.status, codeOf(nobody)]).toEqual([500, 'ErrorNonExistentMailbox']);
    server.denyImpersonation([ANNA]);
    const denied = await ask(subscribePull(), AS_ANNA);
    expect([denied.status, codeOf(denied)]).toEqual([500, 'ErrorImpersonateUserDenied']);
    for (const sidName of ['PrincipalName', 'SmtpAddress']) expect(codeOf(await ask(subscribePull(), { as: BOB, sidName }))).toBe('NoError');
    server.denyImpersonation('everybody');
    expect(codeOf(await ask(subscribePull(), { as: BOB }))).toBe('ErrorImpersonateUserDenied');
  });

  it.each([
    ['StatusFrequency 0', subscribePush('http://127.0.0.1:9/', { frequency: '0' })],
    ['StatusFrequency 1441', subscribePush('http://127.0.0.1:9/', { frequency: '1441' })],
    ['StatusFrequency of words', subscribePush('http://127.0.0.1:9/', { frequency: 'often' })],
    ['Timeout 1441', subscribePull({ timeout: '1441' })],
    ['no event type', subscribePull({ types: '<t:EventTypes/>' })],
    ['an unknown event type', subscribePull({ types: '<t:EventTypes><t:EventType>OpenedEvent</t:EventType></t:EventTypes>' })],
    ['another order', subscribePull({ folders: CHANGES, types: CALENDAR })],
    ['no URL', subscribePush('').replace('<t:URL></t:URL>', '')],
    ['the wrong namespace', subscribePull().replace('<t:Timeout>10</t:Timeout>', '<m:Timeout>10</m:Timeout>')],
    ['a watermark for streaming', subscribeStreaming().replace('</m:Streaming', '<t:Watermark>AAA=</t:Watermark></m:Streaming')],
    ['ConnectionTimeout 31', getStreamingEvents(['x'], '31')],
    ['no subscription ids', getStreamingEvents([])],
  ])('is held to the schema: %s', async (_, operation) => {
    await start();
    const answer = await ask(operation, AS_ANNA);
    expect([answer.status, codeOf(answer)]).toEqual([500, 'ErrorSchemaValidation']);
  });
});

describe('push subscriptions of the stand-in Exchange', () => {
  it('call at once with a StatusEvent, then with every change, until the client says Unsubscribe', async () => {
    await start();
    const { id, watermark } = await subscribed(subscribePush(listener.url));
    const first = await listener.next();
    expect([eventsIn(first), textOf(first, 'SubscriptionId'), textOf(first, 'PreviousWatermark')]).toEqual([['StatusEvent'], id, watermark]);
    addBusy();
    const second = await listener.next();
    expect([eventsIn(second), textOf(second, 'PreviousWatermark')]).toEqual([['CreatedEvent'], watermark]);
    listener.answerWith('Unsubscribe');
    calendars.clear(ANNA);
    const third = await listener.next();
    expect(eventsIn(third)).toEqual(['DeletedEvent']);
    expect(textOf(third, 'PreviousWatermark')).not.toBe(watermark);
    await expect.poll(() => server.subscriptions).toEqual([]);
    addBusy();
    expect(listener.bodies.length).toBe(3);
  });

  it('call again with a StatusEvent each StatusFrequency', async () => {
    await start({ minuteMs: 10 });
    await subscribed(subscribePush(listener.url, { frequency: '1' }));
    for (let count = 0; count < 3; count++) expect(eventsIn(await listener.next())).toEqual(['StatusEvent']);
  });

  it('try again what was not taken, with doubled pauses until the frequency is over, and give up then', async () => {
    // Tries after 0, 30, 60, 120, 240, 480, 960 seconds (31.5 minutes together): the next pause would be longer than what is left of the hour.
    await start({ minuteMs: 20 });
    listener.answerWith(503);
    await subscribed(subscribePush(listener.url, { frequency: '60' }));
    await expect.poll(() => server.subscriptions, { timeout: 10_000 }).toEqual([]);
    expect(listener.bodies.length).toBe(7);
    expect(new Set(listener.bodies).size).toBe(1);
  });

  it('give up where nobody can be reached', async () => {
    await start({ minuteMs: 5 });
    server.setFaults({ isUnreachable: true });
    await subscribed(subscribePush(listener.url, { frequency: '2' }));
    await expect.poll(() => server.subscriptions).toEqual([]);
    expect(listener.bodies).toEqual([]);
  });

  it('bring what the client did not take later, with the same PreviousWatermark', async () => {
    await start({ minuteMs: 20 });
    const { watermark } = await subscribed(subscribePush(listener.url));
    await listener.next();
    listener.answerWith(503);
    addBusy();
    await listener.next();
    listener.answerWith('OK');
    const late = await listener.next();
    expect([eventsIn(late), textOf(late, 'PreviousWatermark')]).toEqual([['CreatedEvent'], watermark]);
  });

  it('lose and double what the faults say; a loss shows in PreviousWatermark', async () => {
    await start();
    const { watermark } = await subscribed(subscribePush(listener.url));
    await listener.next();
    server.setFaults({ drop: 1 });
    const entry = addBusy();
    await expect.poll(() => server.faults.drop).toBe(0);
    server.setFaults({ duplicate: 1 });
    calendars.remove(ANNA, entry.id);
    const [one, other] = [await listener.next(), await listener.next()];
    expect(eventsIn(one)).toEqual(['DeletedEvent']);
    expect(other).toBe(one);
    expect(textOf(one, 'PreviousWatermark')).not.toBe(watermark);
  });

  it('end when their events cannot be read: the client is told which one to make anew', async () => {
    await start();
    const { id } = await subscribed(subscribePush(listener.url));
    await listener.next();
    server.failPush();
    const text = await listener.next();
    expect([textOf(text, 'ResponseCode'), textOf(text, 'Value')]).toEqual(['ErrorReadEventsFailed', id]);
    await expect.poll(() => server.subscriptions).toEqual([]);
  });

  it('cannot be ended by Unsubscribe nor read by GetEvents, and go to http and https only', async () => {
    await start();
    const { id, watermark } = await subscribed(subscribePush(listener.url));
    expect(codeOf(await ask(unsubscribe(id)))).toBe('ErrorInvalidPullSubscriptionId');
    expect(codeOf(await ask(getEvents(id, watermark)))).toBe('ErrorInvalidPullSubscriptionId');
    for (const url of ['ftp://127.0.0.1/', 'nowhere', `http://127.0.0.1/${'x'.repeat(2_083)}`]) expect(codeOf(await ask(subscribePush(url), AS_ANNA))).toBe('ErrorInvalidPushSubscriptionUrl');
  });
});

describe('streaming subscriptions of the stand-in Exchange', () => {
  it('are envelope after envelope: at once OK, then each change, at last Closed', async () => {
    await start({ minuteMs: 200 });
    const anna = await subscribed(subscribeStreaming());
    const bob = await subscribed(subscribeStreaming(), { as: BOB });
    expect(anna.watermark).toBe('');
    const response = await openEws(server, getStreamingEvents([anna.id, bob.id], '1'));
    const envelopes = envelopesOf(response);
    expect(response.headers.get('content-length')).toBeNull();
    expect(textOf((await envelopes.next())!, 'ConnectionStatus')).toBe('OK');
    addBusy(BOB);
    let told = '';
    while (eventsIn(told).length === 0) told = (await envelopes.next())!;
    expect([eventsIn(told), textOf(told, 'SubscriptionId')]).toEqual([['CreatedEvent'], bob.id]);
    expect(told).not.toContain('Watermark');
    const rest: (string | undefined)[] = [];
    for (let next = await envelopes.next(); next !== undefined; next = await envelopes.next()) rest.push(textOf(next, 'ConnectionStatus'));
    // Where nothing happens a message comes now and then.
    expect(rest.slice(0, -1).every((one) => one === 'OK')).toBe(true);
    expect(rest.length).toBeGreaterThan(1);
    expect(rest.at(-1)).toBe('Closed');
    expect(server.streams).toBe(0);
  });

  it('tell what happened between two connections', async () => {
    await start();
    const { id } = await subscribed(subscribeStreaming());
    addBusy();
    const envelopes = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await envelopes.next();
    expect(eventsIn((await envelopes.next())!)).toEqual(['CreatedEvent']);
  });

  it('are three connections an account, of two hundred ids, which a client may leave', async () => {
    await start();
    const ids = await Promise.all([1, 2, 3, 4].map(async () => (await subscribed(subscribeStreaming())).id));
    const leaving = new AbortController();
    const responses = await Promise.all(ids.slice(0, 3).map((id, index) => openEws(server, getStreamingEvents([id]), index === 0 ? { signal: leaving.signal } : {})));
    await Promise.all(responses.map((one) => envelopesOf(one).next()));
    const fourth = await ask(getStreamingEvents([ids[3]!]));
    expect([codeOf(fourth), textOf(fourth.text, 'ConnectionStatus')]).toEqual(['ErrorExceededConnectionCount', 'Closed']);
    leaving.abort();
    await expect.poll(() => server.streams).toBe(2);
    expect(textOf((await envelopesOf(await openEws(server, getStreamingEvents([ids[3]!]))).next())!, 'ConnectionStatus')).toBe('OK');
    expect(codeOf(await ask(getStreamingEvents(Array.from({ length: 201 }, () => ids[3]!))))).toBe('ErrorInvalidRequest');
  });

  it('name the subscriptions that are not known', async () => {
    await start();
    const { id } = await subscribed(subscribeStreaming());
    const pull = await subscribed(subscribePull());
    const { text } = await ask(getStreamingEvents([id, pull.id, 'never']));
    expect([textOf(text, 'ResponseCode'), [...text.matchAll(/<t:SubscriptionId>([^<]+)</g)].map((match) => match[1])]).toEqual(['ErrorSubscriptionNotFound', [pull.id, 'never']]);
  });

  it('move to the newest connection that names them', async () => {
    await start();
    const { id } = await subscribed(subscribeStreaming());
    const old = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await old.next();
    const young = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await young.next();
    expect(textOf((await old.next())!, 'ResponseCode')).toBe('ErrorNewEventStreamConnectionOpened');
    expect(await old.next()).toBeUndefined();
    addBusy();
    expect(eventsIn((await young.next())!)).toEqual(['CreatedEvent']);
  });

  it('end by command: told, broken off, or with everything else at a restart', async () => {
    await start();
    const { id } = await subscribed(subscribeStreaming());
    const told = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await told.next();
    server.closeStreams('closed');
    expect(textOf((await told.next())!, 'ConnectionStatus')).toBe('Closed');
    expect(await told.next()).toBeUndefined();
    const broken = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await broken.next();
    server.closeStreams('broken');
    await expect(broken.next()).rejects.toThrow();
    const restarted = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await restarted.next();
    server.forgetSubscriptions();
    await expect(restarted.next()).rejects.toThrow();
    expect(codeOf(await ask(getStreamingEvents([id])))).toBe('ErrorSubscriptionNotFound');
  });

  it('lose and double what the faults say', async () => {
    await start();
    const { id } = await subscribed(subscribeStreaming());
    const envelopes = envelopesOf(await openEws(server, getStreamingEvents([id])));
    await envelopes.next();
    server.setFaults({ drop: 1, duplicate: 1 });
    const entry = addBusy();
    await expect.poll(() => server.faults.drop).toBe(0);
    calendars.remove(ANNA, entry.id);
    expect([eventsIn((await envelopes.next())!), eventsIn((await envelopes.next())!)]).toEqual([['DeletedEvent'], ['DeletedEvent']]);
  });
});

describe('the faults of the stand-in Exchange', () => {
  it('are busyness, being away for a while, and an older version', async () => {
    await start();
    server.setFaults({ backOffMs: 4_321 });
    const busy = await ask(subscribePull(), AS_ANNA);
    expect([busy.status, codeOf(busy), textOf(busy.text, 'Value')]).toEqual([500, 'ErrorServerBusy', '4321']);
    server.setFaults({ backOffMs: undefined, retryAfterSeconds: 7 });
    const away = await ask(subscribePull(), AS_ANNA);
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '7']);
    server.setFaults({ retryAfterSeconds: undefined, refused: ['streaming'] });
    expect(codeOf(await ask(subscribeStreaming(), AS_ANNA))).toBe('ErrorSchemaValidation');
    expect(codeOf(await ask(subscribePull(), AS_ANNA))).toBe('NoError');
  });
});

describe('delays of the stand-in Exchange', () => {
  it('hold back answers about subscriptions and notifications, nothing else', async () => {
    await start();
    await subscribed(subscribePush(listener.url));
    await listener.next();
    server.setFaults({ delayMs: 3_600_000 });
    addBusy();
    const leaving = new AbortController();
    const waiting = ask(subscribePull(), { ...AS_ANNA, signal: leaving.signal });
    const other = ask(`<m:GetFolder ${M}><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="calendar"/></m:FolderIds></m:GetFolder>`, AS_ANNA);
    expect(codeOf(await Promise.race([waiting, other]))).toBe('NoError');
    expect(listener.bodies.length).toBe(1);
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    expect(server.subscriptions.map((one) => one.kind)).toEqual(['push']);
  });
});

describe.skipIf(!CAN_VALIDATE)('everything that the stand-in Exchange says about subscriptions', () => {
  it('is valid by Microsoft’s schema', async () => {
    await start({ minuteMs: 2_000 });
    const pull = await subscribed(subscribePull());
    const push = await subscribed(subscribePush(listener.url));
    const streaming = await subscribed(subscribeStreaming());
    const envelopes = envelopesOf(await openEws(server, getStreamingEvents([streaming.id])));
    const opened = (await envelopes.next())!;
    const status = await listener.next();
    const entry = addBusy();
    calendars.update(ANNA, entry.id, { reply: 'declined' });
    calendars.remove(ANNA, entry.id);
    const streamed = (await envelopes.next())!;
    const pushed = await listener.next();
    server.closeStreams('closed');
    let closed = streamed;
    for (let next: string | undefined = streamed; next !== undefined; next = await envelopes.next()) closed = next;
    expect(textOf(closed, 'ConnectionStatus')).toBe('Closed');
    const answers = await Promise.all([
      getEvents(pull.id, pull.watermark), getEvents(pull.id, 'x'), getEvents('x', 'x'), getStreamingEvents(['x']), subscribePull({ watermark: 'x' }), unsubscribe(pull.id), unsubscribe('x'),
    ].map((operation) => ask(operation, AS_ANNA)));
    expectValid(pull.text, push.text, streaming.text, opened, status, streamed, pushed, closed, ...answers.map((one) => one.text));
  });

  it('is asked in the schema’s words by these tests', async () => {
    await start();
    expectValid(...[subscribePull({ watermark: 'AAA=' }), subscribePush('http://h/', { watermark: 'AAA=' }), subscribeStreaming(), getEvents('a', 'b'), getStreamingEvents(['a', 'b']), unsubscribe('a')].map((one) => `<s:Body>${one}</s:Body>`));
  });
});
