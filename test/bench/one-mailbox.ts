import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { encodeGetUserAvailabilityRequest } from '../../src/protocols/ews/get-user-availability.ts';
import { encodeRequest } from '../../src/protocols/ews/names.ts';
import type { ProxyWork } from './bare-proxy.ts';
import { AUTHORIZATION, BridgeProcess } from './bridge-process.ts';
import { expectedDigits } from './calendar.ts';
import { Helper } from './child-process.ts';
import type { Round, RoundResult } from './load-generator.ts';
import { cpuTimeMs } from './machine.ts';
import { addressOf, MONDAY, ONE_MAILBOX_PATHS, WEEK_MS } from './questions.ts';
import { median, percentile, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const GOAL = 0.35;
const ROUNDS = 7;
const ROUND_MS = 2_000;
const WARM_UP_MS = 3_000;

/** One side over all its rounds. */
interface Side {
  readonly perSecond: number[];
  /** Processor time of the server, ms a request. */
  readonly cpuMs: number[];
  readonly latencies: number[];
}

/** The body that goes upstream, as the bridge writes it. */
export function upstreamBody(mailboxes: number, start: number, end: number): string {
  const asked = Array.from({ length: mailboxes }, (_, index) => addressOf(index) as MailboxAddress);
  return encodeRequest(encodeGetUserAvailabilityRequest({ mailboxes: asked, window: { start, end }, details: false }));
}

/** Figure 1: an uncached one-mailbox OWA lookup through to an EWS back end, against a bare proxy of the same upstream. */
export async function oneMailbox(): Promise<string> {
  const backEnd = Helper.start('ews-back-end.js');
  const proxy = Helper.start('bare-proxy.js');
  const load = Helper.start('load-generator.js');
  let bridge: BridgeProcess | undefined;
  try {
    const { port } = await backEnd.ask<{ port: number }>({});
    const upstream = `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
    const work: ProxyWork = { upstream, one: upstreamBody(1, MONDAY, MONDAY + WEEK_MS), many: [] };
    const proxyOrigin = `http://127.0.0.1:${(await proxy.ask<{ port: number }>(work)).port}`;
    bridge = await BridgeProcess.start(upstream);
    await checkAnswer(bridge.origin);

    const upstreamRequests = async (): Promise<number> => (await backEnd.ask<{ requests: number }>({})).requests;
    const round = (origin: string, connections: number, durationMs: number): Promise<RoundResult> =>
      load.ask<RoundResult>({ origin, paths: ONE_MAILBOX_PATHS, headers: { authorization: AUTHORIZATION }, connections, durationMs } satisfies Round);
    const measured = async (side: Side, pid: number, origin: string, connections: number): Promise<void> => {
      const before = cpuTimeMs(pid);
      const result = await round(origin, connections, ROUND_MS);
      if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests failed`);
      side.perSecond.push(result.requests / (result.elapsedMs / 1000));
      side.cpuMs.push(before === undefined ? Number.NaN : (cpuTimeMs(pid)! - before) / result.requests);
      for (const latency of result.latencies) side.latencies.push(latency);
      counted += result.requests;
    };
    let counted = 0;
    const newSide = (): Side => ({ perSecond: [], cpuMs: [], latencies: [] });
    const [reference, ours, referenceAlone, oursAlone] = [newSide(), newSide(), newSide(), newSide()];

    await round(proxyOrigin, 32, WARM_UP_MS);
    await round(bridge.origin, 32, WARM_UP_MS);
    const upstreamBefore = await upstreamRequests();
    for (let index = 0; index < ROUNDS; index++) {
      await measured(reference, proxy.pid, proxyOrigin, 32);
      await measured(ours, bridge.pid, bridge.origin, 32);
    }
    for (let index = 0; index < 3; index++) {
      await measured(referenceAlone, proxy.pid, proxyOrigin, 1);
      await measured(oursAlone, bridge.pid, bridge.origin, 1);
    }
    const asked = (await upstreamRequests()) - upstreamBefore;

    const row = (name: string, side: Side): readonly string[] => [
      name,
      spread(side.perSecond, 0),
      percentile(side.latencies, 0.5).toFixed(2),
      percentile(side.latencies, 0.99).toFixed(2),
      spread(side.cpuMs, 2),
    ];
    const ratio = ratios(ours.perSecond, reference.perSecond);
    const cpuRatio = ratios(reference.cpuMs, ours.cpuMs);
    return [
      `1. One mailbox, a week of 14 meetings (EWS answer of ${(await answerBytes(upstream)).toLocaleString('en')} bytes), OWA face, Basic, nothing cached; ${ROUNDS} rounds of ${ROUND_MS / 1000} s each`,
      table([
        ['', 'requests/s', 'p50 ms', 'p99 ms', 'server CPU ms/request'],
        row('bare proxy, 32 connections', reference),
        row('bridge, 32 connections', ours),
        row('bare proxy, 1 connection', referenceAlone),
        row('bridge, 1 connection', oursAlone),
      ]),
      `  ratio by processor time of the two servers alone: ${spread(cpuRatio, 2)}; requests upstream for ${counted} answers: ${asked}`,
      goal(`requests/s of the bridge over the bare proxy's ≥ ${GOAL}`, spread(ratio, 2), median(ratio) >= GOAL),
    ].join('\n');
  } finally {
    await Promise.all([bridge?.stop(), backEnd.stop(), proxy.stop(), load.stop()]);
  }
}

/** What is measured must be the right answer, not a fast refusal. */
async function checkAnswer(origin: string): Promise<void> {
  const answer = await fetch(origin + ONE_MAILBOX_PATHS[0]!, { headers: { authorization: AUTHORIZATION } });
  const text = await answer.text();
  const digits = expectedDigits(0, MONDAY, MONDAY + WEEK_MS);
  if (text.split(`<a:fbdata>${digits}</a:fbdata>`).length !== 3) throw new Error(`not the right answer: ${answer.status} ${text.slice(0, 300)}`);
}

async function answerBytes(upstream: string): Promise<number> {
  const answer = await fetch(upstream, { method: 'POST', body: upstreamBody(1, MONDAY, MONDAY + WEEK_MS) });
  return (await answer.arrayBuffer()).byteLength;
}
