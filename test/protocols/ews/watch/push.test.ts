import { describe, expect, it, vi } from 'vitest';
import { memoryTexts } from '../../../../src/presence/publisher.ts';
import { at, bench, setOf } from './watch-bench.ts';
import { eventXml, mark, ScriptedExchange, sendNotification, sendNotificationError } from './scripted-exchange.ts';

const MINUTE = 60_000;
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });

describe('push subscriptions (presence.md §B.1)', () => {
  it('are made for each mailbox in its owner\'s name, are hinted until Exchange has called, and live from then on', async () => {
    const { exchange, gateway, changes } = await bench();
    exchange.callsAtOnce = false;
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(changes).toEqual(expect.arrayContaining(['alice resubscribed', 'bob resubscribed'])));
    expect(exchange.operations('Subscribe').map((one) => one.as).sort()).toEqual([at('alice'), at('bob')]);
    expect(exchange.of(at('alice'))).toMatchObject({ way: 'push', frequency: 60 });
    expect(exchange.of(at('alice')).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{27}$/);
    expect(gateway.watch.modeOf(at('alice'))).toBe('hinted');
    await exchange.status(exchange.of(at('alice')));
    expect(gateway.watch.modeOf(at('alice'))).toBe('live');
    expect(gateway.watch.modeOf(at('bob'))).toBe('hinted');
    expect(gateway.watch.modeOf(at('carol'))).toBe('starting');
    expect(gateway.watch.status()).toMatchObject({ method: 'push', live: 1, hinted: 1, polled: 0, starting: 0, moving: 0, trouble: undefined });
    expect(changes).toHaveLength(2);
  });

  it('an event is answered OK and told once, however often it comes', async () => {
    const { exchange, gateway, changes } = await bench();
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    const subscription = exchange.of(at('alice'));
    await exchange.touch(at('alice'));
    expect(exchange.answers.at(-1)).toMatchObject({ status: 200, body: expect.stringContaining('>OK<') as string });
    const again = sendNotification(subscription.id, subscription.watermark - 1, eventXml(subscription.watermark));
    expect((await exchange.call(subscription, again)).body).toContain('>OK<');
    expect(changes).toEqual(['alice resubscribed', 'alice notified']);
    expect(exchange.operations('Subscribe')).toHaveLength(1);
  });

  it('a call that overtakes the answer to Subscribe counts', async () => {
    const { exchange, gateway } = await bench();
    exchange.callsAtOnce = false;
    let release = (): void => undefined;
    exchange.delaySubscribe = new Promise<void>((resolve) => (release = resolve));
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(exchange.operations('Subscribe')).toHaveLength(1));
    const url = /<t:URL>([^<]+)</.exec(exchange.operations('Subscribe')[0]!.body)![1]!;
    // The ids of the script are known beforehand: the first number is the watermark, the second the id.
    const early = { id: 'sub-2', way: 'push', mailbox: at('alice'), url, frequency: 60, watermark: 1, events: [] } as const;
    expect((await exchange.call({ ...early, events: [] }, sendNotification('sub-2', 1, eventXml(1, 'StatusEvent')))).body).toContain('>OK<');
    release();
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
  });

  it('a gap in the watermarks is a missed event: read again, and subscribed anew from the last one known', async () => {
    const { exchange, gateway, changes } = await bench();
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    const former = exchange.of(at('alice'));
    const known = former.watermark;
    exchange.loseEvent(former);
    await exchange.touch(at('alice'));
    expect(exchange.answers.at(-1)!.body).toContain('>Unsubscribe<');
    await until(() => expect(exchange.operations('Subscribe')).toHaveLength(2));
    expect(exchange.operations('Subscribe')[1]!.body).toContain(`<t:Watermark>${mark(known)}</t:Watermark>`);
    await until(() => expect(changes.filter((one) => one === 'alice resubscribed')).toHaveLength(2));
    expect(changes).toContain('alice missed');
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
  });

  it('the error form ends it, and it is made again', async () => {
    const { exchange, gateway } = await bench();
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    const former = exchange.of(at('alice'));
    expect((await exchange.call(former, sendNotificationError(former.id, 'ErrorReadEventsFailed'))).body).toContain('>Unsubscribe<');
    await until(() => expect(exchange.of(at('alice')).id).not.toBe(former.id));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
  });

  it('another id on the path, and any notification on a path that is nobody\'s, are answered Unsubscribe and change nothing', async () => {
    const { exchange, gateway, changes, callBack } = await bench();
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    const forged = { ...exchange.of(at('alice')), id: 'forged' };
    expect((await exchange.call(forged, sendNotification('forged', 1, eventXml(99)))).body).toContain('>Unsubscribe<');
    expect((await exchange.call(forged, sendNotificationError('forged', 'ErrorReadEventsFailed'))).body).toContain('>Unsubscribe<');
    const orphan = { ...forged, url: `http://127.0.0.1:${callBack!.port}/of-a-former-life` };
    expect((await exchange.call(orphan, sendNotification('old', 1, eventXml(99)))).body).toContain('>Unsubscribe<');
    expect(await exchange.call(orphan, 'hello')).toMatchObject({ status: 404, body: '' });
    expect(await exchange.call(exchange.of(at('alice')), '<no/>')).toMatchObject({ status: 400 });
    expect(changes).toEqual(['alice resubscribed']);
    expect(gateway.watch.modeOf(at('alice'))).toBe('live');
  });

  it('the watchdog: nothing for twice the frequency, and it is made again (A44)', async () => {
    const { exchange, gateway, pass, changes } = await bench({ statusFrequencyMinutes: 10 });
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    pass(19 * MINUTE);
    await exchange.status(exchange.of(at('alice')));
    pass(19 * MINUTE);
    await exchange.status(exchange.of(at('alice')));
    expect(exchange.operations('Subscribe')).toHaveLength(1);
    pass(21 * MINUTE);
    await until(() => expect(exchange.operations('Subscribe')).toHaveLength(2));
    await until(() => expect(changes.at(-1)).toBe('alice resubscribed'));
  });

  it('the watermark outlives the process; one of more than 29 days does not, nor one of somebody who left', async () => {
    const memory = memoryTexts();
    const exchange = await ScriptedExchange.start();
    const first = await bench({ exchange, memory });
    first.gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(first.gateway.watch.status().live).toBe(2));
    await exchange.touch(at('alice'));
    const known = exchange.of(at('alice')).watermark;
    first.gateway.watch.follow(setOf('alice'));
    expect([...memory.keys()]).toEqual(['ews-watermark:Exchange EWS 1:alice@corp.example']);
    await first.gateway.close();

    const second = await bench({ exchange, memory });
    second.gateway.watch.follow(setOf('alice'));
    await until(() => expect(second.gateway.watch.modeOf(at('alice'))).toBe('live'));
    expect(exchange.operations('Subscribe').at(-1)!.body).toContain(`<t:Watermark>${mark(known)}</t:Watermark>`);
    await second.gateway.close();

    const third = await bench({ exchange, memory });
    third.pass(30 * 24 * 60 * MINUTE);
    third.gateway.watch.follow(setOf('alice'));
    await until(() => expect(third.gateway.watch.status().live).toBe(1));
    expect(exchange.operations('Subscribe').at(-1)!.body).not.toContain('Watermark');
  });

  it('whoever is not followed any more has no path; Exchange is told at its next call', async () => {
    const { exchange, gateway, changes } = await bench();
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    gateway.watch.follow(setOf('bob'));
    await exchange.touch(at('alice'));
    expect(exchange.answers.at(-1)!.body).toContain('>Unsubscribe<');
    expect(changes).not.toContain('alice notified');
    await exchange.touch(at('bob'));
    expect(changes).toContain('bob notified');
  });

  it('a port that moves takes its subscriptions with it, one after the other; the old one is open until then (A63)', async () => {
    const { exchange, gateway, changes, callBack } = await bench({ concurrency: 1 });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    const oldPort = callBack!.port;
    let release = (): void => undefined;
    exchange.delaySubscribe = new Promise<void>((resolve) => (release = resolve));
    await callBack!.rebind({ host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' });
    expect(callBack!.port).not.toBe(oldPort);
    expect(gateway.watch.status()).toMatchObject({ moving: 2, live: 2 });
    await exchange.touch(at('alice'));
    expect(changes).toContain('alice notified');
    release();
    await until(() => expect(gateway.watch.status()).toMatchObject({ moving: 0, live: 2 }));
    expect(exchange.of(at('alice')).url).toContain(`:${callBack!.port}/`);
    expect(changes).toContain('bob renewed');
    await until(() => expect(callBack!.oldPorts).toBe(0));
  });

  it.each(['gradual', 'now'] as const)('a changed frequency, applied %s (A45)', async (apply) => {
    const { exchange, gateway } = await bench();
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    gateway.update({ statusFrequencyMinutes: 5, apply });
    // Gradually: when Exchange next speaks.
    if (apply === 'gradual') await exchange.status(exchange.of(at('alice')));
    await until(() => expect(exchange.of(at('alice')).frequency).toBe(5));
    if (apply === 'gradual') expect(exchange.of(at('bob')).frequency).toBe(60);
    else await until(() => expect(exchange.of(at('bob')).frequency).toBe(5));
    await until(() => expect(gateway.watch.status().live).toBe(2));
  });

  it('where Exchange accepts it and never calls, `auto` takes the next way', async () => {
    const { exchange, gateway, pass, logged } = await bench();
    exchange.callsAtOnce = false;
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('hinted'));
    pass(11 * MINUTE);
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'streaming', live: 1 }));
    expect(logged.filter((one) => one.level === 'warn')).toHaveLength(1);
  });
});
