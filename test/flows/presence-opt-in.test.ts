import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { EventStreamClient } from '../protocols/rest-api/event-stream-client.ts';
import { folderWith, removeFolder, runCommand, Running, until } from './bridge-process.ts';
import { ask, basic } from './raw-http.ts';

/** Opting in with real processes: by command without a bridge, by API and command with one; kept over kill -9; audited; withdrawn at once. */

const CONFIGURATION = {
  listen: 'http://127.0.0.1:0',
  dataDir: 'data',
  systems: { calendars: { type: 'ifb', url: 'https://calendars.corp.example.invalid/{localPart}.ifb', domains: ['corp.example'] } },
  clients: [
    { name: 'im', username: 'im', password: 'pw-of-im', from: 'calendars', mayAsk: [], presence: 'opt-in' },
    { name: 'watcher', username: 'watcher', password: 'pw-of-watcher', from: 'outside', mayAsk: ['calendars'], presence: 'read' },
  ],
  presence: { optIn: ['file@corp.example'] },
};
const IM = basic('im', 'pw-of-im');
const WATCHER = basic('watcher', 'pw-of-watcher');

let folder: string | undefined;
let bridge: Running | undefined;
const clients: EventStreamClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await bridge?.stop();
  bridge = undefined;
  if (folder !== undefined) await removeFolder(folder);
});
async function start(file: string): Promise<string> {
  const running = new Running(['serve', '--config', file]);
  bridge = running;
  return until(() => /^listening on (\S+)$/m.exec(running.stdout)?.[1], 15_000, () => running.stderr);
}

it('what was switched by command without a bridge, by API and by command with one, is kept and told', async () => {
  const made = await folderWith(CONFIGURATION);
  folder = made.folder;
  const command = async (...args: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: string }> => runCommand(['presence', ...args, '--config', made.file]);
  expect(await command('opt-in', 'anna@corp.example')).toMatchObject({ code: 0, stdout: 'anna@corp.example: switched on\n' });
  expect(await command('opt-out', 'file@corp.example')).toMatchObject({ code: 0 });

  let url = await start(made.file);
  const optIn = async (address: string, method = 'GET', body?: string): Promise<unknown> => {
    const answer = await ask(url, `/api/v1/presence/${address}/opt-in`, { method, headers: { ...IM, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body }) });
    return JSON.parse(answer.body);
  };
  expect(await optIn('anna@corp.example')).toMatchObject({ optIn: true, by: expect.stringMatching(/^command /) as string });
  expect(await optIn('file@corp.example')).toMatchObject({ optIn: false });

  const watcher = new EventStreamClient(url, '/api/v1/presence/events', WATCHER);
  clients.push(watcher);
  await watcher.answered();
  expect(await optIn('lee@corp.example', 'PUT', '{"optIn":true,"language":"de"}')).toMatchObject({ optIn: true, language: 'de', by: 'client im' });
  // What was answered is kept, whatever happens.
  bridge!.signal('SIGKILL');
  await bridge!.ended;
  url = await start(made.file);
  expect(await optIn('lee@corp.example')).toMatchObject({ optIn: true, language: 'de' });
  expect((await ask(url, '/api/v1/presence/lee@corp.example', { headers: WATCHER })).status).toBe(200);

  const second = new EventStreamClient(url, '/api/v1/presence/events?snapshot=true', WATCHER);
  clients.push(second);
  await second.answered();
  expect(await command('opt-out', 'lee@corp.example')).toMatchObject({ code: 0, stdout: 'lee@corp.example: switched off\n' });
  await second.until(() => second.events.some(({ event, data }) => event === 'withdrawn' && (data as { readonly address: string }).address === 'lee@corp.example'));
  expect((await ask(url, '/api/v1/presence/lee@corp.example', { headers: WATCHER })).status).toBe(404);
  expect((await command('status')).stdout).toMatch(/^1 opted in/);

  const audited = (await readFile(join(folder, 'data', 'audit.log'), 'utf8')).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { readonly what: string; readonly mailbox: string; readonly via: string });
  // A kill -9 may cost the last line before it.
  expect(audited.map(({ what, mailbox, via }) => `${what} ${mailbox} ${via}`).filter((line) => !line.startsWith('presence.language'))).toEqual([
    'presence.opt-in anna@corp.example command',
    'presence.opt-out file@corp.example command',
    ...(audited.some(({ mailbox, what }) => mailbox === 'lee@corp.example' && what === 'presence.opt-in') ? ['presence.opt-in lee@corp.example api'] : []),
    'presence.opt-out lee@corp.example command',
  ]);
});
