import { describe, expect, it, vi } from 'vitest';
import { at, bench, setOf } from './watch-bench.ts';
import { eventXml } from './scripted-exchange.ts';

const MINUTE = 60_000;
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const many = (count: number): ReadonlySet<ReturnType<typeof at>> => setOf(...Array.from({ length: count }, (_, index) => `p${index}`));

describe('streaming subscriptions (presence.md §B.2)', () => {
  it('are live when the stream that has them speaks, and what it says is told', async () => {
    const { exchange, gateway, changes } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'streaming', live: 2, moving: 0 }));
    await exchange.touch(at('alice'), 'FreeBusyChangedEvent');
    await until(() => expect(changes).toContain('alice notified'));
    expect(changes).not.toContain('bob notified');
    exchange.stream(exchange.of(at('bob')).id, `<m:Notifications><m:Notification><t:SubscriptionId>${exchange.of(at('bob')).id}</t:SubscriptionId>${eventXml(undefined, 'StatusEvent')}</m:Notification></m:Notifications>`);
    await exchange.touch(at('alice'));
    await until(() => expect(changes.filter((one) => one === 'alice notified')).toHaveLength(2));
    expect(changes).not.toContain('bob notified');
  });

  it('ask in the schema of 2010 SP1, keep to one server, and open the stream in the name of the anchor', async () => {
    const { exchange, gateway } = await bench({ isReachable: false, concurrency: 1 });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    const [first, second] = exchange.operations('Subscribe');
    expect(first!.body).toContain('Version="Exchange2010_SP1"');
    expect(first!.headers).toMatchObject({ 'x-anchormailbox': at('alice'), 'x-preferserveraffinity': 'true' });
    expect(second!.headers).toMatchObject({ 'x-anchormailbox': at('alice'), cookie: 'X-BackEndOverrideCookie=exch07~1942' });
    expect(second!.as).toBe(at('bob'));
    const stream = exchange.operations('GetStreamingEvents').at(-1)!;
    expect(stream).toMatchObject({ as: at('alice') });
    expect(stream.headers).toMatchObject({ 'x-anchormailbox': at('alice'), 'accept-encoding': 'identity' });
    expect(stream.body).toContain('<m:ConnectionTimeout>30</m:ConnectionTimeout>');
  });

  it('no stream has more than 200', async () => {
    const { exchange, gateway } = await bench({ isReachable: false, concurrency: 8, timing: { tickMs: 20, settleMs: 100, silenceMs: 10_000, pauses: { firstMs: 10, longestMs: 60_000 } } });
    gateway.watch.follow(many(205));
    await until(() => expect(gateway.watch.status().live).toBe(205));
    await until(() => expect([...exchange.streams.values()].map((ids) => ids.length).reduce((sum, one) => sum + one, 0)).toBe(205));
    expect(Math.max(...exchange.operations('GetStreamingEvents').map((one) => [...one.body.matchAll(/<t:SubscriptionId>/g)].length))).toBe(200);
  });

  it('a stream that is closed as agreed is opened again with the same ids, and nothing is read anew', async () => {
    const { exchange, gateway, changes, pass } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.status().live).toBe(1));
    const { id } = exchange.of(at('alice'));
    pass(30 * MINUTE);
    exchange.stream(id, '<m:ConnectionStatus>Closed</m:ConnectionStatus>');
    await until(() => expect(exchange.operations('GetStreamingEvents')).toHaveLength(2));
    expect(exchange.operations('GetStreamingEvents')[1]!.body).toContain(id);
    await until(() => expect(exchange.streams.size).toBe(1));
    expect(changes).toEqual(['alice resubscribed']);
    expect(exchange.operations('Subscribe')).toHaveLength(1);
  });

  it('a stream that breaks is hinted meanwhile, opened again, and what was lost is read', async () => {
    const { exchange, gateway, changes, pass } = await bench({ isReachable: false, timing: { tickMs: 5, settleMs: 0, silenceMs: 10_000, pauses: { firstMs: 1_000, longestMs: 60_000 } } });
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.status().live).toBe(1));
    for (const response of exchange.streams.keys()) response.destroy();
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('hinted'));
    pass(2_000);
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    expect(changes).toEqual(['alice resubscribed', 'alice missed']);
    expect(exchange.operations('Subscribe')).toHaveLength(1);
  });

  it('where it cannot be opened again, calendars are read without it: whoever cannot read them either knows that nothing is known', async () => {
    const { exchange, gateway, changes, pass } = await bench({ isReachable: false, timing: { tickMs: 5, settleMs: 0, silenceMs: 10_000, pauses: { firstMs: 10, longestMs: 60_000 } } });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    const before = changes.length;
    exchange.refuse = ({ operation }) => (operation === 'GetStreamingEvents' ? { code: 'ErrorInternalServerError' } : undefined);
    for (const response of exchange.streams.keys()) response.destroy();
    await until(() => {
      pass(1_000);
      expect(changes.slice(before).sort()).toEqual(['alice missed', 'bob missed']);
    });
    expect(gateway.watch.modeOf(at('alice'))).toBe('hinted');
  });

  it('silence is a dead connection', async () => {
    const { exchange, gateway, changes, pass } = await bench({ isReachable: false, timing: { tickMs: 5, settleMs: 0, silenceMs: 300, pauses: { firstMs: 60_000, longestMs: 60_000 } } });
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(changes).toContain('alice resubscribed'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('hinted'));
    pass(2 * MINUTE);
    await until(() => expect(changes).toContain('alice missed'));
    expect(exchange.operations('GetStreamingEvents').length).toBeGreaterThan(1);
  });

  it('ids that the server does not know are subscribed anew, the others stay', async () => {
    const { exchange, gateway, changes, pass } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    const { id } = exchange.of(at('alice'));
    const bob = exchange.of(at('bob')).id;
    exchange.subscriptions.delete(id);
    pass(30 * MINUTE);
    exchange.stream(id, `<m:ErrorSubscriptionIds><t:SubscriptionId>${id}</t:SubscriptionId></m:ErrorSubscriptionIds><m:ConnectionStatus>Closed</m:ConnectionStatus>`, 'ErrorSubscriptionNotFound');
    await until(() => expect(changes.filter((one) => one === 'alice resubscribed')).toHaveLength(2));
    pass(MINUTE);
    await until(() => expect(gateway.watch.status().live).toBe(2));
    expect(exchange.of(at('bob')).id).toBe(bob);
    expect(exchange.of(at('alice')).id).not.toBe(id);
  });

  it('garbage and an envelope without end cut the connection, not the gateway', async () => {
    const { exchange, gateway, pass } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice'));
    for (const rubbish of ['<html>a logon page</html></s:Envelope>', 'x'.repeat(3 << 20)]) {
      await until(() => {
        pass(30_000);
        expect(gateway.watch.modeOf(at('alice'))).toBe('live');
      });
      for (const response of exchange.streams.keys()) response.write(rubbish);
      await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('hinted'));
    }
  });

  it('somebody who leaves is unsubscribed, and the stream goes on for the others', async () => {
    const { exchange, gateway, changes } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    gateway.watch.follow(setOf('bob'));
    await until(() => expect([...exchange.subscriptions.values()].map((one) => one.mailbox)).toEqual([at('bob')]));
    await exchange.touch(at('bob'));
    await until(() => expect(changes).toContain('bob notified'));
  });

  it('takes leave of Exchange at the end, where it is told to', async () => {
    const { exchange, gateway } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice', 'bob', 'carol'));
    await until(() => expect(gateway.watch.status().live).toBe(3));
    await gateway.close({ unsubscribe: true });
    expect(exchange.subscriptions.size).toBe(0);
    await gateway.close();
  });
});

describe('pull subscriptions (presence.md §B.3)', () => {
  it('are asked time after time, from the last watermark on', async () => {
    const { exchange, gateway, changes } = await bench({ notifications: 'pull' });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'pull', live: 2 }));
    await exchange.touch(at('alice'));
    await until(() => expect(changes).toContain('alice notified'));
    expect(changes).not.toContain('bob notified');
    expect(exchange.operations('GetEvents').every((one) => one.as !== '')).toBe(true);
    exchange.subscriptions.delete(exchange.of(at('alice')).id);
    await until(() => expect(changes.filter((one) => one === 'alice resubscribed')).toHaveLength(2));
    await gateway.close({ unsubscribe: true });
    expect(exchange.subscriptions.size).toBe(0);
  });
});

describe('poll', () => {
  it('subscribes to nothing', async () => {
    const { exchange, gateway } = await bench({ notifications: 'poll' });
    gateway.watch.follow(setOf('alice'));
    expect(gateway.watch.modeOf(at('alice'))).toBe('polled');
    expect(gateway.watch.status()).toMatchObject({ method: 'poll', polled: 1 });
    const start = Date.parse('2026-03-10T08:00:00Z');
    const [result] = await gateway.source.freeBusy({ mailboxes: [at('alice')], window: { start, end: start + 3_600_000 }, details: false }, { requestId: 't', requester: { name: 't', from: 'outside', mayAsk: 'all', detail: 'none', anonymous: false, presence: 'none' }, hops: 0, deadline: Date.now() + 5_000, signal: new AbortController().signal });
    expect(result).toHaveProperty('freeBusy');
    expect(exchange.asked.map((one) => one.operation)).toEqual(['GetUserAvailability']);
  });
});
