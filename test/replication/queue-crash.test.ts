import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { FAST, killProcesses, mailbox, openQueue, sleep, startProcess, until } from './queue-bed.ts';
import type { QueueProcess, TestQueue } from './queue-bed.ts';
import { CAN_REDIS, startRedis } from './redis-server.ts';
import type { TestRedis, TestStore } from './redis-server.ts';

const anna = mailbox(1);
const built = existsSync(join(import.meta.dirname, '../../dist/replication/queue.js'));

describe.runIf(CAN_REDIS && built)('the replication queue, when something dies', () => {
  let redis: TestRedis;
  let store: TestStore;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.close());
  afterEach(killProcesses);
  beforeEach(async () => {
    await redis.flush();
    store = await redis.store();
  });

  /** As a user would: first the calendar, then somebody tells of it. */
  async function change(queue: TestQueue, who: string): Promise<void> {
    await store.commands.hincrby('calendar', who, 1);
    await queue.add([who as typeof anna]);
  }

  async function isEverythingWritten(): Promise<boolean> {
    const [calendar, sink] = await Promise.all([store.commands.hgetall('calendar'), store.commands.hgetall('sink')]);
    return Object.entries(calendar).every(([who, value]) => sink[who] === value);
  }

  it('a change that comes during a stalled job leads to a turn that begins after it', async () => {
    const queue = openQueue(store);
    const stalled = await startProcess(redis.socket, 60_000);
    await change(queue, anna);
    await until('it runs there', () => stalled.lines.some(({ begin }) => begin === anna));
    stalled.signal('SIGSTOP');
    await sleep(1_000);
    // The lock is over, nobody has looked yet: the job lies among those that run.
    await change(queue, anna);
    const changed = Date.now();
    const turns: number[] = [];
    queue.start(async () => {
      turns.push(Date.now());
      await store.commands.hset('sink', anna, (await store.commands.hget('calendar', anna))!);
      return [];
    });
    await until('it was written', isEverythingWritten);
    expect(turns.at(-1)).toBeGreaterThanOrEqual(changed);
    await stalled.kill();
    await queue.close(0);
  });

  it('one whose worker was killed is found, and changes before, during and after that are written', async () => {
    const queue = openQueue(store);
    const first = await startProcess(redis.socket, 60_000);
    await change(queue, anna);
    await until('it runs', () => first.lines.some(({ begin }) => begin === anna));
    await change(queue, anna);
    await first.kill();
    await change(queue, anna);
    const second = await startProcess(redis.socket, 10);
    await until('it was written', isEverythingWritten);
    await change(queue, anna);
    await until('it was written again', isEverythingWritten);
    await second.kill();
    await queue.close(0);
  });

  it('one whose workers are killed again and again is found each time, though nothing changes any more', async () => {
    const queue = openQueue(store);
    await change(queue, anna);
    for (let round = 0; round < 3; round += 1) {
      const victim = await startProcess(redis.socket, 60_000);
      await until('it runs', () => victim.lines.some(({ begin }) => begin === anna));
      await victim.kill();
    }
    const last = await startProcess(redis.socket, 10);
    await until('it was written', isEverythingWritten);
    await last.kill();
    await queue.close(0);
  });

  it('a process that was away for a while and goes on writing what it had read is overruled by a turn after it', async () => {
    const queue = openQueue(store);
    const sleeper = await startProcess(redis.socket, 1_000);
    await change(queue, anna);
    await until('it runs there', () => sleeper.lines.some(({ begin }) => begin === anna));
    sleeper.signal('SIGSTOP');
    const other = await startProcess(redis.socket, 10);
    await change(queue, anna);
    await until('the other one wrote the newest', isEverythingWritten);
    // And has come to rest.
    await sleep(500);
    sleeper.signal('SIGCONT');
    await until('the old one was written', () => sleeper.lines.some(({ end, value }) => end === anna && value === '1'));
    await until('and overruled', isEverythingWritten);
    expect(await store.commands.hget('sink', anna)).toBe('2');
    await Promise.all([sleeper.kill(), other.kill()]);
    await queue.close(0);
  });

  it('nothing that was acknowledged is lost by killing the workers again and again', async () => {
    const queue = openQueue(store);
    let worker: QueueProcess = await startProcess(redis.socket, 5);
    const end = Date.now() + 6_000;
    let acknowledged = 0;
    const load = (async () => {
      while (Date.now() < end) {
        await change(queue, mailbox(Math.floor(Math.random() * 60)));
        acknowledged += 1;
        await sleep(2);
      }
    })();
    for (let round = 0; round < 6; round += 1) {
      await sleep(800);
      await worker.kill();
      worker = await startProcess(redis.socket, 5);
    }
    await load;
    await until('everything was written', isEverythingWritten, 15_000);
    expect(acknowledged).toBeGreaterThan(200);
    await worker.kill();
    await queue.close(0);
  }, 40_000);

  describe('Redis', () => {
    const refused = { code: 'STORE_UNAVAILABLE', temporary: true };

    it('that hangs lets add fail in time, and everything goes on when it answers again', async () => {
      const queue = openQueue(store);
      const seen: string[] = [];
      queue.start(async (turn) => {
        seen.push(turn.mailbox);
        return [];
      });
      await queue.add([anna]);
      await until('it ran', () => seen.length === 1);
      redis.signal('SIGSTOP');
      const begin = Date.now();
      await expect(queue.add([anna])).rejects.toMatchObject(refused);
      expect(Date.now() - begin).toBeLessThan(5_000);
      await expect(queue.report()).rejects.toMatchObject(refused);
      redis.signal('SIGCONT');
      await until('it takes changes again', () => queue.add([mailbox(2)]).then(() => true, () => false));
      await until('they are worked on', () => seen.includes(mailbox(2)));
      await queue.close(0);
    }, 30_000);

    it('that hangs holds up no end, and nobody talks to it afterwards', async () => {
      const pipes = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
      const before = pipes();
      const own = await redis.store();
      await until('it is connected', () => pipes() > before);
      const queue = openQueue(own, { timing: { ...FAST, turnMs: 20_000, settleMs: 4_000 } });
      let isOver = false;
      queue.start(async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        isOver = true;
        throw new BridgeError('DEADLINE', 'over', { temporary: true });
      });
      await queue.add([anna]);
      await until('it runs', async () => (await queue.depth()).running === 1);
      redis.signal('SIGSTOP');
      try {
        // The worker has waited in vain for as long as it takes to begin to connect anew.
        await sleep(2_500);
        const begin = Date.now();
        await queue.close(100);
        expect(isOver).toBe(true);
        expect(Date.now() - begin).toBeLessThan(2_000);
        const { length } = queue.log;
        // What is left is the store's own.
        await until('its connections are gone', () => pipes() <= before + 1, 1_000);
        // What BullMQ had begun before would have come by now.
        await sleep(1_500);
        expect(pipes()).toBeLessThanOrEqual(before + 1);
        expect(queue.log).toHaveLength(length);
      } finally {
        redis.signal('SIGCONT');
      }
      const later = openQueue(store);
      const seen: string[] = [];
      later.start(async (turn) => {
        seen.push(turn.mailbox);
        return [];
      });
      await until('it runs after the next start', () => seen.length === 1);
      await later.close(0);
    }, 30_000);

    it('that dies and comes back has lost nothing acknowledged; the worker goes on by itself, turns under way too', async () => {
      const queue = openQueue(store);
      const calendar = new Map<string, number>();
      const sink = new Map<string, number>();
      queue.start(async (turn) => {
        const value = calendar.get(turn.mailbox) ?? 0;
        await sleep(20);
        sink.set(turn.mailbox, value);
        return [];
      });
      const acknowledged = new Map<string, number>();
      let refusals = 0;
      let count = 0;
      const end = Date.now() + 5_000;
      const load = (async () => {
        while (Date.now() < end) {
          const who = mailbox((count += 1) % 40);
          const value = count;
          calendar.set(who, value);
          await queue.add([who]).then(
            () => acknowledged.set(who, value),
            (error: BridgeError) => {
              expect(error).toMatchObject(refused);
              refusals += 1;
            },
          );
          await sleep(3);
        }
      })();
      for (let round = 0; round < 2; round += 1) {
        await sleep(1_000);
        await redis.kill();
        await sleep(700);
        await redis.start();
      }
      await load;
      await until('everything acknowledged was written', () => [...acknowledged].every(([who, value]) => (sink.get(who) ?? -1) >= value), 15_000);
      expect(refusals).toBeGreaterThan(10);
      // One line of ours a minute at most, whatever happens in between.
      expect(queue.log.filter(({ message }) => message.includes('trouble with Redis')).length).toBeLessThanOrEqual(1);
      await queue.close(0);
    }, 40_000);

    it('that is away for longer than a lock lasts: the turn under way is followed by another, never joined by one', async () => {
      const queue = openQueue(store, { timing: { ...FAST, turnMs: 10_000, settleMs: 20_000 } });
      let now = 0;
      let most = 0;
      const ends: number[] = [];
      const begins: number[] = [];
      queue.start(async () => {
        begins.push(Date.now());
        most = Math.max(most, (now += 1));
        await sleep(begins.length === 1 ? 4_000 : 10);
        now -= 1;
        ends.push(Date.now());
        return [];
      });
      await queue.add([anna]);
      await until('it runs', () => begins.length === 1);
      await redis.kill();
      await sleep(1_500);
      await redis.start();
      await until('it ran again', () => ends.length >= 2);
      expect(most).toBe(1);
      expect(begins[1]).toBeGreaterThanOrEqual(ends[0]!);
      await queue.close(0);
    }, 40_000);

    it('that is away at start is waited for, and a queue that never saw it closes soon', async () => {
      await redis.kill();
      const late = await redis.store();
      const queue = openQueue(late);
      const seen: string[] = [];
      queue.start(async (turn) => {
        seen.push(turn.mailbox);
        return [];
      });
      const begin = Date.now();
      await expect(queue.add([anna])).rejects.toMatchObject(refused);
      await expect(queue.drop('all')).rejects.toMatchObject(refused);
      await expect(queue.retry('all')).rejects.toMatchObject(refused);
      expect(Date.now() - begin).toBeLessThan(10_000);
      const left: number[] = [];
      for (const isStarted of [false, true]) {
        const listeners = late.commands.listenerCount('ready');
        const never = openQueue(late, { key: 'never' });
        if (isStarted) never.start(async () => []);
        const closing = Date.now();
        await never.close(100);
        expect(Date.now() - closing).toBeLessThan(2_000);
        left.push(late.commands.listenerCount('ready') - listeners);
      }
      // BullMQ leaves one of its own until Redis is there.
      expect(left[1]).toBe(left[0]);
      await redis.start();
      await until('it takes changes', () => queue.add([anna]).then(() => true, () => false));
      await until('they are worked on', () => seen.length > 0);
      await queue.close(0);
    }, 40_000);
  });
});
