import { LIMITS } from '../../core/limits.ts';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BridgeError } from '../../core/errors.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { askOwn } from './ask-own.ts';
import { connectOnce } from './connections.ts';
import type { EmbeddedWorkerData, EmbeddedWorkerMessage } from './embedded-worker.ts';
import type { OwnDirectory } from './own-directory.ts';
import { lastWarnings } from './server-log.ts';
import type { Run } from './supervised.ts';

const LOG = 'embedded.log';

/** A running thread with Valkey inside. */
export interface EmbeddedRun extends Run {
  readonly version: string;
  /** Ends the thread. What is to be kept has been saved before. */
  stop(): Promise<void>;
}

/**
 * Starts Valkey in a thread of this process.
 *
 * @param signal gives up: the thread is ended
 * @throws BridgeError CONFIGURATION when its snapshot cannot be read, or when somebody uses the directory already; DEADLINE when `signal` fires
 */
export async function runEmbedded(own: OwnDirectory, signal: AbortSignal): Promise<EmbeddedRun> {
  // Two that write one snapshot would lose each other's changes. The control socket lets one bridge use a dataDir; this catches the rest.
  if ((await untilAborted(askOwn(own.socket), signal)) !== undefined) throw new BridgeError('CONFIGURATION', `another bridge, or a redis-server it left behind, uses ${own.data}`);
  await rm(own.socket, { force: true });
  const workerData: EmbeddedWorkerData = { data: own.data, socket: own.socket, log: join(own.data, LOG) };
  const worker = new Worker(workerUrl(import.meta.url), { workerData, name: 'valkey' });
  let reason = '';
  worker.on('message', (message: EmbeddedWorkerMessage) => {
    if (message.kind === 'failed') reason = message.reason;
  });
  worker.on('error', (error) => (reason = error instanceof Error ? error.message : 'it broke'));
  const ended = new Promise<string>((resolve) => worker.once('exit', (code) => resolve(reason === '' ? `exit ${code}` : reason)));
  const stop = async (): Promise<void> => {
    worker.postMessage('stop');
    const timer = setTimeout(() => void worker.terminate(), LIMITS.embeddedStopMs);
    await ended;
    clearTimeout(timer);
    await rm(own.socket, { force: true });
  };
  try {
    await untilAborted(listening(worker, ended), signal);
    return { version: await untilAborted(prepared(own.socket), signal), ended, stop };
  } catch (error) {
    await stop();
    if (signal.aborted) throw error;
    throw await doesNotStart(own, await ended);
  }
}

/** The thread runs compiled JavaScript; tests run from src/, where Node 20 cannot load it, and take the one in dist/. */
export function workerUrl(here: string): URL {
  const compiled = here.replace(/\/src\/(?=platform\/redis\/[^/]+\.ts$)/, '/dist/').replace(/\.ts$/, '.js');
  return new URL('embedded-worker.js', compiled);
}

async function listening(worker: Worker, ended: Promise<string>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('silent')), LIMITS.embeddedStartMs);
    void ended.then(() => reject(new Error('ended'))).finally(() => clearTimeout(timer));
    worker.on('message', ({ kind }: EmbeddedWorkerMessage) => {
      clearTimeout(timer);
      if (kind === 'listening') resolve();
      else reject(new Error('failed'));
    });
  });
}

/** Its log has a line for every SAVE; only warnings are worth the disk. */
async function prepared(socket: string): Promise<string> {
  const connection = await connectOnce({ kind: 'socket', path: socket });
  await connection.call('CONFIG', 'SET', 'loglevel', 'warning');
  connection.disconnect();
  return (await askOwn(socket))?.version ?? '';
}

async function doesNotStart(own: OwnDirectory, reason: string): Promise<BridgeError> {
  const said = await lastWarnings(join(own.data, LOG));
  const text = `the Redis inside the bridge does not start (${reason}${said === '' ? '' : `; "${said}"`})`;
  const aboutData = /loading|RDB|signature|short read|checksum/i.test(said);
  return new BridgeError('CONFIGURATION', aboutData ? `${text}: ${own.snapshot} cannot be read; put a copy of it there, or remove it (waiting changes are lost; the next pass over all mailboxes finds them)` : text);
}
