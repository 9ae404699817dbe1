import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flood, startOverloadedBackEnd } from '../bench/overload-world.ts';
import type { Fate, OverloadedBackEnd } from '../bench/overload-world.ts';
import { systemFor } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT } from './every-kind.ts';

/** Five seconds of what `npm run bench -- overload` does for a minute: twice as much is asked as the back end can take, every question about another mailbox. */

const CAPACITY = { atOnce: 4, serviceMs: 200 };
const PER_SECOND = (CAPACITY.atOnce * 1_000) / CAPACITY.serviceMs;
const DEADLINE_MS = 2_000;
/** The process under test shares two cores with the whole gate. */
const GRACE_MS = 3_000;

let backEnd: OverloadedBackEnd;
let bridge: RunningBridge;
let fates: readonly Fate[];

beforeAll(async () => {
  backEnd = await startOverloadedBackEnd(CAPACITY);
  bridge = await startBridge({
    deadline: `${DEADLINE_MS}ms`,
    admin: { listen: 'http://127.0.0.1:0' },
    systems: { exchange: systemFor('exchange-ews', { url: `http://127.0.0.1:${backEnd.port}` }, { domains: ['corp.example'], concurrency: CAPACITY.atOnce }) },
    clients: [{ ...JUDGE_CLIENT, mayAsk: ['exchange'] }],
  });
  const start = Date.UTC(2027, 0, 11);
  fates = await flood({ origin: bridge.url, headers: JUDGE, domain: 'corp.example', start, end: start + 7 * 86_400_000, perSecond: 2 * PER_SECOND, durationMs: 5_000 });
}, 60_000);
afterAll(async () => {
  await bridge.stop();
  await backEnd.close();
});

describe('a back end that is asked twice as much as it can take', () => {
  it('is never asked more at the same time than it may be', () => {
    // A request that ran out of its time is gone for the bridge a moment before the server sees its connection end.
    const abandoned = fates.filter(({ outcome }) => outcome === 'DEADLINE').length;
    expect(backEnd.seen().most).toBeGreaterThanOrEqual(CAPACITY.atOnce);
    expect(backEnd.seen().most).toBeLessThanOrEqual(CAPACITY.atOnce + abandoned);
  });

  it('answers some of it, and the others hear in time that they have no answer', () => {
    const counts = new Map<string, number>();
    for (const { outcome } of fates) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    expect(fates).toHaveLength(10 * PER_SECOND);
    // Busy is for those who would have waited in vain; a machine that stands still for long makes deadlines out of them.
    expect([...counts.keys()].filter((one) => !['answered', 'BACKEND_BUSY', 'DEADLINE', 'BACKEND_UNREACHABLE'].includes(one))).toEqual([]);
    expect(counts.get('answered')).toBeGreaterThan(PER_SECOND);
    expect(counts.get('BACKEND_BUSY')).toBeGreaterThan(0);
    expect(fates.filter(({ tookMs }) => tookMs > DEADLINE_MS + GRACE_MS)).toEqual([]);
  });

  it('has nobody waiting for it afterwards, and the metrics say what was refused', async () => {
    const text = await (await fetch(`${bridge.urls[1]!}/metrics`)).text();
    expect(text).toContain(`freebusy_backend_requests_in_flight{server="127.0.0.1:${backEnd.port}"} 0`);
    expect(text).toContain(`freebusy_backend_requests_waiting{server="127.0.0.1:${backEnd.port}"} 0`);
    expect(text).toContain(`freebusy_backend_concurrency{server="127.0.0.1:${backEnd.port}"} ${CAPACITY.atOnce}`);
    expect(text).toMatch(new RegExp(`freebusy_backend_refused_total\\{server="127.0.0.1:${backEnd.port}",reason="too-late"\\} [1-9]`));
  });
});
