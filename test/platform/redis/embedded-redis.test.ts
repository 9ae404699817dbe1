import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workerUrl } from '../../../src/platform/redis/embedded-server.ts';
import { openRedis } from '../../../src/platform/redis/open-redis.ts';
import type { RedisStore } from '../../../src/platform/redis/redis-store.ts';
import { BridgeThatDies } from './bridge-that-dies.ts';
import { keptLog, until } from './real-redis.ts';

let directory: string;
let stores: RedisStore[];
let log: ReturnType<typeof keptLog>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'embedded-redis-'));
  stores = [];
  log = keptLog();
});
afterEach(async () => {
  for (const store of stores) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<RedisStore> {
  const store = await openRedis(undefined, directory, { logger: log, prefer: 'embedded' });
  stores.push(store);
  return store;
}

const dump = (): string => join(directory, 'redis', 'dump.rdb');

describe('the Redis inside the process', () => {
  it('lets everybody who waits at the same time share a snapshot', async () => {
    const store = await open();
    const saves = async (): Promise<number> => Number(/cmdstat_save:calls=(\d+)/.exec(await store.commands.info('commandstats'))?.[1] ?? 0);
    await Promise.all(Array.from({ length: 200 }, async (_, index) => {
      await store.commands.set(`key:${index}`, 'x');
      await store.durable();
    }));
    const together = await saves();
    expect(together).toBeGreaterThan(0);
    expect(together).toBeLessThan(40);
    await store.durable();
    await store.durable();
    expect(await saves()).toBe(together + 2);
  });

  it('replaces its snapshot as a whole: another file each time, and nothing left beside it', async () => {
    const store = await open();
    await store.commands.set('a', 'b');
    const inodes = new Set<number>();
    for (let round = 0; round < 3; round++) {
      await store.durable();
      inodes.add(statSync(dump()).ino);
    }
    expect(inodes.size).toBeGreaterThan(1);
    expect(readdirSync(join(directory, 'redis')).sort()).toEqual(['dump.rdb', 'embedded.log']);
  });

  it('does not say that a change is durable when the snapshot cannot be written, and says so again when it can', async () => {
    const store = await open();
    await store.commands.set('a', 'b');
    // A directory in the place of dump.rdb cannot be replaced by a file, not even by root.
    mkdirSync(dump());
    await expect(store.durable()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', temporary: true });
    rmdirSync(dump());
    await store.durable();
    expect(statSync(dump()).isFile()).toBe(true);
  });

  it('is replaced when it breaks, with what was durable; the bridge lives on', async () => {
    const store = await open();
    await store.commands.set('a', 'b');
    await store.durable();
    const lost = store.commands.call('SHUTDOWN', 'NOSAVE');
    await expect(lost).rejects.toThrow();
    await expect(store.durable()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await until(() => store.commands.status === 'ready');
    expect(await store.commands.get('a')).toBe('b');
    await store.durable();
    expect(log.lines.some((line) => line.startsWith("error the bridge's own Redis ended and is started again"))).toBe(true);
  });

  it.each([
    ['rubbish', () => writeFileSync(dump(), Buffer.alloc(300, 'rubbish'))],
    ['nothing at all', () => truncateSync(dump(), 0)],
    ['the first half', () => truncateSync(dump(), Math.floor(statSync(dump()).size / 2))],
  ])('refuses a snapshot that holds %s, names it and says what to do', async (_, spoil) => {
    const first = await open();
    for (let index = 0; index < 100; index++) await first.commands.set(`key:${index}`, `value ${index}`);
    await first.close();
    spoil();
    const message = await open().then(() => 'opened', String);
    expect(message).toContain('CONFIGURATION');
    expect(message).toContain(dump());
    expect(message).toContain('remove it');
    // What was refused is not spoiled further, and nothing is left running.
    expect(existsSync(join(directory, 'redis.sock'))).toBe(false);
    rmSync(dump());
    expect(await (await open()).commands.dbsize()).toBe(0);
  });

  it('says nothing on stderr, not even that node:wasi is experimental', async () => {
    const bridge = new BridgeThatDies(directory, directory, 'embedded');
    await until(() => bridge.acknowledged.length > 0);
    await bridge.kill();
    expect(bridge.errors).toBe('');
  });

  it('takes a large value, half a command at a time, and outlives clients that vanish', async () => {
    const store = await open();
    const value = 'ü'.repeat(2_000_000);
    await store.commands.set('large', value);
    expect(await store.commands.get('large')).toBe(value);
    const socket = createConnection({ path: join(directory, 'redis.sock') });
    for (const part of ['*2\r\n$3\r', '\nGET\r\n$5\r\nlar', 'ge\r\n']) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    let read = 0;
    socket.on('data', (chunk) => (read += chunk.length));
    await until(() => read >= 4_000_000);
    socket.destroy();
    // Gone in the middle of a large answer, and in the middle of a command.
    const vanishing = createConnection({ path: join(directory, 'redis.sock') });
    vanishing.write('*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n*2\r\n$3\r\nGE', () => vanishing.destroy());
    const rubbish = createConnection({ path: join(directory, 'redis.sock') });
    rubbish.on('error', () => undefined).end('GET / HTTP/1.1\r\nHost: x\r\n\r\n*-9999999999\r\n');
    await until(async () => !/cmd=(?!client|ping|info)/.test(String(await store.commands.client('LIST')).replaceAll(/^.*name=freebusy.*$/gm, '')));
    expect(await store.commands.ping()).toBe('PONG');
  });

  it('answers without waiting for its clock: 500 commands one after another in far less than 500 × 20 ms', async () => {
    const store = await open();
    const startedAt = performance.now();
    for (let index = 0; index < 500; index++) await store.commands.incr('count');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('wakes a client that waits, in time and when something comes', async () => {
    const store = await open();
    const waiting = store.blocking();
    const startedAt = performance.now();
    expect(await waiting.blpop('list', 0.2)).toBeNull();
    expect(performance.now() - startedAt).toBeGreaterThan(150);
    const popped = waiting.blpop('list', 0);
    await store.commands.rpush('list', 'x');
    expect(await popped).toEqual(['list', 'x']);
  });
});

describe('the file of the thread', () => {
  it('is the compiled one beside the module, also when the module runs from src/', () => {
    expect(workerUrl('file:///opt/src/bridge/dist/platform/redis/embedded-server.js').href).toBe('file:///opt/src/bridge/dist/platform/redis/embedded-worker.js');
    expect(workerUrl('file:///src/bridge/src/platform/redis/embedded-server.ts').href).toBe('file:///src/bridge/dist/platform/redis/embedded-worker.js');
  });
});
