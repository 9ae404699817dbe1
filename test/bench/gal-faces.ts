import { setTimeout as pause } from 'node:timers/promises';
import type { Slapd } from '../peers/slapd.ts';
import { hasSlapd } from '../peers/slapd.ts';
import { BridgeProcess, DOMAIN, untilAnswers } from './bridge-process.ts';
import { freePort, Helper } from './child-process.ts';
import { untilShown } from './gal-changes.ts';
import type { GalInProcessResult } from './gal-in-process.ts';
import type { GalLoad, GalLoadResult } from './gal-load.ts';
import { galFaces, PREFIXES, RESULTS } from './gal-questions.ts';
import { everybodyByLdapsearch, startManySlapd } from './gal-slapd.ts';
import { cpuTimeMs, describeLoad } from './machine.ts';
import { median, percentile, spread } from './statistics.ts';
import { goal, table } from './table.ts';

/** Fewer (GAL_PEOPLE=5000) while something is worked on. */
const PEOPLE = Number(process.env['GAL_PEOPLE'] ?? 100_000);
const PER_SECOND = 200;
const CONNECTIONS = 20;
const WARM_UP_MS = 2_000;
const ROUND_MS = Number(process.env["GAL_ROUND"] ?? 10_000);
const RESTARTS = 3;
const READ_WITHIN_MS = 300_000;

const P99_GOAL_MS = 50;
const IN_PROCESS_GOAL_MS = 10;
const LOAD_GOAL_MS = 3_000;
const BYTES_GOAL = 1_536;
const HOLD_GOAL_MS = 50;
const CHANGE_GOAL_MS = 60_000;

/** May search, as a mail server that asks for its people does; held to the default rate. */
const TYPING = { username: 'typing', password: 'bench-typing' } as const;
/** May take everything, and is counted nowhere. */
const WATCHING = { username: 'watching', password: 'bench-watching' } as const;

/** Figure 8: the address book of the real process, read from a real slapd, asked through every face. */
export async function galFacesFigure(): Promise<string> {
  if (!hasSlapd) return '8. The address book through its faces: not measured, no slapd is installed';
  const slapd = await startManySlapd(PEOPLE);
  const backEnd = Helper.start('ews-back-end.js');
  let bridge: BridgeProcess | undefined;
  try {
    const { port } = await backEnd.ask<{ port: number }>({});
    const ldapPort = await freePort();
    const keys = configuration(`http://127.0.0.1:${port}/EWS/Exchange.asmx`, slapd, ldapPort);
    const bare = await withoutAddressBook(keys);
    const ldapsearchMs = await everybodyByLdapsearch(slapd);
    const started = performance.now();
    bridge = await BridgeProcess.spawnWith(keys);
    const pass = await wholePass(bridge, started);
    const afterPass = await memoryOf(bridge);
    const loads = await everyFace(bridge, slapd, `ldap://127.0.0.1:${ldapPort}`);
    const changes = await untilShown(slapd, bridge.origin, WATCHING);
    const restarts: number[] = [];
    const restartHolds: number[] = [];
    for (let round = 0; round < RESTARTS; round++) {
      restarts.push(await restartToAnswer(bridge));
      restartHolds.push(await bridge.eventLoopLagMs());
    }
    const afterRestart = await memoryOf(bridge);
    const own = await inProcess(bridge.configFile);
    const perEntry = own.bytes / own.entries;
    const slowest = Math.max(...changes.map(({ ms }) => ms));
    return [
      `8. The address book through its faces; ${own.entries.toLocaleString('en')} entries in a slapd; ${CONNECTIONS} connections, ${PER_SECOND} requests/s for ${ROUND_MS / 1000} s each; ${describeLoad()}`,
      loads.table,
      ...loads.goals,
      table([
        ['reading and keeping', ''],
        ['everybody by ldapsearch, pages of 1,000', `${(ldapsearchMs / 1000).toFixed(1)} s`],
        ['everybody into the bridge, the reading by itself', `${(pass.readingMs / 1000).toFixed(1)} s (${(pass.readingMs / ldapsearchMs).toFixed(1)} times ldapsearch), ${(pass.cpuMs / 1000).toFixed(1)} s of processor time`],
        ['from `serve` with an empty dataDir until everybody is there', `${(pass.sinceStartMs / 1000).toFixed(1)} s`],
        ['start without an address book until /healthz', `${bare.startMs.toFixed(0)} ms`],
        ['start with one until the first right answer', `${spread(restarts, 0)} ms`],
        ['memory (RSS) without, after the pass, after a restart', `${[bare, afterPass, afterRestart].map(({ rss }) => mib(rss)).join(', ')} MiB`],
        ['heap in use (uncollected) likewise', `${[bare, afterPass, afterRestart].map(({ heap }) => mib(heap)).join(', ')} MiB`],
      ]),
      goal(`load from disk ≤ ${LOAD_GOAL_MS} ms`, `${own.loadMs.toFixed(0)} ms in process, ${own.loadCpuMs.toFixed(0)} ms of processor time; from start to the first right answer ${median(restarts).toFixed(0)} ms`, median(restarts) <= LOAD_GOAL_MS),
      goal(`memory of the address book ≤ ${BYTES_GOAL} bytes an entry`, `${perEntry.toFixed(0)} bytes`, perEntry <= BYTES_GOAL),
      goal(`no hold over ${HOLD_GOAL_MS} ms in the whole pass`, `${pass.holdMs.toFixed(0)} ms`, pass.holdMs <= HOLD_GOAL_MS),
      goal(`no hold over ${HOLD_GOAL_MS} ms while it is loaded`, `${own.holdMs.toFixed(0)} ms in process; ${spread(restartHolds, 0)} ms in the real one, its modules' loading with it`, own.holdMs <= HOLD_GOAL_MS),
      ...PREFIXES.map(([name], index) => {
        const [p50, p99] = [0.5, 0.99].map((share) => percentile(own.latencies[index]!, share)) as [number, number];
        return goal(`${name}, in process: p99 ≤ ${IN_PROCESS_GOAL_MS} ms`, `p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)} ms`, p99 <= IN_PROCESS_GOAL_MS);
      }),
      goal(`a change in slapd is shown within ${CHANGE_GOAL_MS / 1000} s`, changes.map(({ what, ms }) => `${what} ${(ms / 1000).toFixed(1)} s`).join(', '), slowest <= CHANGE_GOAL_MS),
    ].join('\n');
  } finally {
    await Promise.all([bridge?.stop(), backEnd.stop(), slapd.close()]);
  }
}

function configuration(upstream: string, { url, base, bindDn, password }: Slapd, ldapPort: number): object {
  const right = { from: 'outside', mayAsk: ['exchange'], detail: 'busy-type' };
  return {
    systems: { exchange: { type: 'exchange-ews', url: upstream, auth: 'basic', username: 'CORP\\bench', password: 'bench-upstream', domains: [DOMAIN] } },
    clients: [{ name: 'Typing', ...TYPING, ...right, gal: 'search' }, { name: 'Watching', ...WATCHING, ...right, gal: 'sync' }],
    gal: { sources: [{ type: 'ldap', url: url.origin === 'null' ? url.href : url.origin, base, bindDn, password, home: 'exchange' }], ldap: { listen: `ldap://127.0.0.1:${ldapPort}` } },
  };
}

interface Memory {
  readonly rss: number;
  readonly heap: number;
}

async function memoryOf(bridge: BridgeProcess): Promise<Memory> {
  return { rss: await bridge.metric('process_resident_memory_bytes'), heap: await bridge.metric('nodejs_heap_size_used_bytes') };
}

/** The same bridge with no address book, beside which the other's memory and start are seen. */
async function withoutAddressBook(keys: object): Promise<Memory & { readonly startMs: number }> {
  const started = performance.now();
  const bridge = await BridgeProcess.spawnWith({ ...keys, gal: undefined });
  try {
    await untilAnswers(`${bridge.origin}/healthz`);
    return { startMs: performance.now() - started, ...(await memoryOf(bridge)) };
  } finally {
    await bridge.stop();
  }
}

async function wholePass(bridge: BridgeProcess, started: number): Promise<{ readonly sinceStartMs: number; readonly readingMs: number; readonly cpuMs: number; readonly holdMs: number }> {
  await untilAnswers(`${bridge.origin}/healthz`);
  // What held the event loop until now was the start.
  await bridge.eventLoopLagMs();
  const cpu = cpuTimeMs(bridge.pid) ?? Number.NaN;
  for (;;) {
    const line = bridge.log().split('\n').find((one) => one.includes('a directory was read'));
    if (line !== undefined) {
      const { durationMs } = JSON.parse(line) as { readonly durationMs: number };
      return { sinceStartMs: performance.now() - started, readingMs: durationMs, cpuMs: (cpuTimeMs(bridge.pid) ?? Number.NaN) - cpu, holdMs: await bridge.eventLoopLagMs() };
    }
    if (performance.now() - started > READ_WITHIN_MS) throw new Error(`the directory is not read after ${READ_WITHIN_MS / 1000} s: ${bridge.log().slice(-500)}`);
    await pause(50);
  }
}

/** Every face and slapd itself in turn, with each list of prefixes. */
async function everyFace(bridge: BridgeProcess, slapd: Slapd, ldapUrl: string): Promise<{ readonly table: string; readonly goals: readonly string[] }> {
  const load = Helper.start('gal-load.js');
  try {
    const rows: (readonly string[])[] = [];
    const goals: string[] = [];
    for (const [name, prefixes] of PREFIXES) {
      const rate = { perSecond: PER_SECOND, connections: CONNECTIONS };
      const sides: readonly { readonly name: string; readonly work: Omit<GalLoad, 'durationMs'>; readonly pid: number }[] = [
        { name: 'slapd', pid: slapd.pid()!, work: { ...rate, ldap: { url: slapd.url.href, bindDn: slapd.bindDn, password: slapd.password, base: slapd.base, prefixes, sizeLimit: RESULTS } } },
        { name: 'LDAP', pid: bridge.pid, work: { ...rate, ldap: { url: ldapUrl, bindDn: `cn=${TYPING.username},dc=bridge`, password: TYPING.password, base: '', prefixes, sizeLimit: RESULTS } } },
        ...galFaces(TYPING.username, TYPING.password).map(({ name: face, request, ...http }) => ({ name: face, pid: bridge.pid, work: { ...rate, http: { origin: bridge.origin, ...http, requests: prefixes.map(request) } } })),
      ];
      let reference: number | undefined;
      const missed: string[] = [];
      for (const side of sides) {
        await load.ask<GalLoadResult>({ ...side.work, durationMs: WARM_UP_MS });
        await bridge.eventLoopLagMs();
        const before = cpuTimeMs(side.pid) ?? Number.NaN;
        const { latencies, failures, failure } = await load.ask<GalLoadResult>({ ...side.work, durationMs: ROUND_MS });
        if (failure !== undefined) goals.push(goal(`${side.name}, ${name}: every answer the right one`, `${failures} of ${latencies.length} are not: ${failure}`, false));
        const cpuMs = ((cpuTimeMs(side.pid) ?? Number.NaN) - before) / latencies.length;
        const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
        const isOurs = side.pid === bridge.pid;
        reference ??= p99;
        rows.push([`${name}: ${side.name}`, p50.toFixed(1), p99.toFixed(1), isOurs ? (p99 / reference).toFixed(2) : '1', cpuMs.toFixed(2), isOurs ? (await bridge.eventLoopLagMs()).toFixed(0) : '']);
        if (isOurs && p99 > P99_GOAL_MS) missed.push(`${side.name} ${p99.toFixed(1)} ms`);
      }
      goals.push(goal(`${name}: p99 ≤ ${P99_GOAL_MS} ms over each face`, missed.length === 0 ? 'every face' : missed.join(', '), missed.length === 0));
    }
    return { table: table([['', 'p50 ms', 'p99 ms', 'times slapd', 'server CPU ms', "bridge's loop delay ms"], ...rows]), goals };
  } finally {
    await load.stop();
  }
}

async function restartToAnswer(bridge: BridgeProcess): Promise<number> {
  const [face] = galFaces(TYPING.username, TYPING.password);
  await bridge.restart();
  const started = performance.now();
  for (;;) {
    const answer = await fetch(bridge.origin + face!.request('ann').path, { headers: face!.headers }).catch(() => undefined);
    if (answer?.status === 200 && (await answer.text()).includes(face!.found)) return performance.now() - started;
    if (performance.now() - started > READ_WITHIN_MS) throw new Error('no right answer after a restart');
    await pause(5);
  }
}

async function inProcess(configFile: string): Promise<GalInProcessResult> {
  const helper = Helper.start('gal-in-process.js');
  try {
    return await helper.ask<GalInProcessResult>({ configFile, questions: PREFIXES.map(([, prefixes]) => prefixes) });
  } finally {
    await helper.stop();
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
