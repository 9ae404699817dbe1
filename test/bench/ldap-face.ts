import { Client } from 'ldapts';
import { Helper } from './child-process.ts';
import { cpuTimeMs } from './machine.ts';
import { percentile } from './statistics.ts';
import { goal, table } from './table.ts';

const PEOPLE = 100_000;
const PER_SECOND = 200;
const CONNECTIONS = 20;
const WARM_UP_MS = 2_000;
const ROUND_MS = 10_000;
const P99_GOAL_MS = 50;

/** What people type first, and a little later. */
const PREFIXES: readonly (readonly [name: string, prefixes: readonly string[]])[] = [
  ['one character', ['a', 'b', 'c', 'g', 'm', 's']],
  ['three characters', ['anb', 'mar', 'ste', 'güh', 'tho', 'kar']],
];

/** Figure: Zimbra's auto complete at the LDAP face, 100,000 people, so many requests a second whatever the answers take. */
export async function ldapFace(): Promise<string> {
  const face = Helper.start('ldap-face-server.js');
  try {
    const { url } = await face.ask<{ url: string }>({ people: PEOPLE });
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, async () => signedIn(url, 'cn=search,dc=bridge')));
    const rows: (readonly string[])[] = [];
    const goals: string[] = [];
    for (const [name, prefixes] of PREFIXES) {
      await load(clients, prefixes, WARM_UP_MS);
      const before = cpuTimeMs(face.pid);
      const { latencies, entries } = await load(clients, prefixes, ROUND_MS);
      const cpuMs = before === undefined ? Number.NaN : (cpuTimeMs(face.pid)! - before) / latencies.length;
      const p99 = percentile(latencies, 0.99);
      rows.push([name, String(latencies.length), (entries / latencies.length).toFixed(0), percentile(latencies, 0.5).toFixed(1), p99.toFixed(1), cpuMs.toFixed(2)]);
      goals.push(goal(`p99 at ${PER_SECOND} requests/s ≤ ${P99_GOAL_MS} ms, ${name}`, `${p99.toFixed(1)} ms`, p99 <= P99_GOAL_MS));
    }
    const whole = await everybody(url);
    rows.push(['everybody, pages of 1,000 (one client)', '1', String(whole.entries), whole.ms.toFixed(0), '', '']);
    await Promise.all(clients.map((client) => client.unbind()));
    return [`The LDAP face, ${PEOPLE.toLocaleString('en')} people; ${CONNECTIONS} connections, ${PER_SECOND} requests/s for ${ROUND_MS / 1000} s`, table([['', 'requests', 'entries each', 'p50 ms', 'p99 ms', 'server CPU ms'], ...rows]), ...goals].join('\n');
  } finally {
    await face.stop();
  }
}

async function signedIn(url: string, name: string): Promise<Client> {
  const client = new Client({ url });
  await client.bind(name, 'bench');
  return client;
}

/** Sends at a fixed rate: a slow answer does not spare the next one. Times count from when a request was due. */
async function load(clients: readonly Client[], prefixes: readonly string[], durationMs: number): Promise<{ readonly latencies: readonly number[]; readonly entries: number }> {
  const latencies: number[] = [];
  const answers: Promise<void>[] = [];
  let entries = 0;
  const started = performance.now();
  for (let sent = 0; ; sent++) {
    const due = started + (sent * 1000) / PER_SECOND;
    if (due - started >= durationMs) break;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    answers.push(
      autoComplete(clients[sent % clients.length]!, prefixes[sent % prefixes.length]!).then((count) => {
        entries += count;
        latencies.push(performance.now() - due);
      }),
    );
  }
  await Promise.all(answers);
  return { latencies, entries };
}

/** As a stock Zimbra asks (zimbra.md §6.3), with the limit of its auto complete. */
async function autoComplete(client: Client, key: string): Promise<number> {
  const filter = `(|(cn=${key}*)(sn=${key}*)(gn=${key}*)(mail=${key}*))`;
  const attributes = ['displayName', 'cn', 'givenName', 'gn', 'sn', 'mail', 'title', 'company', 'ou', 'telephoneNumber', 'modifyTimeStamp', 'createTimeStamp', 'objectClass'];
  const { searchEntries } = await client.search('', { scope: 'sub', filter, attributes, sizeLimit: 20 }).catch((error: { readonly code?: number }) => {
    // More than twenty: nothing else may go wrong.
    if (error.code !== 4) throw error;
    return { searchEntries: Array.from({ length: 20 }) };
  });
  if (searchEntries.length === 0) throw new Error(`nobody begins with ${key}: not the right answer`);
  return searchEntries.length;
}

async function everybody(url: string): Promise<{ readonly entries: number; readonly ms: number }> {
  const client = await signedIn(url, 'cn=sync,dc=bridge');
  const started = performance.now();
  const { searchEntries } = await client.search('dc=bridge', { scope: 'sub', filter: '(|(cn=*)(sn=*)(gn=*)(mail=*))', attributes: ['cn', 'mail'], paged: { pageSize: 1_000 } });
  const ms = performance.now() - started;
  await client.unbind();
  if (searchEntries.length !== PEOPLE) throw new Error(`${searchEntries.length} of ${PEOPLE} entries came`);
  return { entries: searchEntries.length, ms };
}
