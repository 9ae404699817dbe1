import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { ReplicationQueueOptions } from '../../src/replication/queue.ts';
import { FailedTurn } from '../../src/replication/turn.ts';
import type { Turn } from '../../src/replication/turn.ts';
import { FAST, mailbox, openQueue, sleep, until } from './queue-bed.ts';
import type { TestQueue } from './queue-bed.ts';
import { CAN_REDIS, startRedis } from './redis-server.ts';
import type { TestRedis, TestStore } from './redis-server.ts';

const [anna, bert, carl] = [mailbox(1), mailbox(2), mailbox(3)];
const away = (): BridgeError => new BridgeError('BACKEND_UNREACHABLE', 'the server does not answer', { temporary: true });
const refusedPassword = (): BridgeError => new BridgeError('BACKEND_AUTH', 'the password was refused');

describe.runIf(CAN_REDIS)('the replication queue', () => {
  let redis: TestRedis;
  let store: TestStore;
  const open: TestQueue[] = [];
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.flush();
    store = await redis.store();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((queue) => queue.close(0)));
  });

  const make = (options: Partial<ReplicationQueueOptions> = {}): TestQueue => {
    const queue = openQueue(store, options);
    open.push(queue);
    return queue;
  };

  /** Starts `queue` with work that keeps its turns. */
  const started = (queue: TestQueue, work: (turn: Turn) => Promise<unknown> = async () => undefined, done: readonly string[] = ['exchange']): (Turn & { readonly at: number })[] => {
    const turns: (Turn & { readonly at: number })[] = [];
    queue.start(async (turn) => {
      turns.push({ ...turn, mailbox: turn.mailbox, storedAt: turn.storedAt, attempt: turn.attempt, signal: turn.signal, at: Date.now() });
      await work(turn);
      return done;
    });
    return turns;
  };
  const drained = (queue: TestQueue): Promise<void> =>
    until('nothing waits', async () => {
      const { waiting, running, retrying } = await queue.depth();
      return waiting + running + retrying === 0;
    });

  describe('changes', () => {
    it('are stored durably when add resolves, and are worked on once each', async () => {
      const queue = make();
      await queue.add([anna, bert, anna]);
      expect(store.durables()).toBe(1);
      expect(await queue.waiting()).toBe(2);
      const turns = started(queue);
      await drained(queue);
      expect(turns.map((turn) => turn.mailbox).sort()).toEqual([anna, bert]);
      expect(turns[0]!.attempt).toBe(1);
    });

    it('a burst of fifty becomes at most three turns, one of which begins after the last', async () => {
      const queue = make({ timing: { ...FAST, gatherMs: 400 } });
      const turns = started(queue, () => sleep(400));
      for (let index = 0; index < 50; index += 1) {
        await queue.add([anna]);
        await sleep(5);
      }
      const last = Date.now();
      await drained(queue);
      expect(turns.length).toBeLessThanOrEqual(3);
      expect(turns.at(-1)!.at).toBeGreaterThanOrEqual(last);
    });

    it('one that comes while its mailbox runs leads to a turn that begins afterwards', async () => {
      const queue = make();
      const turns = started(queue, () => sleep(150));
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      await queue.add([anna]);
      const changed = Date.now();
      await drained(queue);
      expect(turns).toHaveLength(2);
      expect(turns[1]!.at).toBeGreaterThanOrEqual(changed);
    });

    it('a turn knows when its oldest change was stored: the first of a burst, and the first during the turn before', async () => {
      const queue = make({ timing: { ...FAST, gatherMs: 100 } });
      const turns = started(queue, () => sleep(200));
      const first = Date.now();
      await queue.add([anna]);
      await sleep(50);
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      const second = Date.now();
      await queue.add([anna]);
      await sleep(100);
      await queue.add([anna]);
      await drained(queue);
      expect(turns[0]!.storedAt - first).toBeLessThan(40);
      expect(turns[1]!.storedAt - second).toBeGreaterThanOrEqual(0);
      expect(turns[1]!.storedAt - second).toBeLessThan(40);
      expect(queue.told.filter(([kind]) => kind === 'stage').map(([, route, stage]) => [route, stage])).toEqual([['a → b', 'queued'], ['a → b', 'queued']]);
    });

    it('a mailbox that changes all the time is written all the time, not when the changes have stopped', async () => {
      const queue = make({ timing: { ...FAST, gatherMs: 100 } });
      const turns = started(queue, () => sleep(20));
      const begin = Date.now();
      while (Date.now() - begin < 2_000) {
        await queue.add([anna]);
        await sleep(20);
      }
      // A turn every 100 + 20 ms and what Redis and a busy machine add.
      const gaps = turns.map(({ at }, index) => at - (turns[index - 1]?.at ?? begin));
      expect(turns.length).toBeGreaterThan(6);
      expect(Math.max(...gaps)).toBeLessThan(700);
    });

    it('a thousand in one call are stored and worked on', async () => {
      const queue = make({ concurrency: 32 });
      const seen = new Set<MailboxAddress>();
      queue.start(async (turn) => {
        seen.add(turn.mailbox);
        return [];
      });
      await queue.add(Array.from({ length: 1_000 }, (_, index) => mailbox(index)));
      await until('all were worked on', () => seen.size === 1_000);
      expect(await store.commands.keys('{freebusy-bridge}:a-b:[0-9]*')).toEqual([]);
    });

    it('an address with a colon or a per cent sign is a mailbox like any other', async () => {
      const odd = ['a%3Ab@corp.example', 'a:b@corp.example'] as readonly string[] as readonly MailboxAddress[];
      const queue = make();
      const turns = started(queue);
      await queue.add(odd);
      await until('both ran', () => turns.length === 2);
      expect(turns.map((turn) => turn.mailbox).sort()).toEqual(odd);
      await queue.add(odd);
      expect(await queue.drop([odd[1]!])).toBe(1);
    });

    it('are refused where as many wait as may, and taken again when there is room', async () => {
      store = await redis.store({ maxWaiting: 3 });
      const queue = make();
      await queue.add([anna, bert, carl]);
      await expect(queue.add([mailbox(4)])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', temporary: true });
      started(queue);
      await drained(queue);
      await queue.add([mailbox(4)]);
    });

    it('one whose turn was lost is stored again even where no more may wait, or its turn would never end', async () => {
      store = await redis.store({ maxWaiting: 2 });
      const queue = make({ concurrency: 1, timing: { ...FAST, lockMs: 400 } });
      let finish = (): void => undefined;
      const turns = started(queue, async ({ signal }) => {
        if (turns.length > 1) return;
        await new Promise<void>((resolve) => (finish = resolve));
        expect(signal.aborted).toBe(true);
      });
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      await queue.add([bert, carl]);
      const lock = (await store.commands.keys('*:lock'))[0]!;
      await store.commands.set(lock, 'another process');
      await until('it knows', () => turns[0]!.signal.aborted);
      await store.commands.del(lock);
      finish();
      await drained(queue);
      expect(turns.map((turn) => turn.mailbox).sort()).toEqual(expect.arrayContaining([anna, bert, carl]));
    });

    it('do not wait for a time that the clock, set back since, has yet to reach again', async () => {
      const real = Date.now;
      const queue = make();
      try {
        Date.now = () => real() + 3_600_000;
        await queue.add([anna]);
      } finally {
        Date.now = real;
      }
      const turns = started(queue);
      await queue.add([bert]);
      await until('both ran', () => turns.length === 2, 3_000);
    });

    it('leave nothing in Redis when they are done', async () => {
      const queue = make();
      started(queue);
      await queue.add(Array.from({ length: 50 }, (_, index) => mailbox(index)));
      await drained(queue);
      await sleep(50);
      const keys = (await store.commands.keys('*')).map((key) => key.replace('{freebusy-bridge}:a-b:', '')).sort();
      expect(keys.filter((key) => !['events', 'id', 'marker', 'meta', 'stalled-check'].includes(key))).toEqual([]);
      expect(await store.commands.xlen('{freebusy-bridge}:a-b:events')).toBeLessThan(400);
    });
  });

  describe('failures', () => {
    it('that pass are tried again with growing pauses until they have passed, and the report says how it stands', async () => {
      const queue = make({ timing: { ...FAST, retry: { firstMs: 300, longestMs: 900 } } });
      let isAway = true;
      const turns = started(queue, async () => {
        if (isAway) throw new FailedTurn(away(), 'exchange');
      });
      await queue.add([anna]);
      await until('it failed twice', async () => turns.length === 2 && (await queue.depth()).running === 0);
      const report = await queue.report();
      expect(report.counts).toEqual({ route: 'a → b', waiting: 0, running: 0, retrying: 1, failed: 0 });
      expect(report.entries).toEqual([expect.objectContaining({ mailbox: anna, state: 'retrying', code: 'BACKEND_UNREACHABLE', reason: 'exchange: the server does not answer', attempts: 2, since: turns[0]!.storedAt })]);
      expect(report.entries[0]!.nextTryAt! - Date.now()).toBeGreaterThan(0);
      expect(report.entries[0]!.nextTryAt! - Date.now()).toBeLessThan(751);
      expect((await queue.depth()).oldestAgeMs).toBeGreaterThanOrEqual(Date.now() - turns[0]!.storedAt - 50);
      await until('it was tried often', () => turns.length >= 4);
      isAway = false;
      await drained(queue);
      const gaps = turns.slice(1).map(({ at }, index) => at - turns[index]!.at);
      // 300, 600, 900 ms, a quarter less.
      expect(gaps[0]).toBeGreaterThanOrEqual(224);
      expect(gaps[1]).toBeGreaterThanOrEqual(449);
      expect(gaps[2]).toBeGreaterThanOrEqual(674);
      expect(turns.map(({ attempt }) => attempt)).toEqual(turns.map((_, index) => index + 1));
      expect(new Set(turns.map(({ storedAt }) => storedAt)).size).toBe(1);
      expect(queue.told.find(([kind]) => kind === 'failed')).toEqual(['failed', 'a → b', 'exchange', 'BACKEND_UNREACHABLE']);
      const lines = queue.log.filter(({ level }) => level === 'warn');
      expect(lines).toHaveLength(turns.length - 1);
      expect(lines[0]).toMatchObject({ mailbox: anna, route: 'a → b', code: 'BACKEND_UNREACHABLE', reason: 'the server does not answer', attempt: 1, ageMs: expect.any(Number) as number });
    });

    it('wait as long as the server asks for', async () => {
      const queue = make();
      const turns = started(queue, async ({ attempt }) => {
        if (attempt === 1) throw new BridgeError('BACKEND_BUSY', 'busy', { temporary: true, retryAfterMs: 700 });
      });
      await queue.add([anna]);
      await until('it was tried again', () => turns.length === 2);
      expect(turns[1]!.at - turns[0]!.at).toBeGreaterThanOrEqual(699);
    });

    it('of one mailbox hold up no other', async () => {
      const queue = make({ concurrency: 2 });
      const turns = started(queue, async (turn) => {
        if (turn.mailbox !== carl) throw away();
      });
      await queue.add([anna, bert]);
      await until('both failed', () => turns.length >= 2);
      await queue.add([carl]);
      await until('the third ran', () => turns.some((turn) => turn.mailbox === carl), 600);
    });

    it('a change that comes between two tries is covered by the next one', async () => {
      const queue = make({ timing: { ...FAST, retry: { firstMs: 300, longestMs: 300 } } });
      let changes = 0;
      let written = -1;
      const turns = started(queue, async ({ attempt }) => {
        if (attempt === 1) throw away();
        written = changes;
      });
      await queue.add([anna]);
      await until('it failed', () => turns.length === 1);
      await sleep(20);
      changes = 1;
      await queue.add([anna]);
      await drained(queue);
      expect(written).toBe(1);
    });

    it('a change that comes during a try that fails is covered as well', async () => {
      const queue = make();
      let changes = 0;
      let written = -1;
      const turns = started(queue, async ({ attempt }) => {
        const read = changes;
        await sleep(100);
        if (attempt === 1) throw away();
        written = read;
      });
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      changes = 1;
      await queue.add([anna]);
      await drained(queue);
      expect(written).toBe(1);
    });

    it('that do not pass stop at once, stay visible, and a new change of the mailbox is tried anew', async () => {
      const queue = make();
      let isGood = false;
      const turns = started(queue, async () => {
        if (!isGood) throw new BridgeError('NO_DATA', 'its legacyExchangeDN is another one’s');
      });
      await queue.add([anna]);
      await drained(queue);
      await sleep(150);
      expect(turns).toHaveLength(1);
      const first = (await queue.report()).entries;
      expect(first).toEqual([{ route: 'a → b', mailbox: anna, state: 'failed', since: expect.any(Number) as number, attempts: 1, code: 'NO_DATA', reason: 'its legacyExchangeDN is another one’s' }]);
      await queue.add([anna]);
      await drained(queue);
      expect((await queue.report()).entries).toEqual([{ ...first[0], attempts: 2 }]);
      expect((await queue.depth()).failed).toBe(1);
      expect((await queue.depth()).oldestAgeMs).toBe(0);
      isGood = true;
      await queue.add([anna]);
      await drained(queue);
      expect((await queue.report()).entries).toEqual([]);
      // Beside the records nothing of a failed mailbox is kept.
      expect(await store.commands.keys('{freebusy-bridge}:a-b:[0-9]*')).toEqual([]);
    });

    it('that may pass are tried eight times, then stop; tries that failed otherwise do not count', async () => {
      const queue = make({ timing: { ...FAST, retry: { firstMs: 10, longestMs: 10 } } });
      const turns = started(queue, async ({ attempt }) => {
        if (attempt <= 5) throw away();
        throw new TypeError('a bug');
      });
      await queue.add([anna]);
      await until('it failed', async () => (await queue.depth()).failed === 1);
      await drained(queue);
      expect(turns).toHaveLength(13);
      expect((await queue.report()).entries).toEqual([expect.objectContaining({ state: 'failed', code: 'INTERNAL', attempts: 13 })]);
      expect(queue.log.at(-1)).toMatchObject({ code: 'INTERNAL', stack: expect.stringContaining('a bug') as string });
      expect(queue.told.at(-1)).toEqual(['failed', 'a → b', 'bridge', 'INTERNAL']);
    });

    it('a turn that takes too long is aborted and tried again', async () => {
      const queue = make({ timing: { ...FAST, turnMs: 100 } });
      const turns = started(queue, async ({ attempt, signal }) => {
        if (attempt === 1) await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new BridgeError('DEADLINE', 'over', { temporary: true }))));
      });
      await queue.add([anna]);
      await until('it was tried again', () => turns.length === 2);
      await drained(queue);
      expect(queue.log[0]).toMatchObject({ code: 'DEADLINE' });
    });

    it('a turn that ignores its signal loses its place all the same', async () => {
      const queue = make({ concurrency: 1, timing: { ...FAST, turnMs: 100 } });
      const turns = started(queue, async (turn) => {
        if (turn.mailbox === anna) await new Promise(() => undefined);
      });
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      await queue.add([bert]);
      await until('the other ran', () => turns.some((turn) => turn.mailbox === bert), 2_000);
    });
  });

  describe('a server that refuses us as a whole', () => {
    it('is tried by nobody for a while, then by one mailbox at a time, and all go on when it relents', async () => {
      const queue = make({ concurrency: 4 });
      let isRefused = true;
      let most = 0;
      let now = 0;
      const turns = started(queue, async () => {
        most = Math.max(most, (now += 1));
        await sleep(20);
        now -= 1;
        if (isRefused) throw new FailedTurn(refusedPassword(), 'exchange');
      });
      const everybody = Array.from({ length: 40 }, (_, index) => mailbox(index));
      await queue.add(everybody);
      await until('it was refused', async () => (await queue.report()).counts.blocked !== undefined);
      await until('turns under way have ended', () => now === 0);
      const atFirst = turns.length;
      expect(atFirst).toBeLessThanOrEqual(4);
      most = 0;
      await sleep(1_000);
      // Pauses of about 200, 400 and 800 ms: two trials or three.
      expect(turns.length - atFirst).toBeGreaterThanOrEqual(1);
      expect(turns.length - atFirst).toBeLessThanOrEqual(3);
      expect(most).toBe(1);
      const report = await queue.report();
      expect(report.counts).toMatchObject({ failed: 0, retrying: 0, blocked: 'BACKEND_AUTH: exchange: the password was refused' });
      expect(report.counts.waiting).toBeGreaterThanOrEqual(39);
      isRefused = false;
      await drained(queue);
      expect(new Set(turns.slice(-40).map((turn) => turn.mailbox)).size).toBe(40);
      // A route held back is no try.
      expect(turns.map(({ attempt }) => attempt)).toEqual(turns.map(() => 1));
      expect(most).toBe(4);
      expect((await queue.report()).counts.blocked).toBeUndefined();
    });

    it('is tried by all at once after retry', async () => {
      const queue = make({ timing: { ...FAST, blocked: { firstMs: 60_000, longestMs: 60_000 } } });
      let isRefused = true;
      const turns = started(queue, async () => {
        if (isRefused) throw refusedPassword();
      });
      await queue.add([anna, bert]);
      await until('it was refused', async () => (await queue.report()).counts.blocked !== undefined);
      await sleep(200);
      const before = turns.length;
      await queue.add([carl]);
      await sleep(200);
      expect(turns).toHaveLength(before);
      isRefused = false;
      expect(await queue.retry([mailbox(99)])).toBe(0);
      await until('all ran', () => new Set(turns.slice(before).map((turn) => turn.mailbox)).size === 3, 2_000);
      await drained(queue);
    });

    it('is not taken to have relented by turns that had nothing to ask of it', async () => {
      const queue = make({ concurrency: 4 });
      let isRefused = true;
      let now = 0;
      let most = 0;
      queue.start(async ({ mailbox: who }) => {
        if (who !== anna) {
          most = Math.max(most, (now += 1));
          await sleep(10);
          now -= 1;
          return ['zimbra'];
        }
        if (isRefused) throw new FailedTurn(refusedPassword(), 'exchange');
        return ['zimbra', 'exchange'];
      });
      const blocked = async (): Promise<string | undefined> => (await queue.report()).counts.blocked;
      await queue.add([anna]);
      await until('it was refused', async () => (await blocked()) !== undefined);
      await until('it waits', async () => (await queue.drop([anna])) === 1);
      await queue.add(Array.from({ length: 10 }, (_, index) => mailbox(10 + index)));
      await drained(queue);
      expect(await blocked()).toBe('BACKEND_AUTH: exchange: the password was refused');
      // One after the other: each might have been the one that is refused.
      expect(most).toBe(1);
      isRefused = false;
      await queue.add([anna]);
      await until('it goes on', async () => (await blocked()) === undefined);
    });

    it('a mailbox that fails for itself while one tries does not end the trials', async () => {
      const queue = make({ concurrency: 4 });
      let isRefused = true;
      const turns = started(queue, async (turn) => {
        if (isRefused) throw refusedPassword();
        if (turn.mailbox === anna) throw new BridgeError('NO_DATA', 'x');
      });
      await queue.add([anna]);
      await until('it was refused', async () => (await queue.report()).counts.blocked !== undefined);
      isRefused = false;
      await until('it failed for itself', async () => (await queue.depth()).failed === 1);
      await queue.add([bert]);
      await until('the other ran', () => turns.at(-1)!.mailbox === bert);
      await until('the brake is off', async () => (await queue.report()).counts.blocked === undefined);
    });
  });

  describe('what the administrator does', () => {
    it('retry: failed ones are queued again and stay visible until they succeed', async () => {
      const queue = make();
      let isGood = false;
      const turns = started(queue, async () => {
        await sleep(50);
        if (!isGood) throw new BridgeError('MAILBOX_REFUSED', 'x');
      });
      await queue.add([anna, bert]);
      await drained(queue);
      isGood = true;
      expect(await queue.retry([anna, carl])).toBe(1);
      expect((await queue.report()).counts.failed).toBe(2);
      await drained(queue);
      expect((await queue.report()).entries.map((entry) => entry.mailbox)).toEqual([bert]);
      expect(await queue.retry('all')).toBe(1);
      await drained(queue);
      expect((await queue.report()).entries).toEqual([]);
      expect(turns).toHaveLength(4);
    });

    it('retry: those that wait for their next try are tried now', async () => {
      const queue = make({ timing: { ...FAST, retry: { firstMs: 60_000, longestMs: 60_000 } } });
      const turns = started(queue, async ({ attempt }) => {
        if (attempt === 1) throw away();
      });
      await queue.add([anna, bert]);
      await until('both wait', async () => (await queue.depth()).retrying === 2);
      expect(await queue.retry([anna])).toBe(1);
      await until('it was tried', () => turns.length === 3);
      expect(await queue.retry('all')).toBe(1);
      await drained(queue);
      expect(turns).toHaveLength(4);
    });

    it('succeeded: a mailbox that somebody else brought up to date has not failed any more', async () => {
      const queue = make();
      started(queue, async () => {
        throw new BridgeError('NO_DATA', 'x');
      });
      await queue.add([anna, bert]);
      await drained(queue);
      await queue.succeeded(anna);
      expect((await queue.report()).entries.map((entry) => entry.mailbox)).toEqual([bert]);
      expect((await queue.depth()).failed).toBe(1);
    });

    it('drop: waiting, retrying and failed ones go, what runs stays, and a dropped mailbox is taken again when it changes', async () => {
      const queue = make({ concurrency: 3, timing: { ...FAST, retry: { firstMs: 60_000, longestMs: 60_000 } } });
      const [failing, retrying, running] = [anna, bert, carl];
      let finish = (): void => undefined;
      const turns = started(queue, async (turn) => {
        if (turn.mailbox === failing) throw new BridgeError('NO_DATA', 'x');
        if (turn.mailbox === retrying && turn.attempt === 1) throw away();
        if (turn.mailbox === running) await new Promise<void>((resolve) => (finish = resolve));
      });
      await queue.add([failing, retrying, running]);
      await until('all three are where they belong', async () => {
        const depth = await queue.depth();
        return depth.failed === 1 && depth.retrying === 1 && depth.running === 1;
      });
      const waiting = make({ key: 'a-b', timing: { ...FAST, gatherMs: 60_000 } });
      await waiting.add([mailbox(4), mailbox(5)]);
      expect((await queue.report()).entries.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'running', 'retrying', 'failed']);
      expect(await queue.drop([mailbox(4), mailbox(77)])).toBe(1);
      expect(await queue.drop('all')).toBe(3);
      expect((await queue.report()).entries).toEqual([expect.objectContaining({ mailbox: running, state: 'running' })]);
      finish();
      await drained(queue);
      const before = turns.length;
      await queue.add([mailbox(5), retrying]);
      await until('they ran', () => turns.length === before + 2);
    });

    it('a report of thousands is cut to the oldest, and counts all', async () => {
      const queue = make({ timing: { ...FAST, gatherMs: 60_000 } });
      await queue.add(Array.from({ length: 1_300 }, (_, index) => mailbox(index)));
      const { entries, counts } = await queue.report();
      expect(counts.waiting).toBe(1_300);
      expect(entries).toHaveLength(1_000);
      expect(entries[0]!.mailbox).toBe(mailbox(0));
      expect(await queue.drop('all')).toBe(1_300);
      expect(await store.commands.keys('*:de:*')).toEqual([]);
    });
  });

  describe('the end', () => {
    it('waits for turns under way', async () => {
      const queue = make();
      let isDone = false;
      const turns = started(queue, async () => {
        await sleep(200);
        isDone = true;
      });
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      await queue.close(2_000);
      expect(isDone).toBe(true);
      const next = make();
      expect(await next.depth()).toMatchObject({ waiting: 0, running: 0, failed: 0 });
      await queue.close(0);
    });

    it('sends back what takes longer, and the next start runs it at once, as the same try', async () => {
      const queue = make();
      const turns = started(queue, ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new BridgeError('DEADLINE', 'over', { temporary: true })))));
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      await queue.close(50);
      expect(queue.log.filter(({ level }) => level === 'warn')).toEqual([]);
      const next = make();
      const later = started(next);
      await until('it ran again', () => later.length === 1, 500);
      expect(later[0]).toMatchObject({ attempt: 1, storedAt: turns[0]!.storedAt });
    });

    it('is soon there even where the turn ignores its signal, and the mailbox is tried again', async () => {
      const queue = make();
      const turns = started(queue, () => new Promise(() => undefined));
      await queue.add([anna]);
      await until('it runs', () => turns.length === 1);
      const begin = Date.now();
      await queue.close(50);
      expect(Date.now() - begin).toBeLessThan(1_500);
      const next = make();
      const later = started(next);
      await until('it ran again', () => later.length === 1, 5_000);
    });

    it('leaves no connection and no listener behind', async () => {
      const clients = async (): Promise<number> => String(await store.commands.call('CLIENT', 'LIST')).trim().split('\n').length;
      const listeners = (): readonly number[] => ['ready', 'error', 'close', 'end'].map((name) => store.commands.listenerCount(name));
      const before = [await clients(), listeners()];
      for (let round = 0; round < 3; round += 1) {
        const queue = make();
        const turns = started(queue);
        await queue.add([anna]);
        await until('it ran', () => turns.length === 1);
        await queue.close(1_000);
      }
      await until('they are gone', async () => (await clients()) <= (before[0] as number), 2_000);
      expect([await clients(), listeners()]).toEqual(before);
    });

    it('is there for a queue that was never started; nothing is taken after it', async () => {
      const queue = make();
      await queue.close(0);
      await expect(queue.add([anna])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });

  it('two routes do not see each other', async () => {
    const [one, other] = [make(), make({ key: 'c-d' })];
    const turns = started(other);
    await one.add([anna]);
    await sleep(150);
    expect(turns).toEqual([]);
    expect((await other.depth()).waiting).toBe(0);
  });
});
