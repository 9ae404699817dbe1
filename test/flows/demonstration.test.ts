import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Running, runCommand, until } from './bridge-process.ts';
import { ask } from './raw-http.ts';

/** `npm start`: configuration.md, issue 2 part 8. It has a TMPDIR of its own, so that what it leaves behind shows. */

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

let temporary: string;
let demonstration: Running;
let url: string;
beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'flows-demonstration-'));
  demonstration = new Running(['sandbox'], { env: { TMPDIR: temporary } });
  url = await until(() => /^listening on (http:\S+)$/m.exec(demonstration.stdout)?.[1], 10_000, () => demonstration.stdout + demonstration.stderr);
  await until(() => (demonstration.stdout.includes('It keeps running') ? true : undefined), 15_000, () => demonstration.stdout + demonstration.stderr);
});
afterAll(() => {
  demonstration.signal('SIGKILL');
  rmSync(temporary, { recursive: true, force: true });
});

it('listens on loopback only and walks through what issue 2 wants to be seen', () => {
  expect(new URL(url).hostname).toBe('127.0.0.1');
  expect(demonstration.stdout).toMatch(/Exchange 2003/);
  expect(demonstration.stdout).toMatch(/EWS/);
  expect(demonstration.stdout).toMatch(/no data/i);
  expect(demonstration.stdout).toMatch(/curl /);
  expect(demonstration.stdout).toMatch(/invitation|mail/i);
  expect(demonstration.stderr).toBe('');
});

it('has curl lines that work as they stand', async () => {
  // The event stream has no end: its walk has read it.
  const lines = [...demonstration.stdout.matchAll(/curl .*/g)].map((match) => match[0]).filter((line) => !line.includes(' -N '));
  expect(lines.length).toBeGreaterThan(0);
  const simple = lines.map((line) => /-u '?([^\s']+)'? .*?['"]?(http:\/\/127\.0\.0\.1:\d+)(\/[^'"\s]*)/.exec(line)).filter((match) => match !== null);
  expect(simple.length).toBeGreaterThan(0);
  for (const [, credentials, base, target] of simple) {
    const answer = await ask(base!, target!, { headers: { authorization: `Basic ${Buffer.from(credentials!).toString('base64')}` } });
    expect([target, answer.status]).toEqual([target, 200]);
  }
});

it('changes its answer after `sandbox add`', async () => {
  const line = [...demonstration.stdout.matchAll(/curl .*/g)].map((match) => match[0]).find((one) => one.includes('/api/v1/freebusy'))!;
  const [, credentials, target] = /-u '?([^\s']+)'? .*?http:\/\/127\.0\.0\.1:\d+(\/[^'"\s]*)/.exec(line)!;
  const headers = { authorization: `Basic ${Buffer.from(credentials!).toString('base64')}` };
  const mailbox = decodeURIComponent(/mailbox=([^&]+)/.exec(target!)![1]!);
  // Inside the window that the line itself asks about: Exchange 2003 knows nothing of what has not been published.
  const start = Math.ceil(Date.parse(decodeURIComponent(/start=([^&]+)/.exec(target!)![1]!)) / 900_000) * 900_000 + 3 * 3_600_000;
  const iso = (instant: number): string => new Date(instant).toISOString();
  const end = start + 1_800_000;
  const question = `/api/v1/freebusy?mailbox=${mailbox}&start=${iso(start)}&end=${iso(end)}`;
  const whole = JSON.stringify([{ start: iso(start), end: iso(end), type: 'oof' }]);
  const before = await ask(url, question, { headers });
  const added = await runCommand(['sandbox', 'add', mailbox, '--from', iso(start), '--to', iso(end), '--type', 'oof'], { env: { TMPDIR: temporary } });
  expect([added.code, added.stderr]).toEqual([0, '']);
  const after = await ask(url, question, { headers });
  expect(before.body).not.toContain(whole);
  expect(after.body).toContain(whole);
  const [, ...remove] = /sandbox (remove) (\S+) (\S+)/.exec(added.stdout)!;
  expect((await runCommand(['sandbox', ...remove], { env: { TMPDIR: temporary } })).code).toBe(0);
  expect((await ask(url, question, { headers })).body).not.toContain(whole);
  expect((await runCommand(['sandbox', ...remove], { env: { TMPDIR: temporary } })).code).toBe(1);
});

it('refuses `sandbox add` for who does not exist and for a time that ends before it begins', async () => {
  const env = { TMPDIR: temporary };
  expect((await runCommand(['sandbox', 'add', 'nobody@nowhere.example', '--from', '2031-05-05T10:30:00Z', '--to', '2031-05-05T11:00:00Z'], { env })).code).toBe(1);
  expect((await runCommand(['sandbox', 'add', 'x@y.example', '--from', '2031-05-05T11:00:00Z', '--to', '2031-05-05T10:00:00Z'], { env })).code).toBe(2);
});

it('answers nobody without credentials', async () => {
  expect((await ask(url, '/api/v1/freebusy?mailbox=x&start=2031-05-05T10:00:00Z&end=2031-05-05T12:00:00Z')).status).toBe(401);
});

it('ends on SIGTERM with 0 within 5 s and leaves nothing behind', async () => {
  const { code, tookMs } = await demonstration.stop();
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5_000);
  expect(readdirSync(temporary)).toEqual([]);
});

it('`npm start` ends with its SIGTERM: the signal reaches the demonstration through npm and its shell', async () => {
  const own = mkdtempSync(join(tmpdir(), 'npm-start-'));
  const child = spawn('npm', ['start', '--silent'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, TMPDIR: own } });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const started = await until(() => /listening on (http:\S+)/.exec(said)?.[1], 15_000);
  expect((await fetch(`${started}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect(fetch(`${started}/healthz`)).rejects.toThrow();
  expect(readdirSync(own)).toEqual([]);
  rmSync(own, { recursive: true });
});
