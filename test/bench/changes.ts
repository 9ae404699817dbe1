import { setTimeout as pause } from 'node:timers/promises';
import { BridgeProcess } from './bridge-process.ts';
import { ORGANISATION, STAND_IN_PASSWORD, ZIMBRA_DOMAIN } from './change-work.ts';
import type { ChangeResult, ChangeWork } from './change-work.ts';
import { Helper } from './child-process.ts';
import { percentile } from './statistics.ts';
import { goal, table } from './table.ts';

const MAILBOXES = 1_000;
const PER_SECOND = 50;
const DURATION_MS = 30_000;
const GOAL_P99_MS = 2_000;

/** Figure: from an appointment in Zimbra to the decoded message in Exchange, by WaitSet, queue, re-read and PROPPATCH; real process, private Redis. */
export async function changeToWritten(): Promise<string> {
  const world = Helper.start('change-world.js');
  const ask = <Answer>(work: ChangeWork): Promise<Answer> => world.ask<Answer>(work);
  let bridge: BridgeProcess | undefined;
  try {
    const urls = await ask<{ zimbra: string; exchange: string }>({ kind: 'listen', mailboxes: MAILBOXES });
    bridge = await BridgeProcess.spawnWith({
      systems: {
        zimbra: {
          type: 'zimbra', url: urls.zimbra, adminUrl: urls.zimbra, domains: [ZIMBRA_DOMAIN],
          username: `bridge@${ZIMBRA_DOMAIN}`, password: STAND_IN_PASSWORD, admin: { username: `admin@${ZIMBRA_DOMAIN}`, password: STAND_IN_PASSWORD },
        },
        exchange: {
          type: 'exchange-webdav', url: urls.exchange, auth: 'basic', username: 'LEGACY\\bridge', password: STAND_IN_PASSWORD,
          domains: ['legacy.example'], legacyExchangeDn: `${ORGANISATION}/cn=Recipients/cn={localPart}`,
        },
      },
      clients: [{ name: 'nobody', username: 'nobody', password: 'bench-nobody', from: 'outside', mayAsk: [] }],
      replication: [{ from: 'zimbra', to: 'exchange' }],
    });
    const began = performance.now();
    // The pass at start writes everybody once, and the first WaitSet asks for another one, which finds nothing to write.
    await untilWritten(ask, MAILBOXES);
    const firstPassMs = performance.now() - began;
    await pause(3_000);
    await bridge.eventLoopLagMs();
    const { delays, writes } = await ask<ChangeResult>({ kind: 'change', perSecond: PER_SECOND, durationMs: DURATION_MS });
    const lost = delays.filter((one) => one === Number.MAX_SAFE_INTEGER).length;
    const at = (share: number): string => percentile(delays, share).toFixed(0);
    const p99 = percentile(delays, 0.99);
    return [
      `5. Change to written: ${MAILBOXES} mailboxes, ${PER_SECOND} changes a second for ${DURATION_MS / 1_000} s, heard by WaitSet, found in the stand-in's decoded message`,
      table([
        ['changes', 'written in', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'never'],
        [String(delays.length), `${writes} messages`, at(0.5), at(0.9), at(0.99), at(1), String(lost)],
      ]),
      `  300 ms of each are the gathering of a burst; every mailbox for the first time: ${MAILBOXES} messages in ${(firstPassMs / 1_000).toFixed(1)} s; longest hold of the bridge's event loop ${(await bridge.eventLoopLagMs()).toFixed(0)} ms`,
      goal(`p99 of change to written ≤ ${GOAL_P99_MS} ms, none lost`, `${p99.toFixed(0)} ms, ${lost} lost`, p99 <= GOAL_P99_MS && lost === 0),
    ].join('\n');
  } finally {
    await bridge?.stop();
    await world.stop();
  }
}

async function untilWritten(ask: <Answer>(work: ChangeWork) => Promise<Answer>, count: number): Promise<void> {
  for (const until = performance.now() + 120_000; ; ) {
    const { writes } = await ask<{ writes: number }>({ kind: 'written' });
    if (writes >= count) return;
    if (performance.now() > until) throw new Error(`only ${writes} of ${count} messages were written`);
    await pause(100);
  }
}
