import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/core/logger.ts';
import { Connections } from '../../src/platform/redis/connections.ts';
import type { RedisStore } from '../../src/platform/redis/redis-store.ts';

/** With REQUIRE_PEERS a missing redis-server is a failure, not a test less. */
export const CAN_REDIS = process.env['REQUIRE_PEERS'] === '1' || spawnSync('redis-server', ['--version']).error === undefined;

/** A redis-server of the test's own, on a unix socket in a directory of its own. */
export interface TestRedis {
  readonly socket: string;
  /** A store as the bridge would open it on this server, connected where there is one. `durable` counts its calls. */
  store(options?: { readonly maxWaiting?: number }): Promise<TestStore>;
  /** kill -9, and nobody answers. */
  kill(): Promise<void>;
  /** Starts it again on what it had written. */
  start(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export type TestStore = RedisStore & { readonly durables: () => number };

export async function startRedis(): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'freebusy-redis-'));
  const socket = join(directory, 's');
  const stores: RedisStore[] = [];
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    child = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout!.setEncoding('utf8');
    for await (const [chunk] of on(child)) if (String(chunk).includes('ready to accept connections') || String(chunk).includes('Ready to accept connections')) break;
    child.stdout!.resume();
  };
  const kill = async (): Promise<void> => {
    const one = child;
    child = undefined;
    if (one === undefined || one.exitCode !== null || one.signalCode !== null) return;
    one.kill('SIGKILL');
    await once(one, 'exit');
  };
  await start();
  const connections = new Connections({ kind: 'socket', path: socket }, silentLogger);
  const admin = connections.blocking();
  return {
    socket,
    async store(options = {}) {
      const store = await storeOn(socket, options);
      stores.push(store);
      return store;
    },
    kill,
    start,
    signal(signal) {
      child?.kill(signal);
    },
    async flush() {
      await admin.flushall();
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      connections.close();
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Chunks of the child's output, from now on, without closing the stream when nobody wants more. */
async function* on(child: ChildProcess): AsyncIterable<readonly unknown[]> {
  while (child.exitCode === null) yield (await once(child.stdout!, 'data')) as unknown[];
}

/** The store that the bridge would open on a server at this socket. */
async function storeOn(socket: string, { maxWaiting }: { readonly maxWaiting?: number }): Promise<TestStore> {
  const connections = new Connections({ kind: 'socket', path: socket }, silentLogger);
  await connections.settled();
  let durables = 0;
  return {
    kind: 'configured',
    promise: 'a test',
    commands: connections.commands,
    blocking: () => connections.blocking(),
    durable: async () => {
      durables += 1;
    },
    durables: () => durables,
    maxWaiting,
    probe: async () => [],
    close: async () => connections.close(),
  };
}
