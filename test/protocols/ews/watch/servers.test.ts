import { describe, expect, it, vi } from 'vitest';
import type { Authentication } from '../../../../src/platform/http-client/authentication.ts';
import { ScriptedExchange } from './scripted-exchange.ts';
import type { Asked } from './scripted-exchange.ts';
import { at, bench, setOf } from './watch-bench.ts';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const accounts: Authentication[] = ['a', 'b'].map((username) => ({ kind: 'basic', username, password: 'secret' }));
const accountOf = ({ headers }: Asked): string => Buffer.from(String(headers.authorization).slice(6), 'base64').toString('utf8').split(':')[0]!;
const pair = async (): Promise<readonly [ScriptedExchange, ScriptedExchange]> => [await ScriptedExchange.start(), await ScriptedExchange.start()];

describe('subscriptions at several servers, by several accounts', () => {
  it.each(['pull', 'streaming'] as const)('%s: live where they were made, and are made anew at another server when that one is gone', async (notifications) => {
    const [first, second] = await pair();
    const { gateway, changes } = await bench({ exchange: first, servers: [first.url, second.url], notifications });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status()).toMatchObject({ method: notifications, live: 2 }));
    expect(second.asked).toHaveLength(0);
    await first.stop();
    await until(() => expect(second.operations('Subscribe').map((one) => one.as).sort()).toEqual([at('alice'), at('bob')]));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    // What happened in between is read.
    expect(changes.filter((one) => one === 'alice missed').length).toBeGreaterThan(0);
    await second.touch(at('alice'));
    await until(() => expect(changes.at(-1)).toBe('alice notified'));
  });

  it('pull: each is asked for with the account that it was made with', async () => {
    const exchange = await ScriptedExchange.start();
    const { gateway } = await bench({ exchange, accounts, notifications: 'pull', concurrency: 1 });
    gateway.watch.follow(setOf('alice', 'bob', 'carol'));
    await until(() => expect(exchange.operations('GetEvents').length).toBeGreaterThan(8));
    const madeBy = new Map(exchange.operations('Subscribe').map((one) => [one.as, accountOf(one)]));
    expect(new Set(madeBy.values())).toEqual(new Set(['a', 'b']));
    for (const asked of exchange.operations('GetEvents')) expect(accountOf(asked)).toBe(madeBy.get(asked.as));
    await gateway.close({ unsubscribe: true });
    expect(exchange.operations('Unsubscribe')).toHaveLength(3);
    for (const asked of exchange.operations('Unsubscribe')) expect(accountOf(asked)).toBe(madeBy.get(asked.as));
  });

  it('streaming: all of a stream are of one account', async () => {
    const exchange = await ScriptedExchange.start();
    const { gateway } = await bench({ exchange, accounts, notifications: 'streaming' });
    gateway.watch.follow(setOf('alice', 'bob', 'carol', 'dave'));
    await until(() => expect(gateway.watch.status().live).toBe(4));
    // openStream signs in by HttpClient's own means, which is not looked at here.
    expect(new Set(exchange.operations('Subscribe').map(accountOf)).size).toBe(1);
  });

  it('pull: a refused account hands its subscriptions over to the others', async () => {
    const exchange = await ScriptedExchange.start();
    const { gateway } = await bench({ exchange, accounts, notifications: 'pull', concurrency: 1 });
    gateway.watch.follow(setOf('alice', 'bob'));
    await until(() => expect(gateway.watch.status().live).toBe(2));
    exchange.refuse = (asked) => (accountOf(asked) === 'a' ? { status: 403 } : undefined);
    await until(() => expect(exchange.operations('Subscribe').filter((one) => accountOf(one) === 'b').map((one) => one.as)).toEqual(expect.arrayContaining([at('alice'), at('bob')])));
    await until(() => expect(gateway.watch.status().live).toBe(2));
  });
});
