import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { askRunningBridge, ControlSocket } from '../../src/platform/control-socket.ts';
import type { ControlAnswer } from '../../src/platform/control-socket.ts';

let directory = '';
const opened: { close(): unknown }[] = [];
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'bridge-control-'))));
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(directory, { recursive: true });
});

async function open(dataDir: string, handle: (command: string) => Promise<ControlAnswer> = async (command) => ({ ok: true, lines: [command] })): Promise<ControlSocket> {
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

  it('a path too long for a socket is said so', async () => {
    await expect(ControlSocket.open(join(directory, 'x'.repeat(120)), async () => ({ ok: true, lines: [] }))).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('shorter') as string });
  });
});
