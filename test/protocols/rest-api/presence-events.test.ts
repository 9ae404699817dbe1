import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { StreamSlots } from '../../../src/protocols/rest-api/presence-streams.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { ask } from '../../platform/http-server/serving.ts';
import { FakePresence, shownAs } from '../../presence/fake-presence.ts';
import { EventStreamClient } from './event-stream-client.ts';
import { openApi } from './serving.ts';
import type { Api, ApiOptions } from './serving.ts';

const TARGET = '/api/v1/presence/events';
let presence: FakePresence;
const apis: Api[] = [];
const clients: EventStreamClient[] = [];
beforeEach(() => void (presence = new FakePresence()));
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const api of apis.splice(0)) await api.close();
});
async function api(options: Partial<ApiOptions> = {}): Promise<Api> {
  const opened = await openApi({ source: { freeBusy: async () => [] }, presence, ...options });
  apis.push(opened);
  return opened;
}
async function watch(all: Api, target = TARGET, headers: Readonly<Record<string, string>> = {}): Promise<EventStreamClient> {
  const client = new EventStreamClient(all.url, target, headers);
  clients.push(client);
  await client.answered();
  return client;
}
/** The server notices a moment later that somebody has gone. */
async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
const body = (address: string, state: string): object => ({ address, state, until: '2026-03-02T10:00:00.000Z', since: '2026-03-02T09:00:00.000Z', reason: 'calendar', text: state === 'in-a-meeting' ? 'In a meeting' : '', language: 'en' });

describe('GET /api/v1/presence/events', () => {
  it('tells every change, with its id, and who is withdrawn', async () => {
    const client = await watch(await api());
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    presence.show('anna@corp.example', shownAs('in-a-meeting'));
    presence.show('anna@corp.example', undefined);
    await client.until(() => client.events.length === 2);
    expect(client.events).toEqual([
      { id: 'p1-1', event: 'presence', data: body('anna@corp.example', 'in-a-meeting') },
      { id: 'p1-2', event: 'withdrawn', data: { address: 'anna@corp.example' } },
    ]);
  });

  it('ends with the token or certificate that its watcher signed in with, and not before', async () => {
    const client = await watch(await api({ signedInForMs: 300 }));
    expect(client.status).toBe(200);
    await client.closed();
    const over = await watch(await api({ signedInForMs: -1 }));
    await over.closed();
    // Longer than Node's timers can be: one that went wrong would end at once.
    const lasting = await watch(await api({ signedInForMs: 2 ** 40 }));
    presence.show('anna@corp.example', shownAs('in-a-meeting'));
    await lasting.until(() => lasting.events.length === 1);
  });

  it('replays what was missed behind Last-Event-ID, in the header or the query, and goes on', async () => {
    const all = await api();
    for (let n = 1; n <= 5; n++) presence.show(`u${n}@corp.example`, shownAs('away'));
    for (const client of [await watch(all, TARGET, { 'Last-Event-ID': 'p1-2' }), await watch(all, `${TARGET}?lastEventId=p1-2`)]) {
      await client.until(() => client.events.length >= 3);
      expect(client.events.map(({ id }) => id)).toEqual(['p1-3', 'p1-4', 'p1-5']);
    }
    presence.show('u6@corp.example', shownAs('away'));
    for (const client of clients) await client.until(() => client.events.at(-1)?.id === 'p1-6');
  });

  it.each([['of another process', 'p0-3'], ['too old', 'p1-1'], ['of the future', 'p1-99'], ['nonsense', 'x'.repeat(5_000)]])('an id that is %s: reset, then everybody as they are now', async (_what, id) => {
    presence.keeps = 2;
    for (let n = 1; n <= 5; n++) presence.show(`u${n}@corp.example`, shownAs('away'));
    presence.show('u5@corp.example', undefined);
    const client = await watch(await api(), TARGET, { 'Last-Event-ID': id });
    await client.until(() => client.events.length === 5);
    expect(client.events[0]).toEqual({ id: undefined, event: 'reset', data: {} });
    expect(client.events.slice(1).map(({ id: none, data }) => [none, (data as { address: string }).address])).toEqual([1, 2, 3, 4].map((n) => [undefined, `u${n}@corp.example`]));
    // It would be told all of that again.
    expect(client.lastEventId).toBe('');
  });

  it('whoever was cut off before the first event is told everything when he comes back', async () => {
    const all = await api();
    const client = await watch(all);
    await client.until(() => client.lastEventId !== '');
    client.close();
    presence.show('anna@corp.example', shownAs('away'));
    const again = await watch(all, TARGET, { 'Last-Event-ID': client.lastEventId });
    await again.until(() => again.events.length === 2);
    expect(again.events.map(({ event }) => event)).toEqual(['reset', 'presence']);
  });

  it('begins with everybody where that is wanted', async () => {
    presence.show('anna@corp.example', shownAs('away'));
    const client = await watch(await api(), `${TARGET}?snapshot=true`);
    await client.until(() => client.events.length === 1);
    expect(client.events).toEqual([{ id: undefined, event: 'presence', data: body('anna@corp.example', 'away') }]);
  });

  it('only tells of those whom somebody names, by alias too', async () => {
    presence.aliases.set('a.alias@corp.example' as MailboxAddress, 'anna@corp.example' as MailboxAddress);
    const client = await watch(await api(), `${TARGET}?address=A.Alias%40corp.example&address=lee@corp.example&address=nonsense`);
    for (const name of ['kim@zimbra.example', 'anna@corp.example', 'other@corp.example', 'lee@corp.example']) presence.show(name, shownAs('away'));
    await client.until(() => client.events.length === 2);
    expect(client.events.map(({ data }) => (data as { address: string }).address)).toEqual(['anna@corp.example', 'lee@corp.example']);
    expect((await (await api()).get(`${TARGET}?${'address=a@b.example&'.repeat(501)}`)).status).toBe(400);
  });

  it('a thousand events reach every one of ten watchers, in order', async () => {
    const all = await api();
    for (let n = 0; n < 10; n++) await watch(all);
    for (let n = 1; n <= 1_000; n++) {
      presence.show(`u${n % 50}@corp.example`, shownAs(n % 2 === 0 ? 'away' : 'in-a-meeting'));
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const client of clients) {
      await client.until(() => client.events.length === 1_000);
      expect(client.events.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, n) => `p1-${n + 1}`));
    }
  });

  it('a replay of 20,000 arrives whole, and in order with what comes meanwhile', async () => {
    for (let n = 1; n <= 20_000; n++) presence.events.push({ id: `p1-${n}`, at: 0, mailbox: `u${n}@corp.example` as MailboxAddress, shown: shownAs('away') });
    presence.show('last@corp.example', shownAs('away'));
    const real = presence.subscribe.bind(presence);
    presence.subscribe = (listener) => {
      for (const event of presence.events) listener(event);
      return real(listener);
    };
    const client = await watch(await api(), TARGET, { 'Last-Event-ID': 'p1-0' });
    presence.show('meanwhile@corp.example', shownAs('away'));
    await client.until(() => client.events.length === 20_002);
    expect((client.events.at(-1)!.data as { readonly address: string }).address).toBe('meanwhile@corp.example');
    expect(client.events.slice(0, 3).map(({ id }) => id)).toEqual(['p1-1', 'p1-2', 'p1-3']);
  });

  it('one who takes nothing is cut off when too much waits; the others go on', async () => {
    const all = await api({ bounds: { waiting: 200 } });
    const [slow, quick] = [await watch(all), await watch(all)];
    slow.pause();
    // What the system buffers of a connection is soon full.
    const text = 'x'.repeat(20_000);
    let n = 0;
    while (presence.watchers === 2) {
      for (let many = 0; many < 50; many++) presence.show(`u${++n % 50}@corp.example`, shownAs('away', { text }));
      await quick.until(() => quick.events.length === n);
    }
    presence.show('after@corp.example', shownAs('away'));
    await quick.until(() => quick.events.length === n + 1);
    slow.resume();
    await slow.closed();
    expect(slow.events.length).toBeLessThan(n);
    // What it did get has no gap.
    expect(slow.events.map(({ id }) => id)).toEqual(Array.from({ length: slow.events.length }, (_, at) => `p1-${at + 1}`));
  });

  it('one who takes nothing for long is cut off, however little waits', async () => {
    const all = await api({ bounds: { keepAliveMs: 20, stallMs: 60 } });
    const slow = await watch(all);
    slow.pause();
    const text = shownAs('away', { text: 'x'.repeat(100_000) });
    for (let n = 0; n < 400; n++) presence.show('anna@corp.example', text);
    await eventually(() => presence.watchers === 0);
  });

  it('is kept alive by comments, and outlives the deadline of requests', async () => {
    const client = await watch(await api({ bounds: { keepAliveMs: 20 }, deadlineMs: 100 }));
    const opened = performance.now();
    await client.until(() => client.comments >= 3 && performance.now() - opened > 300);
    presence.show('anna@corp.example', shownAs('away'));
    await client.until(() => client.events.length === 1);
  });

  it('forgets whoever leaves', async () => {
    const slots = new StreamSlots();
    const client = await watch(await api({ slots }));
    expect([presence.watchers, slots.open]).toEqual([1, 1]);
    client.close();
    await eventually(() => presence.watchers === 0 && slots.open === 0);
  });

  it('is 503 for one too many, until another leaves', async () => {
    const all = await api({ slots: new StreamSlots(2) });
    await watch(all);
    const second = await watch(all);
    const third = await watch(all);
    expect([third.status, third.headers['retry-after']]).toEqual([503, '10']);
    second.close();
    await eventually(() => presence.watchers === 1);
    expect((await watch(all)).status).toBe(200);
  });

  it('ends for everybody with its configuration, and takes nobody any more; the process’s count goes on', async () => {
    const slots = new StreamSlots();
    const [old, next] = [await api({ slots }), await api({ slots })];
    const client = await watch(old);
    old.streams.end();
    await client.closed();
    expect((await watch(old)).status).toBe(503);
    await eventually(() => slots.open === 0);
    expect((await watch(next)).status).toBe(200);
    expect(slots.open).toBe(1);
  });

  it('goes on under the next configuration where its client stays the same, and is counted there', async () => {
    const slots = new StreamSlots();
    const [old, next] = [await api({ slots }), await api({ slots })];
    const client = await watch(old);
    old.streams.handOver(next.streams, (name) => name === ASKER.name);
    expect((await watch(old)).status).toBe(503);
    presence.show('anna@corp.example', shownAs('away'));
    await eventually(() => client.events.length === 1);
    expect(slots.open).toBe(1);
    // Again and again, as reloads come.
    next.streams.handOver((await api({ slots })).streams, () => false);
    await client.closed();
    await eventually(() => slots.open === 0 && presence.watchers === 0);
  });

  it('needs the right to see, and to have signed in', async () => {
    expect((await watch(await api({ requester: { ...ASKER, presence: 'none' } }))).status).toBe(403);
    expect((await watch(await api({ requester: new BridgeError('AUTH_REQUIRED', 'sign in first') }))).status).toBe(401);
    expect(presence.watchers).toBe(0);
  });

  it('HEAD says what it would be; another Accept is 406', async () => {
    const all = await api();
    expect(await ask(all.url, TARGET, { method: 'HEAD' })).toMatchObject({ status: 200, body: '', headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
    expect((await all.get(TARGET, { accept: 'application/json' })).status).toBe(406);
    expect(presence.watchers).toBe(0);
  });
});
