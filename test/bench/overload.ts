import { readFileSync } from 'node:fs';
import { AUTHORIZATION, BridgeProcess, DOMAIN, untilAnswers } from './bridge-process.ts';
import { Helper } from './child-process.ts';
import type { Capacity, Fate, Flood, Seen } from './overload-world.ts';
import { MONDAY, WEEK_MS } from './questions.ts';
import { percentile } from './statistics.ts';
import { goal, table } from './table.ts';

const CAPACITY: Capacity = { atOnce: 10, serviceMs: 200 };
const PER_SECOND = (CAPACITY.atOnce * 1_000) / CAPACITY.serviceMs;
const DEADLINE_MS = 5_000;
/** Over the deadline an answer may be so late: the answer has to be written and carried. */
const GRACE_MS = 250;
const OVERLOAD = 2;
const OVERLOAD_MS = Number(process.env['OVERLOAD_MS'] ?? 60_000);
const REFERENCE_MS = OVERLOAD_MS / 4;
const MEMORY_GOAL = 1.5;

interface Side {
  readonly fates: readonly Fate[];
  readonly seen: Seen;
  readonly rss: readonly number[];
}

/** Figure: twice as much is asked as the back end can take, every question about another mailbox, so that nothing that is kept helps. */
export async function overload(): Promise<string> {
  // What the back end would meet without turns: nearly all of it at the same time.
  const reference = await measured(256, OVERLOAD, REFERENCE_MS);
  const within = await measured(CAPACITY.atOnce, 0.8, REFERENCE_MS);
  const ours = await measured(CAPACITY.atOnce, OVERLOAD, OVERLOAD_MS);
  const answered = tookOf(ours, 'answered');
  const late = lateOf(ours);
  const share = answered.length / ((OVERLOAD_MS / 1_000) * PER_SECOND);
  const growth = Math.max(...ours.rss) / ours.rss[Math.min(5, ours.rss.length - 1)]!;
  return [
    `An EWS back end that takes ${CAPACITY.atOnce} requests at once, ${CAPACITY.serviceMs} ms each (${PER_SECOND}/s); one mailbox and a week a question, JSON face, deadline ${DEADLINE_MS / 1_000} s`,
    table([
      ['', 'asked', 'answered', 'busy', 'no answer in time', 'other', 'late', 'p50 ms', 'p99 ms', 'p99 of refusals', 'most at the back end', 'RSS MiB before, after, most'],
      row(`${OVERLOAD} times its capacity for ${REFERENCE_MS / 1_000} s, no bound`, reference),
      row(`0.8 of its capacity for ${REFERENCE_MS / 1_000} s, concurrency ${CAPACITY.atOnce}`, within),
      row(`${OVERLOAD} times its capacity for ${OVERLOAD_MS / 1_000} s, concurrency ${CAPACITY.atOnce}`, ours),
    ]),
    goal('p99 of the answers under the deadline', `${percentile(answered, 0.99).toFixed(0)} ms`, percentile(answered, 0.99) < DEADLINE_MS),
    goal('late', String(late), late === 0),
    goal('answered ≥ 0.9 of what the back end can take', share.toFixed(2), share >= 0.9),
    goal('never more at the back end than its concurrency', String(ours.seen.most), ours.seen.most <= CAPACITY.atOnce),
    goal(`memory (RSS) at most ${MEMORY_GOAL} times that after 5 s`, growth.toFixed(2), growth <= MEMORY_GOAL),
  ].join('\n');
}

async function measured(concurrency: number, times: number, durationMs: number): Promise<Side> {
  const backEnd = Helper.start('overload-back-end.js');
  const load = Helper.start('overload-load.js');
  let bridge: BridgeProcess | undefined;
  let sampling: NodeJS.Timeout | undefined;
  try {
    const { port } = await backEnd.ask<{ port: number }>(CAPACITY);
    bridge = await BridgeProcess.spawnWith({
      deadline: `${DEADLINE_MS}ms`,
      systems: { exchange: { type: 'exchange-ews', url: `http://127.0.0.1:${port}/EWS/Exchange.asmx`, auth: 'basic', username: 'CORP\\bench', password: 'bench-upstream', domains: [DOMAIN], concurrency } },
      clients: [{ name: 'Zimbra', username: 'zimbra', password: 'bench-face', from: 'outside', mayAsk: ['exchange'], detail: 'busy-type' }],
    });
    await untilAnswers(`${bridge.origin}/healthz`);
    const work: Flood = { origin: bridge.origin, headers: { authorization: AUTHORIZATION }, domain: DOMAIN, start: MONDAY, end: MONDAY + WEEK_MS, perSecond: times * PER_SECOND, durationMs };
    // A process that has answered nothing yet is slower and smaller than it will be.
    await load.ask({ ...work, domain: DOMAIN, perSecond: PER_SECOND / 2, durationMs: 3_000 } satisfies Flood);
    const { pid } = bridge;
    const rss = [rssMebibytes(pid)];
    sampling = setInterval(() => rss.push(rssMebibytes(pid)), 1_000);
    const { fates } = await load.ask<{ fates: readonly Fate[] }>(work);
    rss.push(rssMebibytes(pid));
    return { fates, seen: await backEnd.ask<Seen>(CAPACITY), rss };
  } finally {
    clearInterval(sampling);
    await Promise.all([bridge?.stop(), backEnd.stop(), load.stop()]);
  }
}

function row(name: string, side: Side): readonly string[] {
  const { fates, seen, rss } = side;
  const of = (...outcomes: readonly string[]): number => fates.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const [answered, busy, unanswered] = [of('answered'), of('BACKEND_BUSY', '503'), of('DEADLINE')];
  const took = tookOf(side, 'answered');
  const refusals = tookOf(side, 'BACKEND_BUSY');
  const counts = [fates.length, answered, busy, unanswered, fates.length - answered - busy - unanswered, lateOf(side)].map(String);
  const times = [percentile(took, 0.5), percentile(took, 0.99), percentile(refusals, 0.99)].map((ms) => ms.toFixed(0));
  return [name, ...counts, ...times, String(seen.most), [rss[0]!, rss.at(-1)!, Math.max(...rss)].map((one) => one.toFixed(0)).join(', ')];
}

function tookOf({ fates }: Side, outcome: string): readonly number[] {
  return fates.filter((one) => one.outcome === outcome).map(({ tookMs }) => tookMs);
}

function lateOf({ fates }: Side): number {
  return fates.filter(({ tookMs }) => tookMs > DEADLINE_MS + GRACE_MS).length;
}

/** Linux only; NaN elsewhere. */
function rssMebibytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1_024;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw error;
  }
}
