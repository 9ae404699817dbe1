import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './bridge-process.ts';
import { CutShort } from './cut-short.ts';
import { apiFinds, galfind, resolvesName, zimbraCompletes, zimbraJson, zimbraLdap } from './directory-askers.ts';
import { askJson, basic } from './raw-http.ts';
import { ASKERS, STAFF, adPerson, becomes, hasSlapd, killed, openTwoDirectories, report, startAgain } from './two-directories.ts';
import type { GalBridge, TwoDirectories } from './two-directories.ts';

const { zimbra, exchange, sync } = ASKERS;
const HOUR = 3_600_000;
const day = (Math.floor(Date.now() / (24 * HOUR)) + 2) * 24 * HOUR;
const NOON = { start: day + 12 * HOUR, end: day + 13 * HOUR };
/** Of a domain that both systems list: only the directory knows whose it is. */
const SHARED = 'sue@shared.example';

interface Status {
  readonly entries: number;
  readonly sources: readonly { readonly label: string; readonly isOld: boolean; readonly failure: string | null; readonly entries: number }[];
}

/** issue 5: "a source that vanishes half-way keeps its entries, marked old", "a restart answers at once". */
describe.skipIf(!hasSlapd)('directories that are away (skipped without slapd)', () => {
  let world: TwoDirectories;
  let way: CutShort;
  let bridge: GalBridge;
  /** After the kill: another process and other ports. */
  let again: Awaited<ReturnType<typeof startAgain>> | undefined;
  beforeAll(async () => {
    world = await openTwoDirectories({ apart: true, people: adPerson('Sue Shared', `mail: ${SHARED}`, `proxyAddresses: SMTP:${SHARED}`) });
    world.calendars.exchange.addMailbox({ address: SHARED, displayName: 'Sue' });
    world.calendars.exchange.add(SHARED, { ...NOON, type: 'busy' });
    way = await CutShort.before(world.ad.url);
    const gal = world.config()['gal'] as { readonly sources: readonly Record<string, unknown>[] };
    bridge = await world.start({ gal: { ...gal, sources: [{ ...gal.sources[0], url: way.url }, gal.sources[1]] } });
  }, 60_000);
  afterAll(async () => {
    await again?.process.stop();
    await bridge?.stop();
    await way?.close();
    await world?.close();
  });

  const status = async (): Promise<{ readonly code: number | null; readonly status: Status }> => {
    const { code, stdout } = await runCommand(['gal', 'status', '--json', '--config', bridge.file]);
    return { code, status: JSON.parse(stdout) as Status };
  };
  /** What every face says of somebody of each side, and the calendar of somebody whose home only the directory knows. */
  const everyFace = async (at: { readonly url: string; readonly ldapUrl: string }): Promise<unknown> => {
    const both = <T>(ask: (text: string) => Promise<T>): Promise<readonly T[]> => Promise.all(['bernd', 'red'].map(ask));
    const busy = await askJson(at.url, basic(sync.username, sync.password), [SHARED], { start: day, end: day + 24 * HOUR });
    return {
      json: await both((text) => apiFinds(at.url, sync, text)),
      zimbra: await both((text) => zimbraCompletes(at.url, zimbra, text)),
      ldap: await both((text) => zimbraLdap(at.ldapUrl, zimbra, text)),
      ews: await both((text) => resolvesName(at.url, text)),
      owa: await both((text) => galfind(at.url, exchange, text)),
      busy: busy.results.map(({ busy: times }) => times?.map(({ type }) => type)),
    };
  };
  const WHOLE = {
    json: [['bernd@corp.example'], ['red@zimbra.example']],
    zimbra: [['bernd@corp.example'], []],
    ldap: [['bernd@corp.example'], ['red@zimbra.example']],
    ews: [['bernd@corp.example'], ['red@zimbra.example']],
    owa: [['bernd@corp.example'], ['red@zimbra.example']],
    busy: [['busy']],
  };

  it('a directory that breaks off in the middle of its answer keeps its entries; gal status calls it OLD, says why and ends with 1', async () => {
    expect(await everyFace(bridge)).toEqual(WHOLE);
    expect((await status()).code).toBe(0);
    way.octets = 600;
    await becomes(async () => way.cuts, (cuts) => cuts > 0, 30_000);
    await becomes(status, ({ code }) => code === 1, 20_000);
    const { status: now } = await status();
    expect(now.sources.map(({ isOld }) => isOld)).toEqual([true, false]);
    expect(now.sources[0]!.failure).toMatch(/connection|ended|broke|closed|reach/i);
    expect(now.sources[0]!.entries).toBe(12);
    const said = await runCommand(['gal', 'status', '--config', bridge.file]);
    expect(said.code).toBe(1);
    expect(said.stdout).toMatch(/OLD +failed: /);
    expect(await everyFace(bridge)).toEqual(WHOLE);
    report(`a directory cut off half-way: ${said.stdout.split('\n').find((line) => line.includes('OLD'))!.trim()}`);
  }, 90_000);

  it('both gone and the bridge killed: it starts again and answers at once, from disk', async () => {
    const { body } = await zimbraJson(bridge.url, sync, { SyncGalRequest: { _jsns: 'urn:zimbraAccount' } });
    const { token } = body['SyncGalResponse'] as { readonly token: string };
    await Promise.all([world.ad.stop('SIGKILL'), world.accounts.stop('SIGKILL'), killed(bridge.process)]);
    again = await startAgain(bridge);
    const begun = performance.now();
    expect(await apiFinds(again.url, sync, 'bernd')).toEqual(['bernd@corp.example']);
    report(`killed with -9, both slapds down: listening after ${Math.round(again.tookMs)} ms, the first answer ${Math.round(performance.now() - begun)} ms later`);
    expect(await everyFace(again)).toEqual(WHOLE);
    // Who kept a copy goes on from where it was.
    const since = await zimbraJson(again.url, sync, { SyncGalRequest: { _jsns: 'urn:zimbraAccount', token } });
    const { cn = [], deleted = [], fullSyncRecommended = false } = since.body['SyncGalResponse'] as { readonly cn?: readonly unknown[]; readonly deleted?: readonly unknown[]; readonly fullSyncRecommended?: boolean };
    expect([cn.length, deleted.length, fullSyncRecommended]).toEqual([0, 0, false]);
    await becomes(status, ({ code, status: { sources } }) => code === 1 && sources.every(({ isOld, failure }) => isOld && failure !== null), 20_000);
  }, 90_000);

  it('is followed again when it is back, what happened meanwhile too', async () => {
    way.octets = Infinity;
    await Promise.all([world.ad.start(), world.accounts.start()]);
    await world.ad.delete(`cn=Bernd Müller,${STAFF}`);
    await world.ad.add(adPerson('Berta Back', 'mail: berta@corp.example'));
    const tookMs = await becomes(async () => apiFinds(again!.url, sync, 'ber'), (found) => found.join() === 'berta@corp.example');
    report(`back: followed after ${(tookMs / 1_000).toFixed(1)} s`);
    await becomes(status, ({ code }) => code === 0, 20_000);
  }, 90_000);
});
