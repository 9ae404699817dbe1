// A bridge's worker in a process of its own, to be killed and stopped: works one queue, reads a calendar's counter in Redis and writes it into a sink there.
// node queue-process.mjs SOCKET TIMING-JSON WORK-MS CONCURRENCY
import process from 'node:process';
import { setTimeout } from 'node:timers';
import { Connections } from '../../dist/platform/redis/connections.js';
import { ReplicationQueue } from '../../dist/replication/queue.js';

// It dies with the test that started it.
process.stdin.on('end', () => process.exit()).resume();
const [, , socket, timing, workMs, concurrency] = process.argv;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const metrics = new Proxy({}, { get: () => () => undefined });
const connections = new Connections({ kind: 'socket', path: socket }, silent);
await connections.settled();
const redis = connections.blocking();
const store = { kind: 'configured', promise: 'a test', commands: connections.commands, blocking: () => connections.blocking(), durable: async () => undefined, maxWaiting: undefined };
const queue = new ReplicationQueue({ route: 'a → b', key: 'a-b', store, concurrency: Number(concurrency), clock: { now: () => Date.now() }, logger: silent, metrics, timing: JSON.parse(timing) });
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
queue.start(async ({ mailbox }) => {
  const value = (await redis.hget('calendar', mailbox)) ?? '0';
  say({ begin: mailbox, value, at: Date.now() });
  await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
  await redis.hset('sink', mailbox, value);
  say({ end: mailbox, value, at: Date.now() });
  return [];
});
say({ ready: true });
