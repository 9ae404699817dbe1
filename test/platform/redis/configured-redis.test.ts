import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { endForGood } from '../../../src/platform/redis/connections.ts';
import { openRedis } from '../../../src/platform/redis/open-redis.ts';
import type { RedisStore, RedisTarget, StoreFinding } from '../../../src/platform/redis/redis-store.ts';
import { storeUnavailable } from '../../../src/platform/redis/store-unavailable.ts';
import { Authority } from '../certificates.ts';
import { HAS_REDIS, RealRedis, freePort, keptLog, until } from './real-redis.ts';

const PASSWORD = 'S3cr3t!p@ss/wörd';
/** How much later than the bound an answer may come on a busy machine. */
const MARGIN_MS = 1_500;

let servers: RealRedis[];
let stores: RedisStore[];
let log: ReturnType<typeof keptLog>;
beforeEach(() => {
  servers = [];
  stores = [];
  log = keptLog();
});
afterEach(async () => {
  for (const store of stores) await store.close();
  for (const server of servers) await server.remove();
});

async function start(...options: readonly string[]): Promise<RealRedis> {
  const index = options.indexOf('--requirepass');
  const server = await RealRedis.start(options, index < 0 ? undefined : options[index + 1]);
  servers.push(server);
  return server;
}

async function open(target: RedisTarget | string): Promise<RedisStore> {
  const store = await openRedis(typeof target === 'string' ? { kind: 'single', url: target } : target, '/nowhere', { logger: log });
  stores.push(store);
  return store;
}

async function findings(target: RedisTarget | string): Promise<readonly StoreFinding[]> {
  return (await open(target)).probe();
}

const outcomes = (found: readonly StoreFinding[]): readonly string[] => found.map(({ step, outcome }) => `${step}: ${outcome}`);

async function failsWithin(work: Promise<unknown>, ms: number): Promise<void> {
  const startedAt = performance.now();
  const error = storeUnavailable(await work.then(() => 'answered', (thrown: unknown) => thrown));
  expect([error.code, error.temporary]).toEqual(['STORE_UNAVAILABLE', true]);
  expect(error.details['reason']).toMatch(/^(?:TIMEOUT|NOT_CONNECTED|ECONNREFUSED)$/);
  expect(performance.now() - startedAt).toBeLessThan(ms);
}

describe.skipIf(!HAS_REDIS)('a configured Redis', () => {
  it('that hangs does not keep a closed connection open, and nobody brings one back that was ended for good', async () => {
    const server = await start();
    const store = await open(`redis://127.0.0.1:${server.port}`);
    const connection = store.blocking();
    await connection.ping();
    server.signal('SIGSTOP');
    const asked = connection.ping();
    const startedAt = performance.now();
    endForGood(connection);
    await expect(asked).rejects.toThrow('Connection is closed');
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await expect(connection.connect()).rejects.toThrow('Connection is closed');
    expect(connection.status).toBe('end');
    server.signal('SIGCONT');
  });

  it('may be away when the bridge starts: commands fail at once, and work when it is there', async () => {
    const port = await freePort();
    const store = await open(`redis://127.0.0.1:${port}/0`);
    await failsWithin(store.commands.set('a', 'b'), 200);
    const waiting = store.blocking();
    const popped = waiting.blpop('list', 0);
    await new Promise((resolve) => setTimeout(resolve, 700));
    // One line for one outage, however many connections and tries.
    expect(log.lines).toEqual(['warn Redis is away: changes are refused until it is back {"code":"STORE_UNAVAILABLE","reason":"ECONNREFUSED"}']);
    servers.push(await RealRedis.start([], undefined, port));
    await until(() => store.commands.status === 'ready');
    await store.commands.rpush('list', 'x');
    expect(await popped).toEqual(['list', 'x']);
    await until(() => log.lines.length === 2);
    expect(log.lines[1]).toBe('info Redis is back {}');
  });

  it('that dies: what is under way fails at once, never runs later, and the connection comes back', async () => {
    const server = await start('--appendonly', 'yes');
    const store = await open(`redis://127.0.0.1:${server.port}`);
    await store.commands.set('a', 'b');
    server.signal('SIGSTOP');
    const underWay = store.commands.set('late', 'x');
    server.signal('SIGKILL');
    await failsWithin(underWay, 1_000);
    await until(() => store.commands.status !== 'ready');
    await failsWithin(store.commands.get('a'), 200);
    await server.end();
    await server.start();
    await until(() => store.commands.status === 'ready');
    expect(await store.commands.mget('a', 'late')).toEqual(['b', null]);
  });

  it('that hangs: a command fails in time, one after another, and all is well when it goes on', { timeout: 30_000 }, async () => {
    const server = await start();
    const store = await open(`redis://127.0.0.1:${server.port}`);
    await store.commands.set('a', 'b');
    server.signal('SIGSTOP');
    await failsWithin(store.commands.get('a'), LIMITS.storeTimeoutMs + MARGIN_MS);
    await Promise.all(Array.from({ length: 10 }, () => failsWithin(store.commands.get('a'), LIMITS.storeTimeoutMs + MARGIN_MS)));
    const startedAt = performance.now();
    expect(outcomes(await store.probe())).toEqual(['redis: fail']);
    expect(performance.now() - startedAt).toBeLessThan(LIMITS.storeTimeoutMs + MARGIN_MS);
    server.signal('SIGCONT');
    await until(() => store.commands.get('a').then((value) => value === 'b', () => false));
  });

  it('that accepts and says nothing does not hold up the start', async () => {
    const silent: Server = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
    const startedAt = performance.now();
    const store = await open(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    expect(performance.now() - startedAt).toBeLessThan(1_000 + MARGIN_MS);
    await failsWithin(store.commands.ping(), 200);
    await store.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('that speaks something else is told as such, and hurts nobody', async () => {
    const web = createServer((socket) => socket.on('error', () => undefined).resume().end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', () => resolve()));
    const store = await open(`redis://127.0.0.1:${(web.address() as AddressInfo).port}`);
    expect(outcomes(await store.probe())).toEqual(['redis: fail']);
    await expect(store.commands.ping()).rejects.toThrow();
    await store.close();
    await new Promise((resolve) => web.close(resolve));
  });

  it('refuses a wrong password: check says so, and neither check nor log shows it', async () => {
    const server = await start('--requirepass', PASSWORD);
    const secret = 'wr0ng-s3cret';
    const store = await open(`redis://:${secret}@127.0.0.1:${server.port}`);
    const found = await store.probe();
    expect(found).toMatchObject([{ step: 'redis', outcome: 'fail', text: `127.0.0.1:${server.port}: WRONGPASS`, advice: expect.stringContaining('user name and password') as string }]);
    await failsWithin(store.commands.ping(), 200);
    expect(log.lines).toHaveLength(1);
    expect(JSON.stringify([found, log.lines, store.promise])).not.toContain(secret);
    expect(outcomes(await findings(`redis://127.0.0.1:${server.port}`))).toEqual(['redis: fail']);
  });

  it('takes a password of any characters, a user and a data base from its URL', async () => {
    const server = await start('--requirepass', PASSWORD);
    const admin = await open(`redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}`);
    await admin.commands.call('ACL', 'SETUSER', 'bridge', 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
    const store = await open(`redis://bridge:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/3`);
    expect(await store.commands.call('ACL', 'WHOAMI')).toBe('bridge');
    await store.commands.set('a', 'b');
    expect(await admin.commands.get('a')).toBeNull();
    expect(await store.blocking().get('a')).toBe('b');
    expect(JSON.stringify([await store.probe(), store.promise, log.lines])).not.toMatch(/S3cr3t/);
  });

  it.each([
    ['an append-only file is well', ['--appendonly', 'yes'], 'ok', /appendonly yes/],
    ['snapshots only are worth a warning', ['--save', '900', '1'], 'warn', /since the last one are lost/],
    ['nothing on disk is worth a warning', [], 'warn', /neither appendonly nor snapshots/],
  ])('check: %s', async (_, options, outcome, text) => {
    const server = await start(...options);
    const found = await findings(`redis://127.0.0.1:${server.port}`);
    expect(outcomes(found)).toEqual(['redis: ok', 'redis version: ok', 'redis eviction: ok', `redis persistence: ${outcome}`]);
    expect(found[3]!.text).toMatch(text);
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('check: eviction by %s fails, also where CONFIG is forbidden', async (policy) => {
    const server = await start('--maxmemory-policy', policy);
    const store = await open(`redis://127.0.0.1:${server.port}`);
    const failed = { step: 'redis eviction', outcome: 'fail', text: `maxmemory-policy ${policy}`, advice: expect.stringContaining('noeviction') as string };
    expect((await store.probe())[2]).toMatchObject(failed);
    await store.commands.call('ACL', 'SETUSER', 'managed', 'on', '>x', '~*', '&*', '+@all', '-config');
    expect((await findings(`redis://managed:x@127.0.0.1:${server.port}`))[2]).toMatchObject(failed);
  });

  it('check: without the right to INFO nothing is claimed', async () => {
    const server = await start();
    const store = await open(`redis://127.0.0.1:${server.port}`);
    await store.commands.call('ACL', 'SETUSER', 'narrow', 'on', '>x', '~*', '&*', '+@all', '-info');
    expect(await findings(`redis://narrow:x@127.0.0.1:${server.port}`)).toMatchObject([{ step: 'redis', outcome: 'fail', advice: expect.stringContaining('rights') as string }]);
  });

  it('check: a Redis that is away fails, with what to look at', async () => {
    expect(await findings(`redis://127.0.0.1:${await freePort()}`)).toMatchObject([{ outcome: 'fail', text: expect.stringContaining('ECONNREFUSED') as string, advice: expect.stringContaining('is Redis started') as string }]);
  });

  it('by rediss:// is verified: refused with an unknown authority, refused by another name, taken with its own', async () => {
    const authority = new Authority('Redis test authority');
    const directory = mkdtempSync(join(tmpdir(), 'redis-tls-'));
    try {
      const { certificate, key } = authority.issue('/CN=localhost', 'DNS:localhost', 30);
      for (const [name, text] of [['ca.pem', authority.certificate], ['leaf.pem', certificate], ['leaf.key', key]] as const) writeFileSync(join(directory, name), text);
      const port = await freePort();
      const options = ['--tls-port', String(port), '--port', '0', '--tls-cert-file', join(directory, 'leaf.pem'), '--tls-key-file', join(directory, 'leaf.key'), '--tls-ca-cert-file', join(directory, 'ca.pem'), '--tls-auth-clients', 'no'];
      servers.push(await RealRedis.start(options));
      const unknown = await open(`rediss://localhost:${port}`);
      await until(async () => (await unknown.probe())[0]!.text !== `localhost:${port}: ECONNREFUSED`);
      expect((await unknown.probe())[0]!.text).toMatch(/: (?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/);
      expect((await unknown.probe())[0]).toMatchObject({ outcome: 'fail', advice: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string });
      const script = `const { openRedis } = await import(${JSON.stringify(new URL('../../../dist/platform/redis/open-redis.js', import.meta.url).href)});
        const quiet = () => undefined;
        const store = await openRedis({ kind: 'single', url: process.argv[1] }, '/nowhere', { logger: { debug: quiet, info: quiet, warn: quiet, error: quiet } });
        console.log(JSON.stringify((await store.probe())[0]));
        await store.close();`;
      const judged = (url: string): string =>
        spawnSync(process.execPath, ['--input-type=module', '-e', script, url], { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') }, encoding: 'utf8' }).stdout;
      expect(judged(`rediss://localhost:${port}`)).toContain('"outcome":"ok"');
      expect(judged(`rediss://127.0.0.1:${port}`)).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    } finally {
      authority.remove();
      rmSync(directory, { recursive: true });
    }
  });

  it('as a cluster carries commands and waiting connections, fails in time when it dies, and comes back', { timeout: 30_000 }, async () => {
    const server = await start('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--appendonly', 'yes');
    const direct = await open(`redis://127.0.0.1:${server.port}`);
    await direct.commands.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until(async () => String(await direct.commands.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const store = await open({ kind: 'cluster', nodes: [`redis://127.0.0.1:${server.port}`] });
    await store.commands.set('{freebusy-bridge}:a', 'b');
    expect(outcomes(await store.probe())).toEqual(['redis: ok', 'redis version: ok', 'redis eviction: ok', 'redis persistence: ok']);
    const popped = store.blocking().blpop('{freebusy-bridge}:list', 0);
    await store.commands.rpush('{freebusy-bridge}:list', 'x');
    expect(await popped).toEqual(['{freebusy-bridge}:list', 'x']);
    await server.end();
    const startedAt = performance.now();
    await expect(store.commands.get('{freebusy-bridge}:a')).rejects.toThrow();
    expect(performance.now() - startedAt).toBeLessThan(LIMITS.storeTimeoutMs + MARGIN_MS);
    expect(outcomes(await store.probe())).toEqual(['redis: fail']);
    await server.start();
    await until(() => store.commands.get('{freebusy-bridge}:a').then((value) => value === 'b', () => false));
  });

  it('behind sentinels is found by its name, and not where no sentinel knows it', async () => {
    const server = await start();
    const directory = mkdtempSync(join(tmpdir(), 'sentinel-'));
    const file = join(directory, 'sentinel.conf');
    writeFileSync(file, `sentinel monitor main 127.0.0.1 ${server.port} 1\n`);
    const port = await freePort();
    const sentinel = spawn('redis-server', [file, '--sentinel', '--port', String(port)], { stdio: 'ignore', cwd: directory });
    try {
      const nodes = [`redis://127.0.0.1:${await freePort()}`, `redis://127.0.0.1:${port}`];
      const store = await open({ kind: 'sentinels', name: 'main', nodes });
      await until(() => store.commands.status === 'ready');
      await store.commands.set('a', 'b');
      expect(outcomes(await store.probe())[0]).toBe('redis: ok');
      expect(await findings({ kind: 'sentinels', name: 'other', nodes })).toMatchObject([{ outcome: 'fail', text: expect.stringContaining('SENTINELS_UNREACHABLE') as string }]);
    } finally {
      const gone = new Promise((resolve) => sentinel.once('exit', resolve));
      sentinel.kill('SIGKILL');
      await gone;
      rmSync(directory, { recursive: true });
    }
  });
});
