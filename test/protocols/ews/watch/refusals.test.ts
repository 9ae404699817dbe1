import { describe, expect, it, vi } from 'vitest';
import { BridgeError, ERROR_CODES } from '../../../../src/core/errors.ts';
import { actionFor } from '../../../../src/protocols/ews/watch/error-action.ts';
import { responseCodeError } from '../../../../src/protocols/ews/response-code.ts';
import { at, bench, setOf } from './watch-bench.ts';
import type { Asked, Refusal } from './scripted-exchange.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const subscribing = (way: string, refusal: Refusal) => ({ operation, body }: Asked): Refusal | undefined => (operation === 'Subscribe' && body.includes(`${way}SubscriptionRequest`) ? refusal : undefined);

describe('what follows from an error (presence.md §B.3)', () => {
  it.each([
    ['ErrorSubscriptionNotFound', 'resubscribe'],
    ['ErrorExpiredSubscription', 'resubscribe'],
    ['ErrorInvalidSubscription', 'resubscribe'],
    ['ErrorReadEventsFailed', 'resubscribe'],
    ['ErrorInvalidWatermark', 'begin-anew'],
    ['ErrorMissedNotificationEvents', 'begin-anew'],
    ['ErrorExceededSubscriptionCount', 'hold-back'],
    ['ErrorExceededConnectionCount', 'hold-back'],
    ['ErrorProxyRequestNotAllowed', 'alone'],
    ['ErrorServerBusy', 'wait'],
    ['ErrorImpersonateUserDenied', 'mailbox'],
    ['ErrorNonExistentMailbox', 'mailbox'],
    ['ErrorMailboxStoreUnavailable', 'mailbox'],
    ['ErrorInvalidRequest', 'other-way'],
    ['ErrorSchemaValidation', 'other-way'],
    ['ErrorInvalidServerVersion', 'other-way'],
    ['Client', 'other-way'],
    ['ErrorNobodyHasHeardOf', 'retry'],
  ])('%s: %s', (code, action) => {
    expect(actionFor(responseCodeError(code))).toBe(action);
  });

  it('is decided for every error of the bridge; refused credentials are never about one mailbox, and 404 is a way that is not there', () => {
    for (const code of ERROR_CODES) expect(actionFor(new BridgeError(code, 'x'))).toMatch(/^[a-z-]+$/);
    expect(actionFor(new BridgeError('BACKEND_AUTH', 'x'))).toBe('sign-in');
    expect(actionFor(new BridgeError('BACKEND_FAULT', 'x', { details: { status: 404 } }))).toBe('other-way');
    expect(actionFor(new BridgeError('BACKEND_FAULT', 'x', { details: { status: 500 }, temporary: true }))).toBe('retry');
  });
});

describe('a server that refuses', () => {
  it.each([
    ['a fault', { code: 'ErrorInvalidServerVersion', isFault: true }],
    ['ErrorInvalidRequest', { code: 'ErrorInvalidRequest' }],
    ['ErrorSchemaValidation', { code: 'ErrorSchemaValidation', isFault: true }],
    ['no such page', { status: 404 }],
  ] as const)('one way as a whole (%s): the next is taken, said once, and the better one is tried again after an hour', async (_name, refusal) => {
    const { exchange, gateway, logged, pass } = await bench();
    exchange.refuse = subscribing('Push', refusal);
    gateway.watch.follow(setOf('alice', 'bob', 'carol'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'streaming', live: 3 }));
    expect(gateway.watch.status().trouble).toContain('push');
    expect(logged.filter((one) => one.level === 'warn').map((one) => one.message)).toEqual(['Exchange does not tell of changes by push: streaming from now on']);
    exchange.refuse = () => undefined;
    pass(HOUR + 1_000);
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'push', live: 3, trouble: undefined }));
    await until(() => expect([...exchange.subscriptions.values()].filter((one) => one.way !== 'push')).toEqual([]));
  });

  it('every way: calendars are polled, and a way that works is found again', async () => {
    const { exchange, gateway, pass } = await bench();
    exchange.refuse = ({ operation }) => (operation === 'Subscribe' ? { code: 'Client', isFault: true } : undefined);
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'poll', polled: 1 }));
    exchange.refuse = ({ operation, body }) => (operation === 'Subscribe' && !body.includes('PullSubscriptionRequest') ? { code: 'Client', isFault: true } : undefined);
    pass(HOUR + 1_000);
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'pull', live: 1 }));
  });

  it('streams by a redirect, which is not followed: pull', async () => {
    const { exchange, gateway } = await bench({ isReachable: false });
    exchange.refuse = ({ operation }) => (operation === 'GetStreamingEvents' ? { status: 302, headers: { location: 'https://other.example/EWS/Exchange.asmx' } } : undefined);
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'pull', live: 2 }));
    expect(gateway.watch.status().trouble).toContain('other.example');
  });

  it('the one way that was chosen: polled', async () => {
    const { exchange, gateway } = await bench({ notifications: 'streaming' });
    exchange.refuse = subscribing('Streaming', { code: 'ErrorInvalidRequest' });
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'poll', polled: 1 }));
  });

  it('a way for one mailbox, where it works for others: that is the mailbox\'s own trouble', async () => {
    const { exchange, gateway, troubles } = await bench();
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    exchange.refuse = ({ as }) => (as === at('bob') ? { code: 'ErrorInvalidRequest' } : undefined);
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(troubles.get('bob')).toContain('ErrorInvalidRequest'));
    expect(gateway.watch.status()).toMatchObject({ method: 'push', live: 1, polled: 1 });
  });

  it.each(['ErrorImpersonateUserDenied', 'ErrorNonExistentMailbox', 'ErrorMailboxStoreUnavailable'])('one mailbox (%s): it is said, the others go on, and it is tried again slowly', async (code) => {
    const { exchange, gateway, troubles, pass } = await bench();
    exchange.refuse = ({ as }) => (as === at('alice') ? { code, isFault: true } : undefined);
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.modeOf(at('bob'))).toBe('live'));
    await until(() => expect(troubles.get('alice')).toContain(code));
    expect(gateway.watch.modeOf(at('alice'))).toBe('polled');
    exchange.refuse = () => undefined;
    pass(14 * MINUTE);
    expect(gateway.watch.modeOf(at('alice'))).toBe('polled');
    pass(2 * MINUTE);
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    expect(troubles.get('alice')).toBeUndefined();
  });

  it('credentials: everything waits for minutes, after as few requests as were under way', async () => {
    const { exchange, gateway, pass, logged } = await bench({ concurrency: 1 });
    exchange.refuse = () => ({ status: 401 });
    gateway.watch.follow(setOf('a', 'b', 'c', 'd', 'e', 'f'));
    await until(() => expect(gateway.watch.status().trouble).toContain('401'));
    pass(4 * MINUTE);
    gateway.watch.follow(setOf('a', 'b', 'c', 'd', 'e', 'f', 'g'));
    expect(exchange.asked).toHaveLength(1);
    expect(logged.filter((one) => one.level === 'warn')).toHaveLength(1);
    exchange.refuse = () => undefined;
    pass(2 * MINUTE);
    await until(() => expect(gateway.watch.status()).toMatchObject({ live: 7, trouble: undefined }));
  });

  it.each([
    ['ErrorServerBusy with BackOffMilliseconds', { code: 'ErrorServerBusy', isFault: true, messageXml: '<t:Value xmlns:t="x" Name="BackOffMilliseconds">120000</t:Value>' }],
    ['503 with Retry-After', { status: 503, headers: { 'retry-after': '120' } }],
  ] as const)('because it is busy (%s): as long as it asks for', async (_name, refusal) => {
    const { exchange, gateway, pass } = await bench({ concurrency: 1 });
    exchange.refuse = () => refusal;
    gateway.watch.follow(setOf('a', 'b', 'c'));
    await until(() => expect(gateway.watch.status().trouble).toContain('busy'));
    exchange.refuse = () => undefined;
    pass(100_000);
    gateway.watch.follow(setOf('a', 'b', 'c', 'd'));
    expect(exchange.asked).toHaveLength(1);
    pass(21_000);
    await until(() => expect(gateway.watch.status()).toMatchObject({ live: 4 }));
  });

  it('more subscriptions than it grants: what there is stays, the rest is polled until later', async () => {
    const { exchange, gateway, pass, logged } = await bench({ concurrency: 1 });
    exchange.refuse = ({ operation }) => (operation === 'Subscribe' && exchange.subscriptions.size >= 2 ? { code: 'ErrorExceededSubscriptionCount' } : undefined);
    gateway.watch.follow(setOf('a', 'b', 'c', 'd', 'e'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ live: 2, polled: 3 }));
    expect(gateway.watch.status().trouble).toContain('no more');
    expect(exchange.operations('Subscribe')).toHaveLength(3);
    expect(logged.filter((one) => one.level === 'warn')).toHaveLength(1);
    exchange.refuse = () => undefined;
    pass(11 * MINUTE);
    await until(() => expect(gateway.watch.status()).toMatchObject({ live: 5, trouble: undefined }));
  });

  it('more streams than it grants: their calendars are polled until later', async () => {
    const { exchange, gateway, pass } = await bench({ isReachable: false });
    exchange.refuse = ({ operation }) => (operation === 'GetStreamingEvents' ? { code: 'ErrorExceededConnectionCount' } : undefined);
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: 'streaming', polled: 1 }));
    exchange.refuse = () => undefined;
    pass(11 * MINUTE);
    await until(() => expect(gateway.watch.status()).toMatchObject({ live: 1 }));
  });

  it('to proxy one mailbox together with others: it gets a stream of its own', async () => {
    const { exchange, gateway } = await bench({ isReachable: false });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    const { id } = exchange.of(at('bob'));
    exchange.stream(id, `<m:ErrorSubscriptionIds><t:SubscriptionId>${id}</t:SubscriptionId></m:ErrorSubscriptionIds>`, 'ErrorProxyRequestNotAllowed');
    await until(() => expect([...exchange.streams.values()].some((ids) => ids.length === 1 && ids[0] === exchange.of(at('bob')).id)).toBe(true));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    expect(exchange.operations('GetStreamingEvents').at(-1)!.as).toBe(at('bob'));
  });

  it('to open the anchor\'s mailbox: the others get another anchor', async () => {
    const { exchange, gateway, troubles } = await bench({ isReachable: false, concurrency: 1 });
    exchange.refuse = ({ operation, as }) => (operation === 'GetStreamingEvents' && as === at('alice') ? { code: 'ErrorImpersonateUserDenied', isFault: true } : undefined);
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.modeOf(at('bob'))).toBe('live'));
    expect(troubles.get('alice')).toContain('ErrorImpersonateUserDenied');
    expect(troubles.has('bob')).toBe(false);
  });

  it('the watermark: it is given up, and everything is read again', async () => {
    const { exchange, gateway, changes } = await bench();
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('live'));
    exchange.refuse = ({ operation, body }) => (operation === 'Subscribe' && body.includes('Watermark') ? { code: 'ErrorInvalidWatermark' } : undefined);
    exchange.loseEvent(exchange.of(at('alice')));
    await exchange.touch(at('alice'));
    await until(() => expect(changes.filter((one) => one === 'alice resubscribed')).toHaveLength(2));
    const bodies = exchange.operations('Subscribe').map((one) => one.body.includes('Watermark'));
    expect(bodies).toEqual([false, true, false]);
  });

  it('nobody there: growing pauses, and soon well again', async () => {
    const { exchange, gateway, pass } = await bench();
    exchange.refuse = () => ({ status: 503, headers: { 'retry-after': '1' } });
    gateway.watch.follow(setOf('alice'));
    await until(() => expect(gateway.watch.modeOf(at('alice'))).toBe('polled'));
    exchange.refuse = () => undefined;
    await until(() => {
      pass(2_000);
      expect(gateway.watch.modeOf(at('alice'))).toBe('live');
    });
  });
});
