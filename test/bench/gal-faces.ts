import { hasSlapd } from '../peers/slapd.ts';
import { BridgeProcess } from './bridge-process.ts';
import { freePort, Helper } from './child-process.ts';
import { untilShown } from './gal-changes.ts';
import { everyFace } from './gal-face-rounds.ts';
import type { GalInProcessResult } from './gal-in-process.ts';
import { bridgeOver, memoryOf, restartToAnswer, WATCHING, wholePass, withoutAddressBook } from './gal-process.ts';
import { PREFIXES } from './gal-questions.ts';
import { everybodyByLdapsearch, startManySlapd } from './gal-slapd.ts';
import { median, percentile, spread } from './statistics.ts';
import { goal, table } from './table.ts';

/** Fewer and shorter while something is worked on: GAL_PEOPLE=5000 GAL_ROUND_MS=2000. */
const PEOPLE = Number(process.env['GAL_PEOPLE'] ?? 100_000);
const RESTARTS = 3;

const IN_PROCESS_GOAL_MS = 10;
const LOAD_GOAL_MS = 3_000;
const BYTES_GOAL = 1_536;
const HOLD_GOAL_MS = 50;
const CHANGE_GOAL_MS = 60_000;

/** Figure 8: the address book of the real process, read from a real slapd, asked through every face. */
export async function addressBookFaces(): Promise<string> {
  if (!hasSlapd) return '8. The address book through its faces: not measured, no slapd is installed';
  const slapd = await startManySlapd(PEOPLE);
  const backEnd = Helper.start('ews-back-end.js');
  let bridge: BridgeProcess | undefined;
  try {
    const { port } = await backEnd.ask<{ port: number }>({});
    const ldapPort = await freePort();
    const keys = bridgeOver(`http://127.0.0.1:${port}/EWS/Exchange.asmx`, slapd, ldapPort);
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
      `8. The address book through its faces; ${own.entries.toLocaleString('en')} entries read from a slapd; ${loads.how}`,
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
