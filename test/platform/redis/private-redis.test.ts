import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRedis } from '../../../src/platform/redis/open-redis.ts';
import type { RedisStore } from '../../../src/platform/redis/redis-store.ts';
import { BridgeThatDies } from './bridge-that-dies.ts';
import { HAS_REDIS, isAlive, keptLog, until } from './real-redis.ts';

let directory: string;
let stores: RedisStore[];
let log: ReturnType<typeof keptLog>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'private-redis-'));
  stores = [];
  log = keptLog();
});
afterEach(async () => {
  for (const store of stores) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<RedisStore> {
  const store = await openRedis(undefined, directory, { logger: log, prefer: 'private' });
  stores.push(store);
  return store;
}

const pidOf = async (store: RedisStore): Promise<number> => Number(/process_id:(\d+)/.exec(await store.commands.info('server'))![1]);

/** The increments of the append-only file: what was written since it was begun. */
const increment = (): string => join(directory, 'redis', 'appendonlydir', readdirSync(join(directory, 'redis', 'appendonlydir')).find((name) => name.endsWith('.incr.aof'))!);

describe.skipIf(!HAS_REDIS)('the private child', () => {
  it('that a killed bridge left behind is taken over with its data, and ended by close', async () => {
    const bridge = new BridgeThatDies(directory, directory, 'private');
    await until(() => bridge.acknowledged.length > 20);
    await bridge.kill();
    expect(isAlive(bridge.pid)).toBe(true);
    const store = await open();
    expect(await pidOf(store)).toBe(bridge.pid);
    expect(store.promise).toContain('taken over');
    expect(await store.commands.exists(...bridge.acknowledged.map((number) => `number:${number}`))).toBe(bridge.acknowledged.length);
    await store.close();
    // Who ended may keep its process id until init looks after it.
    await until(() => !isAlive(bridge.pid));
  });

  it('is started again when it dies, also one that was taken over, and the connections find it', async () => {
    const bridge = new BridgeThatDies(directory, directory, 'private');
    await until(() => bridge.acknowledged.length > 0);
    await bridge.kill();
    const store = await open();
    const waiting = store.blocking();
    const popped = waiting.blpop('list', 0);
    const pids = [await pidOf(store)];
    for (let round = 0; round < 2; round++) {
      process.kill(pids.at(-1)!, 'SIGKILL');
      await until(() => store.commands.status !== 'ready');
      await until(() => store.commands.status === 'ready');
      pids.push(await pidOf(store));
    }
    expect(new Set(pids).size).toBe(3);
    expect(await store.commands.get(`number:${bridge.acknowledged[0]}`)).toHaveLength(100);
    await store.commands.rpush('list', 'found');
    expect(await popped).toEqual(['list', 'found']);
    // The second may die before it was taken for started.
    expect(log.lines.filter((line) => /ended and is started again|does not start/.test(line)).length).toBeGreaterThanOrEqual(2);
  });

  it('writes every command to disk before it answers, evicts nothing, and keeps no snapshots', async () => {
    const store = await open();
    for (const [name, value] of [['appendonly', 'yes'], ['appendfsync', 'always'], ['maxmemory-policy', 'noeviction'], ['save', ''], ['port', '0'], ['aof-load-truncated', 'yes']] as const) {
      expect(await store.commands.call('CONFIG', 'GET', name)).toEqual([name, value]);
    }
  });

  it('is not ended by Ctrl-C: it has a session of its own', async () => {
    const store = await open();
    const pid = await pidOf(store);
    const session = (of: number | 'self'): string => readFileSync(`/proc/${of}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')[3]!;
    expect(session(pid)).toBe(String(pid));
    expect(session('self')).not.toBe(String(pid));
  });

  it('reads what is whole of a log of commands that breaks off', async () => {
    const first = await open();
    await first.commands.set('a', 'b');
    await first.close();
    appendFileSync(increment(), '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nbro');
    const second = await open();
    expect(await second.commands.get('a')).toBe('b');
  });

  it('refuses a log of commands with rubbish inside, names it and says what to do', async () => {
    const first = await open();
    await first.commands.set('a', 'b');
    await first.close();
    appendFileSync(increment(), 'rubbish\u0000\r\n*1\r\n');
    const refused = open();
    await expect(refused).rejects.toMatchObject({ code: 'CONFIGURATION' });
    const message = await refused.catch((error: unknown) => String(error));
    expect(message).toContain(join(directory, 'redis', 'appendonlydir'));
    expect(message).toContain('redis-check-aof --fix');
    expect(message).toContain('Bad file format');
    await expect(open()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('refuses to start empty where a redis-server left data and none is installed', async () => {
    const first = await open();
    await first.close();
    const path = process.env['PATH'];
    process.env['PATH'] = directory;
    try {
      await expect(openRedis(undefined, directory, { logger: log })).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('none (6.2 or newer) is on PATH') as string });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('refuses to start beside something that holds its socket and says nothing', { timeout: 15_000 }, async () => {
    const bridge = new BridgeThatDies(directory, directory, 'private');
    await until(() => bridge.acknowledged.length > 0);
    await bridge.kill();
    process.kill(bridge.pid, 'SIGSTOP');
    await expect(open()).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('holds') as string });
    process.kill(bridge.pid, 'SIGCONT');
    const store = await open();
    expect(await store.commands.get(`number:${bridge.acknowledged[0]}`)).toHaveLength(100);
  });

  it('that does not listen to SHUTDOWN is killed', { timeout: 30_000 }, async () => {
    const store = await open();
    const pid = await pidOf(store);
    await store.commands.set('a', 'b');
    process.kill(pid, 'SIGSTOP');
    const begin = performance.now();
    await store.close();
    expect(performance.now() - begin).toBeLessThan(1_700);
    expect(isAlive(pid)).toBe(false);
    expect(await (await open()).commands.get('a')).toBe('b');
  });

  it('whose start is under way is killed by close: it holds nothing up', { timeout: 30_000 }, async () => {
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    // The first time it is a redis-server; then a child that neither ends nor answers, as one that reads a very large log would.
    const lines = ['#!/bin/sh', '[ "$1" = --version ] && echo "Valkey server v=9.0.0" && exit', `cd ${programs}`, '[ -e again ] && echo $$ > pid && exec sleep 60', 'touch again', 'cd "$OLDPWD"', 'exec redis-server "$@"'];
    writeFileSync(join(programs, 'valkey-server'), lines.join('\n'), { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = `${programs}:${path}`;
    try {
      const store = await open();
      process.kill(await pidOf(store), 'SIGKILL');
      const file = join(programs, 'pid');
      await until(() => existsSync(file) && readFileSync(file, 'utf8').trim() !== '');
      const begin = performance.now();
      await store.close();
      expect(performance.now() - begin).toBeLessThan(1_700);
      expect(isAlive(Number(readFileSync(file, 'utf8')))).toBe(false);
      expect(log.lines.filter((line) => line.includes('does not start'))).toEqual([]);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('is not an old one: a program that says less than 6.2 is passed over', async () => {
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    for (const [name, text] of [['valkey-server', 'something else'], ['redis-server', 'Redis server v=5.0.14 sha=00000000:0']] as const) writeFileSync(join(programs, name), `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = `${programs}:/bin:/usr/bin`;
    try {
      const store = await openRedis(undefined, join(directory, 'data'), { logger: log });
      stores.push(store);
      expect(store.kind).toBe('embedded');
    } finally {
      process.env['PATH'] = path;
    }
  });
});
