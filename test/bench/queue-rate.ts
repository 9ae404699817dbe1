import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { systemClock } from '../../src/core/clock.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import { openRedis } from '../../src/platform/redis/open-redis.ts';
import type { RedisStore } from '../../src/platform/redis/redis-store.ts';
import { KeyedLock } from '../../src/replication/keyed-lock.ts';
import { PublishedStore } from '../../src/replication/published-store.ts';
import { ReplicationQueue } from '../../src/replication/queue.ts';
import { Replicator } from '../../src/replication/replicator.ts';
import type { Route } from '../../src/replication/route.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const JOBS = 5_000;
const ROUNDS = 5;
const CONCURRENCY = 32;
const GOAL_RATIO = 0.7;
const GOAL_BYTES = 1_024;
const PREFIX = '{freebusy-bench}';

/** Figure: mailboxes a second through queue and replicator with a null sink, against BullMQ's own no-op jobs with the same options; and what one waiting mailbox costs. */
export async function queueRate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'freebusy-bench-'));
  const lines: string[] = [`4. Queue: ${JOBS.toLocaleString('en')} mailboxes waiting, ${CONCURRENCY} at a time, ${ROUNDS} rounds`];
  try {
    const store = await openRedis(undefined, folder, { logger: silentLogger });
    try {
      const noOp: number[] = [];
      const nullWork: number[] = [];
      const unchanged: number[] = [];
      const written: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        noOp.push(await noOpRound(store, round));
        nullWork.push(await nullRound(store, `null-${round}`, async () => undefined));
        const replicator = nullReplicator(store, `bench-${round}`);
        const turn = async (mailbox: MailboxAddress, signal: AbortSignal): Promise<unknown> => replicator.run(mailbox, { always: false, dryRun: false, signal });
        // The first time everybody is written, the second time nothing has changed, which is what most turns of a pass find.
        written.push(await nullRound(store, `written-${round}`, turn));
        unchanged.push(await nullRound(store, `unchanged-${round}`, turn));
      }
      const ratio = ratios(nullWork, noOp);
      const row = (name: string, rates: readonly number[]): readonly string[] => [name, spread(rates, 0), spread(ratios(rates, noOp), 2)];
      lines.push(
        table([['', 'mailboxes/s', 'of BullMQ’s own'], row('BullMQ, no-op job', noOp), row('our queue, null work', nullWork), row('and replicator: nothing changed', unchanged), row('and replicator: null sink, written for the first time', written)]),
        `  Redis: ${store.promise.slice(0, store.promise.indexOf(' in '))}`,
        goal(`mailboxes/s of our queue over BullMQ's own no-op rate ≥ ${GOAL_RATIO}`, spread(ratio, 2), median(ratio) >= GOAL_RATIO),
      );
      const bytes = await bytesOfWaiting(store);
      lines.push(goal(`memory of one waiting mailbox in Redis ≤ ${GOAL_BYTES} bytes`, bytes.toFixed(0), bytes <= GOAL_BYTES));
    } finally {
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return lines.join('\n');
}

function mailboxOf(index: number): MailboxAddress {
  return `firstname.lastname${index}@zimbra.example.com` as MailboxAddress;
}

async function noOpRound(store: RedisStore, round: number): Promise<number> {
  const name = `noop-${round}`;
  const queue = new Queue(name, { connection: store.commands, prefix: PREFIX });
  for (let from = 0; from < JOBS; from += 250) {
    await queue.addBulk(
      Array.from({ length: 250 }, (_, index) => ({
        name: 'm',
        data: { m: mailboxOf(from + index) },
        opts: { delay: LIMITS.gatherChangesMs, deduplication: { id: mailboxOf(from + index), keepLastIfActive: true } },
      })),
    );
  }
  await pause(LIMITS.gatherChangesMs);
  const connection = store.blocking();
  let done = 0;
  const began = performance.now();
  const worker = new Worker(name, async () => void done++, { connection, prefix: PREFIX, concurrency: CONCURRENCY, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } });
  await until(() => done === JOBS);
  const rate = JOBS / ((performance.now() - began) / 1_000);
  await worker.close();
  await queue.close();
  return rate;
}

async function nullRound(store: RedisStore, key: string, work: (mailbox: MailboxAddress, signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const queue = new ReplicationQueue({ route: key, key: `bench-${key}`, store, concurrency: CONCURRENCY, clock: systemClock, logger: silentLogger, metrics: noMetrics });
  await queue.add(Array.from({ length: JOBS }, (_, index) => mailboxOf(index)));
  await pause(LIMITS.gatherChangesMs);
  let done = 0;
  const began = performance.now();
  queue.start(async ({ mailbox, signal }) => {
    await work(mailbox, signal);
    done++;
    return [];
  });
  await until(() => done === JOBS);
  const rate = JOBS / ((performance.now() - began) / 1_000);
  await queue.close(1_000);
  return rate;
}

/** A replicator whose home has 14 meetings for everybody, and whose sink takes everything and keeps nothing. */
function nullReplicator(store: RedisStore, key: string): Replicator {
  const route: Route = {
    name: key,
    key,
    from: 'zimbra',
    to: 'exchange',
    source: {
      freeBusy: async ({ mailboxes, window }) =>
        mailboxes.map((mailbox) => {
          const busy = Array.from({ length: 14 }, (_, index) => ({ start: window.start + index * 7_200_000, end: window.start + index * 7_200_000 + 3_600_000, busyType: 'busy' as const }));
          return { mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy }), asOf: 0 };
        }),
    },
    sink: {
      identityOf: ({ mailbox }) => `/o=Bench/cn=${mailbox}`,
      publish: async (_identity, { window }) => window,
      remove: async () => undefined,
      preview: () => ({ where: '', document: '' }),
    },
    choice: { only: 'all', include: new Set(), exclude: new Set() },
    pastMs: 7 * 86_400_000,
    aheadMs: 60 * 86_400_000,
    concurrency: CONCURRENCY,
    workingElsewhereAs: 'free',
    homeOf: () => 'zimbra',
  };
  return new Replicator({ route, published: new PublishedStore(store, route), locks: new KeyedLock(), clock: systemClock, logger: silentLogger, metrics: noMetrics });
}

async function bytesOfWaiting(store: RedisStore): Promise<number> {
  const queue = new ReplicationQueue({ route: 'memory', key: 'bench-memory', store, concurrency: 1, clock: systemClock, logger: silentLogger, metrics: noMetrics });
  const used = async (): Promise<number> => Number(/^used_memory_dataset:(\d+)/m.exec(await store.commands.info('memory'))?.[1] ?? Number.NaN);
  await queue.add([mailboxOf(0)]);
  const before = await used();
  await queue.add(Array.from({ length: 10_000 }, (_, index) => mailboxOf(index + 1)));
  const bytes = ((await used()) - before) / 10_000;
  await queue.close(0);
  return bytes;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(1);
}
