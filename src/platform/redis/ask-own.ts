import { Redis } from 'ioredis';
import { BridgeError } from '../../core/errors.ts';
import { codeOf } from '../http-client/connection-error.ts';
import { connectOnce, namesAnotherBridge } from './connections.ts';
import { infoOf } from './info.ts';
import { reasonOf } from './store-unavailable.ts';

/** Who answers on our own socket. */
export interface Answering {
  readonly version: string;
  /** Of a child process; the one inside the process has none of its own. */
  readonly pid: number;
  readonly isAppendOnly: boolean;
  /** Another process of the bridge is connected to it: it is no orphan. */
  readonly isUsed: boolean;
}

/**
 * Asks who answers on a socket of ours; waits for one that still reads its data.
 *
 * @returns undefined when nobody listens
 * @throws BridgeError CONFIGURATION when somebody listens and does not answer
 */
export async function askOwn(socket: string): Promise<Answering | undefined> {
  let connection;
  try {
    connection = await connectOnce({ kind: 'socket', path: socket });
  } catch (error) {
    // ENOENT: no socket. ECONNREFUSED: what a dead one left behind. ECONNRESET, EPIPE, CLOSED: it ends at this moment.
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'NOT_CONNECTED'].includes(reasonOf(error)) || codeOf(error) === 'ENOTSOCK') return undefined;
    throw new BridgeError('CONFIGURATION', `something holds ${socket} and does not answer (${reasonOf(error)}): end the redis-server or bridge that still runs there`, { cause: undefined });
  }
  try {
    if (!(connection instanceof Redis)) return undefined;
    const info = infoOf(await connection.info());
    return { version: info.get('valkey_version') ?? info.get('redis_version') ?? '', pid: Number(info.get('process_id')), isAppendOnly: info.get('aof_enabled') === '1', isUsed: namesAnotherBridge(String(await connection.client('LIST'))) };
  } finally {
    connection.disconnect();
  }
}
