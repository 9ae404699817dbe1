import { randomUUID } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Logger } from '../../core/logger.ts';
import { pauseAfter } from '../../core/back-off.ts';
import { LIMITS } from '../../core/limits.ts';
import { clusterOptions, singleOptions } from './address.ts';
import type { RedisAddress } from './address.ts';
import { Outage } from './outage.ts';
import type { RedisConnection } from './redis-store.ts';

/** Every connection of a bridge says `freebusy-bridge:` and which process it is of; a process id would be the same in two containers. */
const NAME_START = 'freebusy-bridge:';
const BRIDGE_NAME = `${NAME_START}${randomUUID()}`;

/** Whether a CLIENT LIST names a connection of another bridge, or of a command of it, that runs now. */
export function namesAnotherBridge(clientList: string): boolean {
  const names = [...clientList.matchAll(/\bname=(\S+)/g)].map(([, name = '']) => name);
  return names.some((name) => name.startsWith(NAME_START) && name !== BRIDGE_NAME);
}

/** Pause before the n-th try, n from 1. */
export function reconnectPause(tries: number): number {
  return pauseAfter(tries, LIMITS.redisReconnectPauses);
}

/** All connections of one store to one Redis. */
export class Connections {
  readonly #address: RedisAddress;
  readonly #outage: Outage;
  readonly #open = new Set<RedisConnection>();
  readonly commands: RedisConnection;

  constructor(address: RedisAddress, logger: Logger) {
    this.#address = address;
    this.#outage = new Outage(logger);
    this.commands = this.#opened(
      connect(address, reconnectPause, {
        enableOfflineQueue: false,
        // A command that was sent when the connection broke is refused and never sent again: nobody waits for it any more.
        maxRetriesPerRequest: 0,
        autoResendUnfulfilledCommands: false,
        commandTimeout: LIMITS.storeTimeoutMs,
        socketTimeout: 2 * LIMITS.storeTimeoutMs,
      }),
    );
  }

  blocking(): RedisConnection {
    return this.#opened(connect(this.#address, reconnectPause, { maxRetriesPerRequest: null, socketTimeout: LIMITS.blockingSilenceMs }));
  }

  /** Waits until `commands` works, its first try failed, or a second is over; whichever comes first. */
  async settled(): Promise<void> {
    const connection = this.commands;
    if (connection.status === 'ready') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, LIMITS.redisFirstAnswerMs);
      function done(): void {
        clearTimeout(timer);
        connection.off('ready', done).off('error', done);
        resolve();
      }
      connection.once('ready', done).once('error', done);
    });
  }

  close(): void {
    for (const connection of this.#open) endForGood(connection);
    this.#open.clear();
  }

  #opened<C extends RedisConnection>(connection: C): C {
    this.#outage.watch(connection);
    this.#open.add(connection);
    connection.on('end', () => this.#open.delete(connection));
    return connection;
  }
}

/**
 * Ends a connection so that nobody brings it back: BullMQ 6.7.0 reconnects one whose silence it was waiting out, even after it was closed, and the process never ended.
 * Commands under way are rejected.
 */
export function endForGood(connection: RedisConnection): void {
  connection.connect = () => Promise.reject(new Error('Connection is closed.'));
  connection.disconnect();
}

/**
 * A connection for a few commands, tried once.
 *
 * @returns the connection, ready; whoever asked disconnects it
 * @throws what ioredis knows about the failure: a system error, or Redis' own refusal
 */
export async function connectOnce(address: RedisAddress): Promise<RedisConnection> {
  const connection = connect(address, () => null, { commandTimeout: LIMITS.storeTimeoutMs, maxRetriesPerRequest: 0, lazyConnect: true });
  try {
    await new Promise<void>((resolve, reject) => {
      // `connect` itself rejects with "Connection is closed", seconds later where nobody answers; the reason is in the event before it.
      connection.on('error', reject);
      connection.connect().then(resolve, reject);
    });
    return connection;
  } catch (error) {
    connection.disconnect();
    throw error;
  }
}

type Pause = (tries: number) => number | null;
/** The options that a cluster's nodes and a single server share. */
type SharedOptions = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'autoResendUnfulfilledCommands' | 'commandTimeout' | 'socketTimeout' | 'lazyConnect'>;

function connect(address: RedisAddress, pause: Pause, { enableOfflineQueue = true, lazyConnect = false, ...options }: SharedOptions): RedisConnection {
  const shared = { connectTimeout: LIMITS.connectTimeoutMs, disconnectTimeout: LIMITS.redisFarewellMs, connectionName: BRIDGE_NAME, ...options };
  if (address.kind !== 'cluster') {
    const ofSentinels: RedisOptions = address.kind === 'sentinels' ? { sentinelRetryStrategy: pause, sentinelCommandTimeout: LIMITS.storeTimeoutMs } : {};
    const all: Omit<RedisOptions, 'replyMapping'> = { ...shared, ...singleOptions(address), ...ofSentinels, retryStrategy: pause, enableOfflineQueue, lazyConnect };
    return new Redis(all);
  }
  const cluster = clusterOptions(address.nodes);
  return new Cluster(cluster.nodes, {
    ...cluster.options,
    redisOptions: { ...shared, ...cluster.redisOptions },
    clusterRetryStrategy: pause,
    slotsRefreshTimeout: LIMITS.storeTimeoutMs,
    // A shard that moved or failed over is looked for so often within one command, and the command's own time is over by then.
    maxRedirections: 8,
    enableOfflineQueue,
    lazyConnect,
  });
}
