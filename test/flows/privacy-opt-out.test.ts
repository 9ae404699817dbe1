import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { deadPort, ewsQueryBackEnd, systemFor } from './back-ends.ts';
import type { BackEnd } from './back-ends.ts';
import { Running, folderWith, removeFolder, runCommand, until } from './bridge-process.ts';
import { MEETINGS } from './every-kind.ts';
import { askJson, ask, basic } from './raw-http.ts';

/** Opting out with real processes: by command without a bridge and with one, by API; kept over kill -9; followed by a reload; and nothing starts when it cannot be told who has. */

let folder: string | undefined;
let bridge: Running | undefined;
let ews: BackEnd | undefined;
afterEach(async () => {
  await bridge?.stop();
  bridge = undefined;
  await ews?.close();
  if (folder !== undefined) await removeFolder(folder);
});

async function start(file: string): Promise<readonly string[]> {
  const running = new Running(['serve', '--config', file]);
  bridge = running;
  return until(() => {
    const urls = [...running.stdout.matchAll(/^listening on (\S+)$/gm)].map((match) => match[1]!);
    return urls.length === 2 ? urls : undefined;
  }, 15_000, () => running.stderr);
}

it('is in force at once, wherever it was said, and lasts', async () => {
  const people = ['anna', 'lee', 'kim', 'boss'].map((one) => `${one}@corp.example`);
  ews = await ewsQueryBackEnd(Object.fromEntries(people.map((one) => [one, MEETINGS])));
  const configuration = {
    listen: 'http://127.0.0.1:0',
    admin: { listen: `http://127.0.0.1:${await deadPort()}` },
    dataDir: 'data',
    systems: { ews: systemFor('exchange-ews', ews) },
    clients: [{ name: 'asker', username: 'asker', password: 'pw', mayAsk: ['ews'] }],
  };
  const made = await folderWith(configuration);
  folder = made.folder;
  const command = async (...args: readonly string[]): Promise<string> => {
    const ended = await runCommand(['privacy', ...args, '--config', made.file]);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    return ended.stdout;
  };
  expect(await command('list')).toBe('nobody is hidden\n');
  expect(await command('opt-out', 'Anna@corp.example', 'kim@corp.example')).toBe('anna@corp.example: has opted out\nkim@corp.example: has opted out\n');
  expect(await command('opt-in', 'kim@corp.example')).toBe('kim@corp.example: has opted in again\n');

  const [first = '', admin = ''] = await start(made.file);
  let url = first;
  const shown = async (): Promise<readonly string[]> => (await askJson(url, basic('asker', 'pw'), people)).results.map(({ mailbox, error }) => `${mailbox.split('@', 1)[0]!} ${error?.code ?? 'ok'}`);
  expect(await shown()).toEqual(['anna MAILBOX_UNKNOWN', 'lee ok', 'kim ok', 'boss ok']);
  expect((await ask(admin, '/api/v1/admin/privacy/lee@corp.example', { method: 'PUT' })).status).toBe(200);
  expect(await command('opt-out', 'kim@corp.example', '--json')).toContain('"changed": true');
  expect(await shown()).toEqual(['anna MAILBOX_UNKNOWN', 'lee MAILBOX_UNKNOWN', 'kim MAILBOX_UNKNOWN', 'boss ok']);
  bridge!.signal('SIGKILL');
  await bridge!.ended;

  [url = ''] = await start(made.file);
  expect(await shown()).toEqual(['anna MAILBOX_UNKNOWN', 'lee MAILBOX_UNKNOWN', 'kim MAILBOX_UNKNOWN', 'boss ok']);
  await writeFile(made.file, JSON.stringify({ ...configuration, privacy: { exclude: ['boss@corp.example', 'lee@corp.example'] } }));
  expect((await runCommand(['reload', '--config', made.file])).code).toBe(0);
  expect(await shown()).toEqual(['anna MAILBOX_UNKNOWN', 'lee MAILBOX_UNKNOWN', 'kim MAILBOX_UNKNOWN', 'boss MAILBOX_UNKNOWN']);
  expect(await command('opt-in', 'lee@corp.example', 'anna@corp.example')).toMatch(/^lee@corp.example: has opted in again, and stays hidden: .*\nanna@corp.example: has opted in again\n$/);
  expect(await shown()).toEqual(['anna ok', 'lee MAILBOX_UNKNOWN', 'kim MAILBOX_UNKNOWN', 'boss MAILBOX_UNKNOWN']);
  expect(await command('list')).toMatch(/^boss@corp.example +privacy.exclude\nkim@corp.example +opted out +command \S+ +\S+Z\nlee@corp.example +privacy.exclude\n$/);

  await bridge!.stop();
  const audit = (await readFile(join(folder, 'data', 'audit.log'), 'utf8')).split('\n').filter((line) => line.includes('"privacy.')).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(audit.map(({ what, mailbox, via }) => `${String(what)} ${String(mailbox)} ${String(via)}`)).toEqual([
    'privacy.opt-out anna@corp.example command', 'privacy.opt-out kim@corp.example command', 'privacy.opt-in kim@corp.example command',
    'privacy.opt-out lee@corp.example api', 'privacy.opt-out kim@corp.example command', 'privacy.opt-in lee@corp.example command', 'privacy.opt-in anna@corp.example command',
  ]);

  // Half of it is lost: nobody may be shown.
  const store = join(folder, 'data', 'privacy', 'opt-outs');
  await writeFile(store, (await readFile(store, 'utf8')).slice(0, -20));
  const serve = await runCommand(['serve', '--config', made.file]);
  expect([serve.code === 0, serve.stdout, serve.stderr]).toEqual([false, '', expect.stringContaining('in which stands who has opted out')]);
  const lookup = await runCommand(['lookup', 'boss@corp.example', '--config', made.file, '--as', 'asker']);
  expect([lookup.code === 0, lookup.stdout, lookup.stderr]).toEqual([false, '', expect.stringContaining('in which stands who has opted out')]);
  expect((await runCommand(['privacy', 'opt-out', 'x@corp.example', '--config', made.file])).code).toBe(1);
}, 90_000);
