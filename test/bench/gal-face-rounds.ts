import type { Slapd } from '../peers/slapd.ts';
import type { BridgeProcess } from './bridge-process.ts';
import { Helper } from './child-process.ts';
import type { GalLoad, GalLoadResult } from './gal-load.ts';
import { TYPING } from './gal-process.ts';
import { galFaces, PREFIXES, RESULTS } from './gal-questions.ts';
import { cpuTimeMs, describeLoad } from './machine.ts';
import { percentile } from './statistics.ts';
import { goal, table } from './table.ts';

const PER_SECOND = 200;
const CONNECTIONS = 20;
const WARM_UP_MS = 2_000;
const ROUND_MS = Number(process.env['GAL_ROUND_MS'] ?? 10_000);
const P99_GOAL_MS = 50;

/** Every face and slapd itself in turn, with each list of prefixes. */
export async function everyFace(bridge: BridgeProcess, slapd: Slapd, ldapUrl: string): Promise<{ readonly how: string; readonly table: string; readonly goals: readonly string[] }> {
  const loadBefore = describeLoad();
  const load = Helper.start('gal-load.js');
  try {
    const rows: (readonly string[])[] = [];
    const goals: string[] = [];
    for (const [name, prefixes] of PREFIXES) {
      const rate = { perSecond: PER_SECOND, connections: CONNECTIONS };
      const sides: readonly { readonly name: string; readonly work: Omit<GalLoad, 'durationMs'>; readonly pid: number }[] = [
        { name: 'LDAP', pid: bridge.pid, work: { ...rate, ldap: { url: ldapUrl, bindDn: `cn=${TYPING.username},dc=bridge`, password: TYPING.password, base: '', prefixes, sizeLimit: RESULTS } } },
        ...galFaces(TYPING.username, TYPING.password).map(({ name: face, request, ...http }) => ({ name: face, pid: bridge.pid, work: { ...rate, http: { origin: bridge.origin, ...http, requests: prefixes.map(request) } } })),
        // Last: one that falls behind is at work for others' rounds too.
        { name: 'slapd', pid: slapd.pid()!, work: { ...rate, ldap: { url: slapd.url.href, bindDn: slapd.bindDn, password: slapd.password, base: slapd.base, prefixes, sizeLimit: RESULTS } } },
      ];
      const measured: { readonly name: string; readonly isOurs: boolean; readonly p50: number; readonly p99: number; readonly cpuMs: number; readonly lagMs: number }[] = [];
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
        measured.push({ name: side.name, isOurs, p50, p99, cpuMs, lagMs: await bridge.eventLoopLagMs() });
        if (isOurs && p99 > P99_GOAL_MS) missed.push(`${side.name} ${p99.toFixed(1)} ms`);
      }
      const reference = measured.at(-1)!;
      for (const { name: side, isOurs, p50, p99, cpuMs, lagMs } of measured) {
        rows.push([`${name}: ${side}`, p50.toFixed(1), p99.toFixed(1), (p50 / reference.p50).toFixed(4), (p99 / reference.p99).toFixed(4), cpuMs.toFixed(2), (cpuMs / reference.cpuMs).toFixed(2), isOurs ? lagMs.toFixed(0) : '']);
      }
      goals.push(goal(`${name}: p99 ≤ ${P99_GOAL_MS} ms over each face`, missed.length === 0 ? 'every face' : missed.join(', '), missed.length === 0));
    }
    return { how: `${CONNECTIONS} connections, ${PER_SECOND} requests/s for ${ROUND_MS / 1000} s each; ${loadBefore}, after them ${describeLoad()}`, goals, table: table([['', 'p50 ms', 'p99 ms', 'p50, times slapd', 'p99, times slapd', 'server CPU ms', 'times slapd', "bridge's loop delay ms"], ...rows]) };
  } finally {
    await load.stop();
  }
}

