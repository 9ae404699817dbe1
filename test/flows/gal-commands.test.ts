import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AD_BASE, ZIMBRA_BASE, startSlapd } from '../peers/slapd.ts';
import type { Slapd } from '../peers/slapd.ts';
import { Authority } from '../platform/certificates.ts';
import { deadPort } from './back-ends.ts';
import { folderWith, removeFolder, runCommand, startBridge, until } from './bridge-process.ts';
import { CutShort } from './cut-short.ts';
import { ASKERS, adPerson, becomes, hasSlapd, openTwoDirectories, report, zimbraAccount } from './two-directories.ts';
import type { GalBridge, TwoDirectories } from './two-directories.ts';

const authority = new Authority('Of the directory');
const stranger = new Authority('Of nobody we know');
afterAll(() => {
  authority.remove();
  stranger.remove();
});

describe.skipIf(!hasSlapd)('check (skipped without slapd)', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ tree: 'both', tls: authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 10) });
  });
  afterAll(() => slapd?.close());

  it('tells of each way in which a directory fails, in words, and what to do; and of the one that is well', async () => {
    const plain = await startSlapd({ tree: 'ad', access: ['access to attrs=entryUUID,modifyTimestamp by * none'] });
    const ldap = { type: 'ldap', url: slapd.url.href, base: AD_BASE, bindDn: slapd.bindDn, password: slapd.password };
    const system = { type: 'exchange-ews', url: `http://127.0.0.1:${await deadPort()}/EWS/Exchange.asmx`, username: 'a', password: 'b', domains: ['corp.example'] };
    const sources: readonly (readonly [what: string, source: Record<string, unknown>, said: RegExp])[] = [
      ['well', { ...ldap, url: slapd.ldapsUrl.href, tls: { ca: 'ca.pem' } }, /^ok .*/],
      ['a wrong password', { ...ldap, password: 'wrong' }, /^fail .*(?:sign-in|password|bindDn)/is],
      ['a wrong base', { ...ldap, base: 'dc=nowhere,dc=example' }, /^(?:fail|warn) .*base/is],
      ['TLS that nobody here trusts', { ...ldap, url: slapd.ldapsUrl.href, base: ZIMBRA_BASE, tls: { ca: 'stranger.pem' } }, /^fail .*(?:TLS|certificate).*tls\.ca/is],
      ['STARTTLS that nobody here trusts', { ...ldap, base: ZIMBRA_BASE, startTls: true, tls: { ca: 'stranger.pem' } }, /^fail .*certificate/is],
      ['a server without STARTTLS', { ...ldap, url: plain.url.href, base: `ou=Staff,${AD_BASE}`, startTls: true }, /^fail .*TLS/is],
      ['nobody who listens', { ...ldap, url: `ldap://127.0.0.1:${await deadPort()}` }, /^fail .*(?:refused|reach|port)/is],
      ['a server that is no directory', { ...ldap, url: `ldap://127.0.0.1:${new URL(slapd.ldapsUrl.href).port}` }, /^fail .*/is],
      ['a filter that finds nobody', { ...ldap, filter: '(mail=nobody@nowhere.example)' }, /^warn .*(?:none|0 entries).*filter/is],
      ['a filter that is none', { ...ldap, filter: '(mail)' }, /^fail .*filter/is],
      ['a directory that shows no ids', { ...ldap, url: plain.url.href }, /^warn .*entryUUID/is],
      ['a file that is not there', { type: 'file', path: 'missing.ldif' }, /^fail .*(?:missing|no such file|not there|does not exist)/is],
      ['a file that is no LDIF', { type: 'file', path: 'broken.ldif' }, /^(?:fail|warn) .*/is],
    ];
    const { folder, file } = await folderWith({ systems: { exchange: system }, clients: [], gal: { sources: sources.map(([, source]) => source) } }, { 'ca.pem': authority.certificate, 'stranger.pem': stranger.certificate, 'broken.ldif': 'dn cn=x\nthis is no LDIF\n' });
    try {
      const { code, stdout } = await runCommand(['check', '--config', file, '--json']);
      expect(code).toBe(1);
      const checked = (JSON.parse(stdout) as readonly { readonly kind: string; readonly name: string; readonly findings: readonly { readonly outcome: string; readonly text: string; readonly advice?: string }[] }[]).filter(({ kind }) => kind === 'directory');
      expect(checked).toHaveLength(sources.length);
      for (const [index, [what, , said]] of sources.entries()) {
        const { findings } = checked[index]!;
        const worst = findings.find(({ outcome }) => outcome === 'fail') ?? findings.find(({ outcome }) => outcome === 'warn') ?? findings[0]!;
        const line = `${worst.outcome} ${worst.text} → ${worst.advice ?? ''}`;
        report(`check: ${what}: ${line}`);
        expect(line, what).toMatch(said);
        if (worst.outcome !== 'ok') expect(worst.advice, what).toEqual(expect.stringMatching(/\w/));
        expect(JSON.stringify(findings), what).not.toContain(slapd.password);
      }
      const lines = (await runCommand(['check', '--config', file])).stdout;
      expect(lines.match(/^(?:ok|warn|fail)\b.*\bdirectory\b/gm)).toHaveLength(sources.length);
    } finally {
      await removeFolder(folder);
      await plain.close();
    }
  }, 60_000);
});

describe.skipIf(!hasSlapd)('gal search, export and status (skipped without slapd)', () => {
  let world: TwoDirectories;
  let bridge: GalBridge;
  beforeAll(async () => {
    world = await openTwoDirectories({ people: `${zimbraAccount('zoe', 'Zoë Żuk', 1)}${adPerson('Ben Neu', 'displayName: Ben Neu', 'mail: ben@corp.example')}` });
    bridge = await world.start();
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await world?.close();
  });

  const gal = (file: string, ...args: readonly string[]): ReturnType<typeof runCommand> => runCommand(['gal', ...args, '--config', file]);

  it('say the same with a running bridge and without one', async () => {
    const { folder, file } = await folderWith(world.config());
    try {
      for (const args of [['search', 'mul', '--json'], ['search', 'room', '--as', 'zimbra', '--json'], ['search', 'zzz', '--json'], ['export', '--for', 'exchange', '--format', 'ldif'], ['export', '--for', 'zimbra', '--format', 'zmprov'], ['export', '--for', 'zimbra', '--json']]) {
        const [running, alone] = await Promise.all([gal(bridge.file, ...args), gal(file, ...args)]);
        const timeless = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)');
        expect([alone.code, timeless(alone.stdout)], args.join(' ')).toEqual([running.code, timeless(running.stdout)]);
        expect(alone.code, args.join(' ')).toBe(0);
      }
      const [running, alone] = [await gal(bridge.file, 'status', '--json'), await gal(file, 'status', '--json')].map(({ code, stdout }) => ({ code, ...(JSON.parse(stdout) as { readonly entries: number; readonly hidden: number; readonly sources: readonly { readonly entries: number; readonly isOld: boolean }[] }) }));
      expect([alone!.code, alone!.entries, alone!.hidden, alone!.sources.map(({ entries, isOld }) => [entries, isOld])]).toEqual([running!.code, running!.entries, running!.hidden, running!.sources.map(({ entries, isOld }) => [entries, isOld])]);
      expect((await gal(bridge.file, 'search', 'mul')).stdout).toMatch(/Müller, Bernd +bernd@corp\.example.*exchange/);
      expect((await gal(bridge.file, 'search', 'mul', '--as', 'none')).code).toBe(1);
      expect((await gal(bridge.file, 'search', 'mul', '--as', 'nobody')).code).toBe(2);
    } finally {
      await removeFolder(folder);
    }
  }, 60_000);

  it('what export prints for Exchange a directory takes, and then nothing is left to add', async () => {
    const contacts = `ou=Zimbra Contacts,${AD_BASE}`;
    const { stdout } = await gal(bridge.file, 'export', '--for', 'exchange', '--format', 'ldif', '--base', contacts);
    expect(stdout).toContain('mail: zoe@zimbra.example');
    // Whom Exchange's directory has already, and its own.
    for (const address of ['kim@zimbra.example', 'lee@zimbra.example', 'ben@corp.example', 'hal@zimbra.example']) expect(stdout).not.toContain(`\nmail: ${address}`);
    // The schema beside this suite has mail attributes in a class of its own, which Active Directory has everywhere.
    const adapted = stdout.replaceAll(/^objectClass: contact$/gm, 'objectClass: contact\nobjectClass: mailRecipient').replaceAll(/^cn: (.*)$/gm, 'cn: $1\nsn: $1').replaceAll(/^(sn: .*)\n(?=(?:.+\n)*?sn:)/gm, '');
    const modify = spawn('ldapmodify', ['-x', '-c', '-H', world.ad.url.href, '-D', 'cn=root,dc=example', '-w', 'pw-of-root'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    modify.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    modify.stdin.end(adapted);
    expect([(await once(modify, 'close'))[0], said]).toEqual([0, '']);
    const tookMs = await becomes(async () => JSON.parse((await gal(bridge.file, 'export', '--for', 'exchange', '--json')).stdout) as { readonly add: readonly unknown[]; readonly remove: readonly unknown[] }, ({ add }) => add.length === 0);
    report(`contacts exported, imported with ldapmodify and known after ${(tookMs / 1_000).toFixed(1)} s`);
    const { results } = JSON.parse((await gal(bridge.file, 'search', 'zuk', '--json')).stdout) as { readonly results: readonly { readonly address: string; readonly home: string; readonly kind: string }[] };
    expect(results).toMatchObject([{ address: 'zoe@zimbra.example', home: 'zimbra', kind: 'person' }]);
  }, 100_000);
});

describe.skipIf(!hasSlapd)('a directory that is slow (skipped without slapd)', () => {
  it.each([
    ['gives its answer octet by octet', 400],
    ['takes the connection and says nothing', 0],
  ])('and %s holds up neither the start, nor a reload, nor the end', async (_what, octetsPerSecond) => {
    const world = await openTwoDirectories({ apart: true });
    const way = await CutShort.before(world.ad.url);
    if (octetsPerSecond > 0) way.octetsPerSecond = octetsPerSecond;
    else world.ad.signal('SIGSTOP');
    const { sources, ldap } = world.config()['gal'] as { readonly sources: readonly Record<string, unknown>[]; readonly ldap: unknown };
    const config = world.config({ gal: { sources: [{ ...sources[0], url: way.url }, sources[1]], ldap } });
    try {
      const bridge = await startBridge(config);
      await until(() => (way.open > 0 && bridge.process.stderr.includes('"a directory was read"')) || undefined, 15_000);
      const found = await fetch(`${bridge.url}/api/v1/directory?q=red`, { headers: { authorization: `Basic ${btoa(`${ASKERS.sync.username}:${ASKERS.sync.password}`)}` } });
      expect(await found.json()).toMatchObject({ results: [{ address: 'red@zimbra.example' }] });
      await bridge.write({ ...config, gal: { sources: [{ ...sources[0], url: way.url, filter: '(mail=*)' }, sources[1]], ldap } });
      const reloaded = await runCommand(['reload', '--config', bridge.file]);
      expect([reloaded.code, reloaded.durationMs < 6_000]).toEqual([0, true]);
      await until(() => way.open > 0 || undefined, 10_000);
      // Clients of the LDAP face that keep their connections, as a Zimbra's pool does; one has begun to say something.
      const idle = [connect(Number(new URL(bridge.urls.at(-1)!).port), '127.0.0.1'), connect(Number(new URL(bridge.urls.at(-1)!).port), '127.0.0.1')];
      for (const socket of idle) await once(socket.on('error', () => undefined), 'connect');
      idle[0]!.write(Buffer.from([0x30, 0x84, 0, 0]));
      const { code, tookMs } = await bridge.stop();
      for (const socket of idle) socket.destroy();
      report(`SIGTERM while it is being read: ${Math.round(tookMs)} ms; reload ${Math.round(reloaded.durationMs)} ms`);
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(5_000);
    } finally {
      world.ad.signal('SIGCONT');
      await way.close();
      await world.close();
    }
  }, 60_000);
});

