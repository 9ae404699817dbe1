import { Pool } from 'undici';
import { AUTHORIZATION, BridgeProcess, DOMAIN, untilAnswers } from './bridge-process.ts';
import { expectedDigits } from './calendar.ts';
import { Helper } from './child-process.ts';
import { MONDAY, owaPath, WEEK_MS } from './questions.ts';
import { percentile } from './statistics.ts';
import { goal, table } from './table.ts';

/** As many as the bridge lets in at a time. */
const LOOKUPS = 1_000;
const REPEATED = 5;
/** Longer than it takes to send them all, well within the deadline. */
const BACK_END_MS = 2_000;
const DAY_MS = 86_400_000;
const WEEK = owaPath(1, MONDAY, MONDAY + WEEK_MS);
const TUESDAY = owaPath(1, MONDAY + DAY_MS, MONDAY + 2 * DAY_MS);

/** Issue 7: 1,000 concurrent lookups of one mailbox make one upstream request. */
export async function oneUpstream(): Promise<string> {
  const underWay = await measured(BACK_END_MS, 1, { cacheFor: '0s' });
  const kept = await measured(0, REPEATED, {});
  const row = (name: string, { latencies, upstream }: Measured): readonly string[] => [name, String(latencies.length), String(upstream), percentile(latencies, 0.5).toFixed(0), percentile(latencies, 0.99).toFixed(0)];
  return [
    `One mailbox asked for by ${LOOKUPS} at the same time, half of them about a day of the others' week; Basic, OWA face, through the real process`,
    table([['', 'lookups', 'requests upstream', 'p50 ms', 'p99 ms'], row(`nothing kept, back end takes ${BACK_END_MS} ms`, underWay), row(`kept as by default, ${REPEATED} times over`, kept)]),
    goal('requests upstream for each', `${underWay.upstream}, ${kept.upstream}`, underWay.upstream === 1 && kept.upstream === 1),
  ].join('\n');
}

interface Measured {
  readonly latencies: readonly number[];
  readonly upstream: number;
}

async function measured(delayMs: number, rounds: number, system: object): Promise<Measured> {
  const backEnd = Helper.start('ews-back-end.js');
  let bridge: BridgeProcess | undefined;
  let pool: Pool | undefined;
  try {
    const { port } = await backEnd.ask<{ port: number }>({ delayMs });
    bridge = await BridgeProcess.spawnWith({
      systems: { exchange: { type: 'exchange-ews', url: `http://127.0.0.1:${port}/EWS/Exchange.asmx`, auth: 'basic', username: 'CORP\\bench', password: 'bench-upstream', domains: [DOMAIN], ...system } },
      clients: [{ name: 'Zimbra', username: 'zimbra', password: 'bench-face', from: 'outside', mayAsk: ['exchange'], detail: 'busy-type' }],
    });
    await untilAnswers(`${bridge.origin}/healthz`);
    const connections = (pool = new Pool(bridge.origin, { connections: LOOKUPS, pipelining: 1 }));
    const get = async (path: string): Promise<string> => {
      const { statusCode, body } = await connections.request({ method: 'GET', path, headers: { authorization: AUTHORIZATION } });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${statusCode} ${text.slice(0, 300)}`);
      return text;
    };
    // Every connection is there before the first lookup.
    await Promise.all(Array.from({ length: LOOKUPS }, () => get('/healthz')));
    const latencies: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        Array.from({ length: LOOKUPS }, async (_, index) => {
          const started = performance.now();
          const [path, start, end] = index % 2 === 0 ? ([WEEK, MONDAY, MONDAY + WEEK_MS] as const) : ([TUESDAY, MONDAY + DAY_MS, MONDAY + 2 * DAY_MS] as const);
          const text = await get(path);
          latencies.push(performance.now() - started);
          if (!text.includes(`<a:fbdata>${expectedDigits(0, start, end)}</a:fbdata>`)) throw new Error(`not the right answer: ${text.slice(0, 300)}`);
        }),
      );
    }
    return { latencies, upstream: (await backEnd.ask<{ requests: number }>({})).requests };
  } finally {
    await pool?.close();
    await Promise.all([bridge?.stop(), backEnd.stop()]);
  }
}
