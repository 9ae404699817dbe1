import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { addToRunningSandbox, listOfRunningSandbox, removeFromRunningSandbox } from '../../src/sandbox/control.ts';
import { readPointer, removePointer, writePointer } from '../../src/sandbox/pointer-file.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

const at = (text: string): number => Date.parse(text);
const clock = { now: () => at('2026-11-21T10:00:00Z') };
let directory: string;
let sandbox: Sandbox | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sandbox-test-'));
});
afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
  rmSync(directory, { recursive: true, force: true });
});

describe('the sandbox', () => {
  it('writes a bridge.yaml that points a bridge at its stand-ins', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: directory });
    const config = parse(sandbox.configYaml({ listen: 'http://127.0.0.1:8480', dataDir: '/tmp/x' })) as {
      readonly systems: Readonly<Record<string, { readonly type: string; readonly url: string; readonly domains: readonly string[] }>>;
      readonly clients: readonly { readonly name: string; readonly from: string; readonly mayAsk: readonly string[]; readonly password: string }[];
    };
    expect(Object.entries(config.systems).map(([name, one]) => [name, one.type, one.url, one.domains])).toEqual([
      ['exchange2003', 'exchange-webdav', sandbox.exchange2003.url, ['legacy.example']],
      ['exchange', 'exchange-ews', `${sandbox.exchangeEws.url}/EWS/Exchange.asmx`, ['corp.example']],
      ['zimbra', 'zimbra', sandbox.zimbra.url, ['zimbra.example']],
    ]);
    expect(config.clients.map((one) => [one.name, one.from, one.mayAsk])).toEqual([
      ['zimbra', 'zimbra', ['exchange2003', 'exchange']],
      ['exchange', 'exchange', ['zimbra']],
      ['curl', 'outside', ['exchange2003', 'exchange', 'zimbra']],
    ]);
    expect(new Set(config.clients.map((one) => one.password)).size).toBe(3);
  });

  it('tells the bridge to replicate Zimbra into both Exchanges, with an administrator of another password, unless it is told not to', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: false });
    const options = { listen: 'http://127.0.0.1:8480', dataDir: directory };
    interface Written { readonly replication?: unknown; readonly notify?: { readonly secret: string }; readonly redis?: string; readonly admin?: unknown; readonly systems: { readonly zimbra: Readonly<Record<string, unknown>> } }
    const config = parse(sandbox.configYaml({ ...options, redis: 'redis://127.0.0.1:6379/3', adminListen: 'http://127.0.0.1:8481' })) as Written;
    expect(config.replication).toEqual([{ from: 'zimbra', to: 'exchange2003' }, { from: 'zimbra', to: 'exchange' }]);
    expect(config.notify?.secret).toBe(sandbox.notifySecret);
    expect([config.redis, config.admin]).toEqual(['redis://127.0.0.1:6379/3', { listen: 'http://127.0.0.1:8481' }]);
    expect(config.systems.zimbra['adminUrl']).toBe(sandbox.zimbra.url);
    expect(config.systems.zimbra['admin']).toEqual(sandbox.accounts.zimbraAdmin);
    expect(sandbox.accounts.zimbraAdmin.password).not.toBe(sandbox.accounts.zimbra.password);
    const without = parse(sandbox.configYaml({ ...options, replication: false })) as Written;
    expect([without.replication, without.notify]).toEqual([undefined, undefined]);
  });

  it.each([true, false])('writes a bridge.yaml that the bridge takes, with nothing to warn about (replication: %s)', async (replication) => {
    sandbox = await createSandbox({ clock, pointerDirectory: false });
    const file = join(directory, 'bridge.yaml');
    writeFileSync(file, sandbox.configYaml({ listen: 'http://127.0.0.1:0', dataDir: directory, adminListen: 'http://127.0.0.1:0', replication }), { mode: 0o600 });
    const config = await loadConfig(file, {});
    expect(config.replication).toHaveLength(replication ? 2 : 0);
    expect(config.warnings).toEqual([]);
  });

  it('signals at the WaitSet what is added by command, and shows Exchange’s users what was written about Zimbra’s', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: false });
    const changed: string[] = [];
    sandbox.calendars.zimbra.onChange((address) => changed.push(address));
    await addToRunningSandbox(sandbox.control, 'KIM@zimbra.example', { start: at('2026-11-21T09:00:00Z'), end: at('2026-11-21T10:00:00Z'), type: 'busy' });
    sandbox.addEntry('lee@zimbra.example', { start: at('2026-11-21T09:00:00Z'), end: at('2026-11-21T10:00:00Z'), type: 'busy' });
    expect(changed).toEqual(['kim@zimbra.example', 'lee@zimbra.example']);
    expect(sandbox.exchange2003.published()).toEqual([]);
    expect(sandbox.zimbra.accounts.byAddress('lee@zimbra.example')?.foreignPrincipal).toBe('ad:larsen');
    expect(sandbox.zimbra.accounts.all().filter((one) => one.isSystem === true).map((one) => one.address)).toEqual(['galsync.sandbox@zimbra.example']);
  });

  it('has new credentials at each start', async () => {
    const one = await createSandbox({ clock, pointerDirectory: false });
    const other = await createSandbox({ clock, pointerDirectory: false });
    await Promise.all([one.close(), other.close()]);
    expect(one.clients.curl.password).not.toBe(other.clients.curl.password);
    expect(one.control.token).not.toBe(other.control.token);
  });

  it('has three calendars at each stand-in, with something on today and one entry over the end of the month', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: false });
    const { exchange2003, exchangeEws, zimbra } = sandbox.calendars;
    for (const store of [exchange2003, exchangeEws, zimbra]) {
      // Beside the account with which the bridge reads, a system account, and Mia, who shows nobody.
      expect(store.mailboxes().filter(({ address }) => !/^(?:bridge|galsync.*|mia)@/.test(address))).toHaveLength(3);
      const entries = store.mailboxes().flatMap(({ address }) => store.list(address));
      expect(entries.some((one) => one.start >= at('2026-11-21T00:00:00Z') && one.end <= at('2026-11-22T00:00:00Z'))).toBe(true);
      expect(entries.some((one) => one.start === at('2026-11-30T22:00:00Z') && one.end === at('2026-12-01T02:00:00Z'))).toBe(true);
    }
  });

  it('lets entries be added and listed by a command that finds it by its pointer file', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: directory });
    const pointer = readPointer(directory)!;
    expect(pointer).toEqual(sandbox.control);
    const added = await addToRunningSandbox(pointer, 'KIM@zimbra.example', { start: at('2026-12-24T09:00:00Z'), end: at('2026-12-24T10:00:00Z'), type: 'oof', subject: 'Gifts' });
    expect(added).toMatchObject({ start: '2026-12-24T09:00:00.000Z', end: '2026-12-24T10:00:00.000Z', type: 'oof', subject: 'Gifts', private: false });
    expect(sandbox.calendars.zimbra.touching('kim@zimbra.example', at('2026-12-24T00:00:00Z'), at('2026-12-25T00:00:00Z'))).toHaveLength(1);
    expect((await listOfRunningSandbox(pointer, 'kim@zimbra.example')).at(-1)).toEqual(added);
  });

  it('lets entries of every kind be added and taken out again, and the stand-ins’ subscribers hear of it', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: false });
    const heard: string[] = [];
    sandbox.calendars.exchangeEws.onChange((address, changes) => heard.push(...changes.map(({ kind }) => `${address} ${kind}`)));
    const before = await listOfRunningSandbox(sandbox.control, 'clara@corp.example');
    const kind = { type: 'tentative', sensitivity: 'confidential', isAllDay: true, isCancelled: true, reply: 'declined' } as const;
    const added = await addToRunningSandbox(sandbox.control, 'clara@corp.example', { start: at('2026-12-24T00:00:00Z'), end: at('2026-12-25T00:00:00Z'), ...kind });
    expect(added).toMatchObject({ ...kind, private: true });
    await removeFromRunningSandbox(sandbox.control, 'clara@corp.example', added.id);
    expect(heard).toEqual(['clara@corp.example created', 'clara@corp.example deleted']);
    expect(await listOfRunningSandbox(sandbox.control, 'clara@corp.example')).toEqual(before);
    await expect(removeFromRunningSandbox(sandbox.control, 'clara@corp.example', added.id)).rejects.toThrow('no such entry');
    await expect(removeFromRunningSandbox(sandbox.control, 'nobody@corp.example', added.id)).rejects.toThrow('no mailbox of that address');
  });

  it('refuses in words: an unknown mailbox, an entry that ends before it starts, a type that there is not', async () => {
    sandbox = await createSandbox({ clock, pointerDirectory: false });
    const entry = { start: 1_000, end: 2_000, type: 'busy' } as const;
    await expect(addToRunningSandbox(sandbox.control, 'nobody@zimbra.example', entry)).rejects.toThrow('no mailbox of that address');
    await expect(addToRunningSandbox(sandbox.control, 'kim@zimbra.example', { ...entry, end: 1_000 })).rejects.toThrow('ends after it starts');
    await expect(addToRunningSandbox(sandbox.control, 'kim@zimbra.example', { ...entry, type: 'drunk' as 'busy' })).rejects.toThrow('type is one of');
    await expect(addToRunningSandbox({ ...sandbox.control, token: 'wrong' }, 'kim@zimbra.example', entry)).rejects.toThrow('token');
    expect(sandbox.calendars.zimbra.touching('kim@zimbra.example', 0, 5_000)).toEqual([]);
  });
});

describe('the pointer file', () => {
  it('is the user’s own, and goes with its sandbox but not with an older one', async () => {
    const inside = join(directory, 'own');
    const older = await createSandbox({ clock, pointerDirectory: inside });
    sandbox = await createSandbox({ clock, pointerDirectory: inside });
    expect(statSync(inside).mode & 0o777).toBe(0o700);
    expect(statSync(join(inside, 'freebusy-bridge-sandbox.json')).mode & 0o777).toBe(0o600);
    await older.close();
    expect(readPointer(inside)?.token).toBe(sandbox.control.token);
    await sandbox.close();
    expect(readPointer(inside)).toBeUndefined();
  });

  it('of a process that has gone is removed; one that is no pointer counts for nothing', () => {
    // Process ids end below 2^22 on Linux.
    writePointer(directory, { url: 'http://127.0.0.1:1', token: 't', pid: 2 ** 30 });
    expect(readPointer(directory)).toBeUndefined();
    expect(existsSync(join(directory, 'freebusy-bridge-sandbox.json'))).toBe(false);
    for (const text of ['', 'null', '{"url":1}', '[]']) {
      writeFileSync(join(directory, 'freebusy-bridge-sandbox.json'), text);
      expect(readPointer(directory)).toBeUndefined();
    }
    removePointer(directory, 't');
    chmodSync(directory, 0o700);
    expect(readPointer(join(directory, 'nowhere'))).toBeUndefined();
  });
});
