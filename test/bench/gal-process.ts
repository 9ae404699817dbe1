import { setTimeout as pause } from 'node:timers/promises';
import type { Slapd } from '../peers/slapd.ts';
import { BridgeProcess, DOMAIN, untilAnswers } from './bridge-process.ts';
import { galFaces } from './gal-questions.ts';
import { cpuTimeMs } from './machine.ts';

const READ_WITHIN_MS = 300_000;

/** May search, as a mail server that asks for its people does; held to the default rate. */
export const TYPING = { username: 'typing', password: 'bench-typing' } as const;
/** May take everything, and is counted nowhere. */
export const WATCHING = { username: 'watching', password: 'bench-watching' } as const;

/** Keys of bridge.yaml for a bridge that reads its people from a slapd and answers LDAP on a port. */
export function bridgeOver(upstream: string, { url, base, bindDn, password }: Slapd, ldapPort: number): object {
  const right = { from: 'outside', mayAsk: ['exchange'], detail: 'busy-type' };
  return {
    systems: { exchange: { type: 'exchange-ews', url: upstream, auth: 'basic', username: 'CORP\\bench', password: 'bench-upstream', domains: [DOMAIN] } },
    clients: [{ name: 'Typing', ...TYPING, ...right, gal: 'search' }, { name: 'Watching', ...WATCHING, ...right, gal: 'sync' }],
    gal: { sources: [{ type: 'ldap', url: url.href.replace(/\/$/, ''), base, bindDn, password, home: 'exchange' }], ldap: { listen: `ldap://127.0.0.1:${ldapPort}` } },
  };
}

/** In bytes, as its own metrics say it. */
export interface Memory {
  readonly rss: number;
  readonly heap: number;
}

export async function memoryOf(bridge: BridgeProcess): Promise<Memory> {
  return { rss: await bridge.metric('process_resident_memory_bytes'), heap: await bridge.metric('nodejs_heap_size_used_bytes') };
}

/** The same bridge with no address book, beside which the other's memory and start are seen. */
export async function withoutAddressBook(keys: object): Promise<Memory & { readonly startMs: number }> {
  const started = performance.now();
  const bridge = await BridgeProcess.spawnWith({ ...keys, gal: undefined });
  try {
    await untilAnswers(`${bridge.origin}/healthz`);
    return { startMs: performance.now() - started, ...(await memoryOf(bridge)) };
  } finally {
    await bridge.stop();
  }
}

/** The first reading, from a spawned bridge with an empty dataDir (`started` is when) until everybody is there. */
export async function wholePass(bridge: BridgeProcess, started: number): Promise<{ readonly sinceStartMs: number; readonly readingMs: number; readonly cpuMs: number; readonly holdMs: number }> {
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

/** Ends and spawns it; how many ms until somebody is found. */
export async function restartToAnswer(bridge: BridgeProcess): Promise<number> {
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

