import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BridgeError } from '../../core/errors.ts';
import { codeOf } from '../http-client/connection-error.ts';

/** `sun_path` of a unix socket, less its closing zero. */
const SOCKET_PATH_BYTES = 107;
const SOCKET = 'redis.sock';

/** Which of our own kinds wrote what the directory holds. */
export type Held = 'append-only' | 'snapshot' | 'nothing';

/** The place of our own Redis: `dataDir/redis` for its data, `dataDir/redis.sock` for its socket. */
export interface OwnDirectory {
  readonly data: string;
  /** As a client and a listener of this process may use it; at most 107 bytes. */
  readonly socket: string;
  /** The same socket, from inside `data`. */
  readonly socketFromData: string;
  readonly held: Held;
  /** Where the one inside the process keeps its snapshot, where the child keeps its log of commands. */
  readonly snapshot: string;
  readonly appendOnly: string;
  close(): Promise<void>;
}

/**
 * Makes both directories (0700) and finds out what is there.
 *
 * @throws BridgeError CONFIGURATION when they cannot be used
 */
export async function openOwnDirectory(dataDir: string): Promise<OwnDirectory> {
  const data = join(dataDir, 'redis');
  try {
    for (const directory of [dataDir, data]) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await chmod(directory, 0o700);
      await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    }
    const names = await readdir(data);
    const appendOnly = names.find((name) => name === 'appendonlydir' || name === 'appendonly.aof');
    const held = appendOnly !== undefined ? 'append-only' : names.includes('dump.rdb') ? 'snapshot' : 'nothing';
    const { socket, close } = await socketOf(dataDir);
    return { data, socket, socketFromData: `../${SOCKET}`, held, snapshot: join(data, 'dump.rdb'), appendOnly: join(data, appendOnly ?? 'appendonlydir'), close };
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    throw new BridgeError('CONFIGURATION', `${data} cannot be used for the bridge's own Redis: ${codeOf(error)}`, { cause: error });
  }
}

/** A long path is given relative to the working directory or, on Linux, by way of an open directory. */
async function socketOf(dataDir: string): Promise<{ socket: string; close: () => Promise<void> }> {
  const absolute = join(dataDir, SOCKET);
  for (const socket of [absolute, relative(process.cwd(), absolute)]) {
    if (Buffer.byteLength(socket) <= SOCKET_PATH_BYTES) return { socket, close: async () => undefined };
  }
  let directory: FileHandle | undefined;
  try {
    directory = await open(dataDir, constants.O_RDONLY | constants.O_DIRECTORY);
    const { fd } = directory;
    await access(`/proc/self/fd/${fd}/redis`);
    return { socket: `/proc/self/fd/${fd}/${SOCKET}`, close: () => directory!.close() };
  } catch (error) {
    await directory?.close();
    throw new BridgeError('CONFIGURATION', `dataDir is too long for a unix socket (${SOCKET_PATH_BYTES} bytes): choose a shorter path`, { cause: error });
  }
}
