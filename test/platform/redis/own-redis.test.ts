import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { openRedis } from '../../../src/platform/redis/open-redis.ts';
import type { RedisStore } from '../../../src/platform/redis/redis-store.ts';
import { BridgeThatDies } from './bridge-that-dies.ts';
import { HAS_REDIS, isAlive, until } from './real-redis.ts';

const KINDS = HAS_REDIS ? (['private', 'embedded'] as const) : (['embedded'] as const);

let directory: string;
let stores: RedisStore[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'own-redis-'));
  stores = [];
});
afterEach(async () => {
  for (const store of stores) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(kind: 'private' | 'embedded', dataDir = directory): Promise<RedisStore> {
  const store = await openRedis(undefined, dataDir, { logger: silentLogger, prefer: kind });
  stores.push(store);
  return store;
}

/** Inodes of the sockets that listen on TCP on this machine, and those that this process and `pid` hold. */
function listeningTcp(pid: number | undefined): readonly string[] {
  const inodes = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid ?? 'self'}/net/${name}`, 'utf8').split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  return inodes.filter((columns) => columns[3] === '0A').map((columns) => columns[9]!);
}

function heldSockets(pid: number | 'self'): readonly string[] {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed since it was listed.
      return '';
    }
  });
  return links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]).filter((inode) => inode !== undefined);
}

describe.each(KINDS)("the bridge's own Redis, %s", (kind) => {
  it('is ready when it is opened, says what it promises, and passes its own check', async () => {
    const store = await open(kind);
    expect(store.kind).toBe(kind);
    expect(store.promise).toContain(kind === 'private' ? 'survives a power cut' : 'survives the end of the bridge; at most 20,000 mailboxes wait');
    expect(store.maxWaiting).toBe(kind === 'private' ? undefined : LIMITS.embeddedWaiting);
    expect(await store.commands.ping()).toBe('PONG');
    expect((await store.probe()).map(({ step, outcome }) => [step, outcome])).toEqual([['redis', 'ok'], ['redis version', 'ok'], ['redis eviction', 'ok'], ['redis persistence', 'ok']]);
  });

  it('keeps its data over close and open', async () => {
    const first = await open(kind);
    await first.commands.hset('{freebusy-bridge}:x', { a: '1', ä: 'ü\0\r\n' });
    await first.close();
    await first.close();
    const second = await open(kind);
    expect(await second.commands.hgetall('{freebusy-bridge}:x')).toEqual({ a: '1', ä: 'ü\0\r\n' });
  });

  it('keeps times of expiry over close and open', async () => {
    const first = await open(kind);
    await first.commands.set('short', 'x', 'PX', 1);
    await first.commands.set('long', 'x', 'PX', 60_000);
    await first.close();
    const second = await open(kind);
    expect(await second.commands.get('short')).toBeNull();
    const left = await second.commands.pttl('long');
    expect(left).toBeGreaterThan(30_000);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  it('is nobody else’s: directories 0700, socket 0600, no TCP', async () => {
    const before = heldSockets('self');
    const store = await open(kind);
    const pid = kind === 'private' ? Number(/process_id:(\d+)/.exec(await store.commands.info('server'))![1]) : undefined;
    const held = new Set(pid === undefined ? heldSockets('self').filter((inode) => !before.includes(inode)) : heldSockets(pid));
    expect(held.size).toBeGreaterThan(0);
    expect(listeningTcp(pid).filter((inode) => held.has(inode))).toEqual([]);
    const mode = (path: string): number => statSync(join(directory, path)).mode & 0o777;
    expect([mode('.'), mode('redis'), mode('redis.sock')]).toEqual([0o700, 0o700, 0o600]);
  });

  it('works in a directory whose path is longer than a unix socket may have', async () => {
    const long = join(directory, 'd'.repeat(120), 'e'.repeat(120));
    mkdirSync(long, { recursive: true });
    const first = await open(kind, long);
    await first.commands.set('a', 'b');
    await first.close();
    const second = await open(kind, long);
    expect(await second.commands.get('a')).toBe('b');
  });

  it('refuses to be opened twice', async () => {
    const store = await open(kind);
    await store.commands.set('a', 'b');
    if (kind === 'embedded') await expect(open(kind)).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('another bridge') as string });
    const other = new BridgeThatDies(directory, directory, kind);
    await until(() => other.errors.includes('another bridge'));
    await other.kill();
    expect(await store.commands.get('a')).toBe('b');
  });

  it('loses nothing that was acknowledged when the bridge is killed, in any of three rounds', async () => {
    let acknowledged: readonly number[] = [];
    for (let round = 0; round < 3; round++) {
      const bridge = new BridgeThatDies(directory, directory, kind, round * 1_000_000);
      await until(() => bridge.acknowledged.length >= 200 + round * 37);
      await bridge.kill();
      // The machine may go with it.
      if (kind === 'private' && round !== 1) {
        process.kill(bridge.pid, 'SIGKILL');
        await until(() => !isAlive(bridge.pid));
      }
      expect(bridge.errors).toBe('');
      acknowledged = [...acknowledged, ...bridge.acknowledged];
      const store = await open(kind);
      const found = await store.commands.mget(acknowledged.map((number) => `number:${number}`));
      expect(found.filter((value) => value === null).length).toBe(0);
      await store.close();
    }
    expect(acknowledged.length).toBeGreaterThan(600);
  });

  it('carries a queue of BullMQ', async () => {
    const store = await open(kind);
    const queue = new Queue('smoke', { connection: store.commands, prefix: '{freebusy-bridge}' });
    await queue.addBulk(Array.from({ length: 50 }, (_, index) => ({ name: 'turn', data: { index }, opts: { delay: index % 2 === 0 ? 0 : 50, attempts: 2, backoff: 10 } })));
    const seen: number[] = [];
    const failedOnce = new Set<number>();
    const worker = new Worker<{ index: number }>(
      'smoke',
      async ({ data: { index } }) => {
        if (index % 10 === 0 && !failedOnce.has(index)) {
          failedOnce.add(index);
          throw new Error('once');
        }
        seen.push(index);
      },
      { connection: store.blocking(), prefix: '{freebusy-bridge}', concurrency: 8 },
    );
    worker.on('error', () => undefined);
    await until(() => seen.length === 50);
    expect(new Set(seen).size).toBe(50);
    await worker.close();
    await queue.close();
    expect(await store.commands.ping()).toBe('PONG');
  });
});

describe('which of its own the bridge takes', () => {
  it('takes the redis-server that is installed, and the one inside the process where none is', async () => {
    const path = process.env['PATH'];
    try {
      process.env['PATH'] = directory;
      const bare = await openRedis(undefined, join(directory, 'bare'), { logger: silentLogger });
      stores.push(bare);
      expect(bare.kind).toBe('embedded');
    } finally {
      process.env['PATH'] = path;
    }
    const store = await openRedis(undefined, join(directory, 'installed'), { logger: silentLogger });
    stores.push(store);
    expect(store.kind).toBe(HAS_REDIS ? 'private' : 'embedded');
  });

  it('leaves data with the kind that wrote it', async () => {
    const first = await open('embedded');
    await first.commands.set('a', 'b');
    await first.close();
    const second = await openRedis(undefined, directory, { logger: silentLogger });
    stores.push(second);
    expect([second.kind, await second.commands.get('a')]).toEqual(['embedded', 'b']);
  });

  it('says so when the directory cannot be used', async () => {
    writeFileSync(join(directory, 'file'), '');
    const dataDir = join(directory, 'file', 'data');
    await expect(openRedis(undefined, dataDir, { logger: silentLogger })).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: `${dataDir}/redis cannot be used for the bridge's own Redis: ENOTDIR` });
  });
});
