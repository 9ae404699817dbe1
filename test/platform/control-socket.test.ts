import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { askRunningBridge, ControlSocket } from '../../src/platform/control-socket.ts';
import type { ControlHandler } from '../../src/platform/control-socket.ts';

let directory = '';
const opened: { close(): unknown }[] = [];
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'bridge-control-'))));
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(directory, { recursive: true });
});

async function open(dataDir: string, handle: ControlHandler = async (command) => ({ ok: true, lines: [command] })): Promise<ControlSocket> {
  const socket = await ControlSocket.open(dataDir, handle);
  opened.push(socket);
  return socket;
}

describe('the control socket', () => {
  it('carries a command and its answer, and is its owner’s alone', async () => {
    const dataDir = join(directory, 'new', 'data');
    await open(dataDir);
    expect(await askRunningBridge(dataDir, 'reload', 1_000)).toEqual({ ok: true, lines: ['POST /reload'] });
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'control.sock')).mode & 0o777).toBe(0o600);
  });

  it('leaves the mask of the process as it was', async () => {
    const before = process.umask();
    await open(directory);
    expect(process.umask()).toBe(before);
  });

  it('is one for a directory; what a dead bridge left behind is replaced', async () => {
    await open(directory);
    await expect(ControlSocket.open(directory, async () => ({ ok: true, lines: [] }))).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('another bridge') as string });
    expect(await askRunningBridge(directory, 'ping', 1_000)).toMatchObject({ ok: true });
    await opened.pop()!.close();
    writeFileSync(join(directory, 'control.sock'), '');
    await open(directory);
    expect(await askRunningBridge(directory, 'ping', 1_000)).toMatchObject({ ok: true });
  });

  it('is gone when it was closed', async () => {
    await open(directory);
    await opened.pop()!.close();
    expect(existsSync(join(directory, 'control.sock'))).toBe(false);
    await expect(askRunningBridge(directory, 'ping', 1_000)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });

  it('says what failed, but nothing that was not meant for anybody', async () => {
    let failure: Error = new BridgeError('CONFIGURATION', 'two mistakes');
    await open(directory, () => Promise.reject(failure));
    expect(await askRunningBridge(directory, 'reload', 1_000)).toEqual({ ok: false, lines: ['two mistakes'] });
    failure = new TypeError('canary');
    expect(await askRunningBridge(directory, 'reload', 1_000)).toEqual({ ok: false, lines: ['internal error'] });
  });

  it('a bridge that does not answer costs the time it was given', async () => {
    await open(directory, () => new Promise(() => undefined));
    await expect(askRunningBridge(directory, 'reload', 150)).rejects.toMatchObject({ name: 'BridgeError' });
  });

  it.each([
    ['no JSON', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops'],
    ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{"ok":true'],
    ['no HTTP', 'oops\r\n\r\n'],
  ])('an answer that is %s is a failure, not a crash or a hang', async (_name, bytes) => {
    const server = createServer((socket) => {
      opened.push({ close: () => socket.destroy() });
      socket.on('error', () => undefined).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(join(directory, 'control.sock'), resolve));
    opened.push({ close: () => server.close() });
    const outcome = await Promise.race([
      askRunningBridge(directory, 'reload', 500).then(() => 'answered', (error: unknown) => (error as Error).name),
      new Promise<string>((resolve) => setTimeout(resolve, 2_000, 'hang')),
    ]);
    expect(outcome).toBe('BridgeError');
  });

  it('carries a body to the bridge and data back', async () => {
    const came: unknown[] = [];
    await open(directory, async (command, body) => {
      came.push(command, body);
      return { ok: true, lines: [], data: { count: 2, mailboxes: ['zoë@corp.example'] } };
    });
    expect(await askRunningBridge(directory, 'push', 1_000, { mailbox: 'zoë@corp.example' })).toEqual({ ok: true, lines: [], data: { count: 2, mailboxes: ['zoë@corp.example'] } });
    await askRunningBridge(directory, 'queue/drop', 1_000);
    expect(came).toEqual(['POST /push', { mailbox: 'zoë@corp.example' }, 'POST /queue/drop', undefined]);
  });

  it.each([
    ['larger than 1 MB', `"${'x'.repeat(1024 * 1024)}"`, /larger than 1048576/],
    ['no JSON', '{"mailbox":', /no JSON/],
    ['no text', Buffer.from([0x22, 0xff, 0xfe, 0x22]), /no JSON/],
    ['nested a million deep', '['.repeat(1_000_000), /no JSON/],
  ])('a body that is %s never reaches the handler', async (_what, body, words) => {
    let reached = false;
    await open(directory, async () => {
      reached = true;
      return { ok: true, lines: [] };
    });
    const text = await new Promise<string>((resolve, reject) => {
      const request = httpRequest({ socketPath: join(directory, 'control.sock'), method: 'POST', path: '/push', agent: false }, (response) => {
        let out = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (out += chunk)).on('end', () => resolve(out));
      });
      request.once('error', reject);
      request.end(body);
    });
    expect(JSON.parse(text)).toMatchObject({ ok: false, lines: [expect.stringMatching(words)] });
    expect(reached).toBe(false);
    expect(await askRunningBridge(directory, 'ping', 1_000)).toMatchObject({ ok: true });
  });

  it('the handler hears when its command has gone, and the command when it is told to end', async () => {
    const gone = new Promise<void>((resolve) => {
      void open(directory, (command, _body, signal) => {
        if (command !== 'POST /push') return Promise.resolve({ ok: true, lines: [] });
        return new Promise(() => signal.addEventListener('abort', () => resolve()));
      });
    });
    await expect.poll(() => existsSync(join(directory, 'control.sock'))).toBe(true);
    const end = new AbortController();
    const asked = askRunningBridge(directory, 'push', 5_000, {}, end.signal);
    setTimeout(() => end.abort(), 50);
    await expect(asked).rejects.toMatchObject({ code: 'DEADLINE' });
    await gone;
    await expect(askRunningBridge(directory, 'push', 5_000, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'DEADLINE' });
  });

  it('says why nobody was reached', async () => {
    await expect(askRunningBridge(join(directory, 'nowhere'), 'ping', 1_000)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', details: { reason: 'nobody' } });
    await open(directory, () => new Promise(() => undefined));
    await expect(askRunningBridge(directory, 'ping', 100)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', details: { reason: 'no-answer' } });
  });

  it('a path too long for a socket is said so', async () => {
    await expect(ControlSocket.open(join(directory, 'x'.repeat(120)), async () => ({ ok: true, lines: [] }))).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('shorter') as string });
  });
});
