import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AD_BASE, writeManyPeople } from '../peers/slapd.ts';
import { runCommand, startBridge, until } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { apiFinds, ldapsearch, zimbraJson } from './directory-askers.ts';
import { ASKERS, becomes, hasSlapd, killed, openTwoDirectories, report, startAgain } from './two-directories.ts';
import type { TwoDirectories } from './two-directories.ts';

const { sync } = ASKERS;
const COUNT = 4_000;

/** Thousands of people: a kill in the middle of their first reading, and an administrator who removes most of them. */
describe.skipIf(!hasSlapd)('thousands of people in a directory (skipped without slapd)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'many-people-'));
  let world: TwoDirectories;
  let bridge: RunningBridge;
  let again: Awaited<ReturnType<typeof startAgain>> | undefined;
  beforeAll(async () => {
    const ldif = join(folder, 'many.ldif');
    await writeManyPeople(ldif, COUNT);
    world = await openTwoDirectories({ slapd: { ldif } });
  }, 60_000);
  afterAll(async () => {
    await again?.process.stop();
    await bridge?.stop();
    await world?.close();
    rmSync(folder, { recursive: true });
  });

  interface Status {
    readonly entries: number;
    readonly sources: readonly { readonly entries: number; readonly isOld: boolean; readonly failure: string | null }[];
  }
  const status = async (): Promise<Status> => JSON.parse((await runCommand(['gal', 'status', '--json', '--config', bridge.file])).stdout) as Status;
  const addresses = async (url: string): Promise<readonly string[]> => {
    const { body } = await zimbraJson(url, sync, { SyncGalRequest: { _jsns: 'urn:zimbraAccount' } });
    return (body['SyncGalResponse'] as { readonly cn: readonly { readonly _attrs: { readonly email: string } }[] }).cn.map(({ _attrs: { email } }) => email).sort();
  };

  it('a kill -9 in the middle of the first reading costs nothing but time', async () => {
    bridge = await startBridge(world.config());
    const kept = join(bridge.folder, 'data', 'gal');
    const size = (): number => Math.max(0, ...readdirSync(kept).map((name) => statSync(join(kept, name)).size));
    await until(() => size() > 200_000 || undefined, 20_000);
    await killed(bridge.process);
    const left = size();
    again = await startAgain(bridge);
    const half = (await apiFinds(again.url, sync, 'p')).length;
    await becomes(async () => (await addresses(again!.url)).length, (count) => count >= COUNT, 30_000);
    report(`killed with ${left} octets of the first reading on disk; ${half} were found at once afterwards, all of them after the second`);
    const all = await addresses(again.url);
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((address) => /^p\d{6}@corp\.example$/.test(address))).toHaveLength(COUNT);
    // A second life of the same file, while the directory says nothing: nothing of it was written wrong.
    world.ad.signal('SIGSTOP');
    await killed(again.process);
    again = await startAgain(bridge);
    expect(await addresses(again.url)).toEqual(all);
    world.ad.signal('SIGCONT');
  }, 90_000);

  it('pages of two thousand give everybody once over LDAP', async () => {
    const found = await ldapsearch(again!.ldapUrl, sync, '(mail=*)', ['-E', 'pr=2000/noprompt'], ['mail']);
    expect(found.code).toBe(0);
    const mails = found.entries.map(({ mail }) => mail![0]!);
    expect([...mails].sort()).toEqual(await addresses(again!.url));
  });

  it('most of them removed at once: that is doubted first, said, and followed within a minute all the same', async () => {
    const gone = Array.from({ length: COUNT - 10 }, (_, index) => index + 10);
    const names = namesOf(gone);
    expect(names).toHaveLength(gone.length);
    const begun = performance.now();
    await world.ad.add(names.map((dn) => `dn: ${dn}\nchangetype: delete\n`).join('\n'));
    const seen = new Set<string>();
    const tookMs = await becomes(async () => {
      const { sources } = await status();
      if (sources[0]!.failure !== null) seen.add(sources[0]!.failure);
      return addresses(again!.url);
    }, (all) => all.filter((address) => /^p\d{6}@/.test(address)).length === 10);
    report(`${gone.length} of ${COUNT} removed: followed ${(tookMs / 1_000).toFixed(1)} s after the last was, ${((performance.now() - begun) / 1_000).toFixed(1)} s after the first; meanwhile: ${[...seen].join(' ; ')}`);
    expect([...seen].join()).toMatch(/gone at once/);
    expect((await runCommand(['gal', 'status', '--config', bridge.file])).code).toBe(0);
  }, 120_000);

  /** As writeManyPeople names them; asked of slapd itself. */
  function namesOf(numbers: readonly number[]): readonly string[] {
    const stdout = execFileSync('ldapsearch', ['-x', '-LLL', '-o', 'ldif-wrap=no', '-H', world.ad.url.href, '-D', world.ad.bindDn, '-w', world.ad.password, '-b', `ou=many,${AD_BASE}`, '(mail=*)', '1.1'], { encoding: 'utf8', maxBuffer: 64 << 20 });
    const wanted = new Set(numbers.map((number) => String(number).padStart(6, '0')));
    return [...stdout.matchAll(/^dn: (.* (\d{6}),ou=.*)$/gm)].filter(([, , id]) => wanted.has(id!)).map(([, dn]) => dn!);
  }
});
