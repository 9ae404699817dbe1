import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisConnection } from '../../src/platform/redis/redis-store.ts';
import { FailureStore } from '../../src/replication/failure-store.ts';
import { mailbox, sleep } from './queue-bed.ts';
import { CAN_REDIS, startRedis } from './redis-server.ts';
import type { TestRedis } from './redis-server.ts';
import { turnsDuring } from '../event-loop-turns.ts';

const [anna, bert] = [mailbox(1), mailbox(2)];
const DENIED = { code: 'NO_DATA', reason: 'denied' };

describe.runIf(CAN_REDIS)('the record of failures', () => {
  let redis: TestRedis;
  let commands: RedisConnection;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.flush();
    commands = (await redis.store()).commands;
  });

  it('keeps the first time, the last reason and the number of all tries', async () => {
    const failures = new FailureStore('a-b');
    await failures.record(commands, anna, DENIED, 1_000, 1);
    await failures.record(commands, anna, { code: 'BACKEND_FAULT', reason: 'refused' }, 5_000, 8);
    expect(await failures.oldest(commands, 10)).toEqual([{ mailbox: anna, code: 'BACKEND_FAULT', reason: 'refused', since: 1_000, lastAt: 5_000, attempts: 9 }]);
  });

  it('lists the oldest first, and leaves out what cannot be read', async () => {
    const failures = new FailureStore('a-b');
    await failures.record(commands, bert, DENIED, 2_000, 1);
    await failures.record(commands, anna, DENIED, 1_000, 1);
    const [key] = await commands.keys('*');
    await commands.hset(key!, mailbox(3), '{"c":1}', mailbox(4), 'x');
    expect((await failures.oldest(commands, 10)).map((one) => one.mailbox)).toEqual([anna, bert]);
    await failures.record(commands, mailbox(4), DENIED, 3_000, 1);
    expect((await failures.oldest(commands, 10)).at(-1)).toMatchObject({ mailbox: mailbox(4), since: 3_000, attempts: 1 });
  });

  it('of tens of thousands, lists the oldest while others run, and names all', async () => {
    const failures = new FailureStore('a-b');
    await failures.record(commands, anna, DENIED, 30_000, 1);
    const [key] = await commands.keys('*');
    const pipeline = commands.pipeline();
    for (let n = 2; n <= 60_000; n += 1) pipeline.hset(key!, mailbox(n), JSON.stringify({ c: 'BACKEND_FAULT', r: 'the server answered with something', s: 100_000 - n, l: 2, n: 3 }));
    await pipeline.exec();
    let oldest: Awaited<ReturnType<FailureStore['oldest']>> = [];
    const turns = await turnsDuring(async () => {
      oldest = await failures.oldest(commands, 1_000);
    });
    // LIMITS.failuresPerPage at a time.
    expect(turns).toBeGreaterThanOrEqual(60);
    expect(oldest).toHaveLength(1_000);
    expect(oldest[0]).toMatchObject({ mailbox: anna });
    expect(oldest.slice(1, 4).map((one) => one.mailbox)).toEqual([mailbox(60_000), mailbox(59_999), mailbox(59_998)]);
    expect((await failures.mailboxes(commands)).length).toBe(60_000);
  });

  it('a success takes away what another process recorded, a second after it was recorded at the latest', async () => {
    const [here, there] = [new FailureStore('a-b'), new FailureStore('a-b')];
    await here.clear(commands, anna);
    await there.record(commands, anna, DENIED, 1_000, 1);
    await sleep(1_050);
    await here.clear(commands, anna);
    expect(await here.count(commands)).toBe(0);
  });

  it('a success takes away at once what this process recorded', async () => {
    const failures = new FailureStore('a-b');
    await failures.clear(commands, anna);
    await failures.record(commands, anna, DENIED, 1_000, 1);
    await failures.record(commands, bert, DENIED, 1_000, 1);
    await failures.clear(commands, anna);
    expect((await failures.oldest(commands, 10)).map((one) => one.mailbox)).toEqual([bert]);
  });

  it('counts what it takes away', async () => {
    const failures = new FailureStore('a-b');
    expect(await failures.remove(commands, 'all')).toBe(0);
    await failures.record(commands, anna, DENIED, 1_000, 1);
    await failures.record(commands, bert, DENIED, 1_000, 1);
    expect(await failures.remove(commands, [anna, mailbox(3)])).toBe(1);
    expect(await failures.remove(commands, 'all')).toBe(1);
    expect(await failures.count(commands)).toBe(0);
  });
});
