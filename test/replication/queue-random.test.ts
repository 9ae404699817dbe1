import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { FAST, mailbox, openQueue, sleep, until } from './queue-bed.ts';
import type { TestQueue } from './queue-bed.ts';
import { CAN_REDIS, startRedis } from './redis-server.ts';
import type { TestRedis } from './redis-server.ts';

const MAILBOXES = 40;

/** A small generator, so that a run can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

describe.runIf(CAN_REDIS)('the replication queue under random changes and failures', () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.close());

  it.each([1, 2, 3])('ends with the newest of every mailbox in the sink (seed %d)', async (seed) => {
    await redis.flush();
    const chance = random(seed);
    const calendar = new Map<MailboxAddress, number>();
    const sink = new Map<MailboxAddress, number>();
    let isStormy = true;
    let now = 0;
    const running = new Set<MailboxAddress>();
    const overlaps: MailboxAddress[] = [];
    /** Reads when it begins, writes what it read, and fails before or after that in every way there is. */
    const work = async ({ mailbox: who, signal }: { readonly mailbox: MailboxAddress; readonly signal: AbortSignal }): Promise<readonly string[]> => {
      if (running.has(who)) overlaps.push(who);
      running.add(who);
      try {
        const read = calendar.get(who)!;
        const fate = isStormy ? chance() : 1;
        await sleep(chance() * 40);
        if (fate < 0.15) throw new BridgeError('BACKEND_BUSY', 'busy', { temporary: true, retryAfterMs: chance() < 0.5 ? 50 : undefined });
        if (fate < 0.2) throw new BridgeError('BACKEND_MALFORMED', 'malformed');
        if (fate < 0.23) throw new BridgeError('NO_DATA', 'denied');
        if (fate < 0.24) throw new BridgeError('BACKEND_AUTH', 'refused');
        if (fate < 0.26) await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new BridgeError('DEADLINE', 'over', { temporary: true }))));
        if (signal.aborted) throw new BridgeError('DEADLINE', 'over', { temporary: true });
        sink.set(who, read);
        if (fate < 0.32) throw new BridgeError('INTERNAL', 'after it was written');
        return [];
      } finally {
        running.delete(who);
      }
    };
    const store = await redis.store();
    const open = async (): Promise<TestQueue> => {
      const queue = openQueue(store, { timing: { ...FAST, turnMs: 300 } });
      queue.start(work);
      return queue;
    };
    let queue = await open();
    const change = async (who: MailboxAddress): Promise<void> => {
      calendar.set(who, (now += 1));
      await queue.add([who]);
    };
    for (let n = 0; n < MAILBOXES; n += 1) await change(mailbox(n));
    const end = Date.now() + 4_000;
    while (Date.now() < end) {
      await change(mailbox(Math.floor(chance() ** 2 * MAILBOXES)));
      if (chance() < 0.01) await queue.retry('all');
      if (chance() < 0.004) {
        await queue.close(chance() * 50);
        // What a queue that has closed has under way still ends; in a bridge the lock of the process keeps the next one from it (KeyedLock).
        while (running.size > 0) await sleep(1);
        queue = await open();
      }
      await sleep(chance() * 10);
    }
    isStormy = false;
    const isEmpty = async (): Promise<boolean> => {
      const { waiting, running: busy, retrying } = await queue.depth();
      return waiting + busy + retrying === 0;
    };
    // The states are counted one after the other: a job between two of them is in neither, and nothing is empty twice that is not.
    const drained = async (): Promise<boolean> => {
      for (let look = 0; look < 5; look += 1) {
        if (!(await isEmpty())) return false;
        await sleep(20);
      }
      return true;
    };
    await until('nothing is under way', drained, 15_000);
    // Nobody was told of those that failed for good; everybody else has the newest.
    const failed = new Set((await queue.report()).entries.map((entry) => entry.mailbox));
    const stale = (): readonly MailboxAddress[] => [...calendar].filter(([who, value]) => sink.get(who) !== value).map(([who]) => who);
    expect(stale().filter((who) => !failed.has(who))).toEqual([]);
    await queue.retry('all');
    await until('nothing is under way', drained, 15_000);
    expect(stale()).toEqual([]);
    expect((await queue.report()).entries).toEqual([]);
    expect(overlaps).toEqual([]);
    await queue.close(0);
  }, 60_000);
});
