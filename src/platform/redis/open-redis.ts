import type { Logger } from '../../core/logger.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { shownAddress } from './address.ts';
import type { RedisAddress } from './address.ts';
import { Connections } from './connections.ts';
import { runEmbedded } from './embedded-server.ts';
import { findServer } from './find-server.ts';
import { GroupCommit } from '../../core/group-commit.ts';
import { openOwnDirectory } from './own-directory.ts';
import type { OwnDirectory } from './own-directory.ts';
import { noServer, runPrivate } from './private-server.ts';
import { probeRedis } from './probe.ts';
import type { RedisStore, RedisTarget } from './redis-store.ts';
import { storeUnavailable } from './store-unavailable.ts';
import { Supervised } from './supervised.ts';

export interface OpenRedisOptions {
  readonly logger: Logger;
  /** Which of the bridge's own kinds to take, whatever is installed: for tests and benchmarks, not a configuration key. */
  readonly prefer?: 'private' | 'embedded';
}

/**
 * Opens the Redis of `target`; without one, the bridge's own in `dataDir`: a private child where a redis-server or valkey-server is on PATH, else Valkey inside the process.
 * What is in `dataDir` stays with the kind that wrote it: neither reads the other's files, and starting empty beside them would lose acknowledged changes.
 *
 * A configured Redis may be away: this resolves all the same, and `commands` reject until it is there. Whoever opens a store without `target` holds `dataDir`
 * (ControlSocket): two bridges on one would spoil each other's files. The socket is asked before anything is started, which catches all but two starts in the same moment.
 *
 * @throws BridgeError CONFIGURATION when the bridge's own cannot start: the text says what to do
 */
export async function openRedis(target: RedisTarget | undefined, dataDir: string, options: OpenRedisOptions): Promise<RedisStore> {
  if (target !== undefined) return configured(target, options.logger);
  const own = await openOwnDirectory(dataDir);
  try {
    return await ownStore(own, options);
  } catch (error) {
    await own.close();
    throw error;
  }
}

async function ownStore(own: OwnDirectory, { logger, prefer }: OpenRedisOptions): Promise<RedisStore> {
  const server = await findServer();
  const kind = prefer ?? (own.held === 'append-only' ? 'private' : own.held === 'snapshot' || server === undefined ? 'embedded' : 'private');
  if (kind === 'embedded') {
    if (prefer === undefined && server !== undefined) {
      logger.warn({}, `${server.command} is installed, but ${own.snapshot} was written inside the bridge: to change over, let the queue run empty, stop the bridge and remove that file`);
    }
    return embedded(own, logger);
  }
  if (prefer === 'private' && server === undefined) throw noServer(own);
  return privateChild(own, server, logger);
}

async function configured(target: RedisTarget, logger: Logger): Promise<RedisStore> {
  const connections = new Connections(target, logger);
  await connections.settled();
  return store(connections, target, {
    kind: 'configured',
    promise: `Redis at ${shownAddress(target)}: a stored change is as safe as that Redis keeps it`,
    durable: () => Promise.resolve(),
    maxWaiting: undefined,
    end: async () => connections.close(),
  });
}

async function privateChild(own: OwnDirectory, server: Awaited<ReturnType<typeof findServer>>, logger: Logger): Promise<RedisStore> {
  const supervised = await Supervised.run((signal) => runPrivate(own, server, signal), logger);
  const address = { kind: 'socket', path: own.socket } as const;
  const connections = new Connections(address, logger);
  await connections.settled();
  const first = supervised.current;
  const origin = first?.isAdopted === true ? ', left over by a bridge that died and taken over' : '';
  return store(connections, address, {
    kind: 'private',
    promise: `a private Redis ${first?.version ?? ''} in ${own.data}${origin}: a stored change survives a power cut`,
    durable: () => Promise.resolve(),
    maxWaiting: undefined,
    async end() {
      connections.close();
      await (await supervised.stop())?.stop();
      await own.close();
    },
  });
}

async function embedded(own: OwnDirectory, logger: Logger): Promise<RedisStore> {
  const supervised = await Supervised.run((signal) => runEmbedded(own, signal), logger);
  const address = { kind: 'socket', path: own.socket } as const;
  const connections = new Connections(address, logger);
  await connections.settled();
  const saves = new GroupCommit(async () => {
    await connections.commands.call('SAVE').catch((error: unknown) => Promise.reject(storeUnavailable(error)));
  });
  return store(connections, address, {
    kind: 'embedded',
    promise:
      `Valkey ${supervised.current?.version ?? ''} inside the bridge, in ${own.data}: a stored change survives the end of the bridge; at most ${LIMITS.embeddedWaiting.toLocaleString('en')} mailboxes wait. ` +
      'For more, install redis-server or configure `redis`',
    durable: () => saves.commit(),
    maxWaiting: LIMITS.embeddedWaiting,
    async end() {
      await untilAborted(saves.commit(), new AbortController().signal, LIMITS.embeddedLastSaveMs).catch((error: unknown) => logger.error({ code: 'STORE_UNAVAILABLE', reason: storeUnavailable(error).code }, 'the last snapshot could not be written: finished work is done again'));
      connections.close();
      await (await supervised.stop())?.stop();
      await own.close();
    },
  });
}

interface Parts extends Pick<RedisStore, 'kind' | 'promise' | 'durable' | 'maxWaiting'> {
  readonly end: () => Promise<void>;
}

function store(connections: Connections, address: RedisAddress, { end, ...parts }: Parts): RedisStore {
  let closing: Promise<void> | undefined;
  return {
    ...parts,
    commands: connections.commands,
    blocking: () => connections.blocking(),
    probe: () => probeRedis(address, parts.kind),
    close: () => (closing ??= end()),
  };
}
