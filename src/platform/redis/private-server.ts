import { LIMITS } from '../../core/limits.ts';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BridgeError } from '../../core/errors.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { askOwn } from './ask-own.ts';
import type { Answering } from './ask-own.ts';
import { connectOnce } from './connections.ts';
import type { FoundServer } from './find-server.ts';
import type { OwnDirectory } from './own-directory.ts';
import { lastWarnings } from './server-log.ts';
import type { Run } from './supervised.ts';

const LOG = 'server.log';

/** A running redis-server of ours. */
export interface PrivateRun extends Run {
  readonly version: string;
  readonly pid: number;
  /** It was left over by a bridge that died, and was taken over. */
  readonly isAdopted: boolean;
  /** Ends it by SHUTDOWN and waits; kills it when it does not listen. Takes LIMITS.privateRedisStopMs and privateRedisKillMs at most. */
  stop(): Promise<void>;
}

/**
 * Takes over the child that a dead bridge left behind, or starts one: no TCP port, every command on disk before it is answered.
 * Two children on one directory would spoil its log of commands; what guards against it is the socket (asked first) and the control socket, which
 * lets one bridge use a dataDir. A child that a running bridge uses is left alone.
 *
 * @param signal gives up: what was started is killed
 * @throws BridgeError CONFIGURATION when it cannot start, with what its own log says; DEADLINE when `signal` fires
 */
export async function runPrivate(own: OwnDirectory, server: FoundServer | undefined, signal: AbortSignal): Promise<PrivateRun> {
  const orphan = await untilAborted(orphanOf(own.socket), signal);
  if (orphan !== undefined) {
    if (!orphan.isAppendOnly || orphan.isUsed) throw new BridgeError('CONFIGURATION', `another bridge uses ${own.data}`);
    return running(own, orphan, undefined);
  }
  if (server === undefined) throw noServer(own);
  const child = await spawned(own, server.command);
  try {
    const answering = await untilAborted(firstAnswer(own, child), signal);
    return running(own, answering, child);
  } catch (error) {
    child.kill('SIGKILL');
    await untilNot(() => child.exitCode === null && child.signalCode === null, LIMITS.privateRedisKillMs);
    throw error;
  }
}

/** Who answers already. Of a bridge that died a moment ago the connections may still be counted: it is asked again. */
async function orphanOf(socket: string): Promise<Answering | undefined> {
  let answering = await askOwn(socket);
  for (let tries = 0; answering?.isUsed === true && tries < 5; tries++) {
    await sleep(100);
    answering = await askOwn(socket);
  }
  return answering;
}

/** Its data is here and its program is not: starting another kind empty would lose acknowledged changes without a word. */
export function noServer(own: OwnDirectory): BridgeError {
  return new BridgeError('CONFIGURATION', `${own.appendOnly} was written by a redis-server and none (6.2 or newer) is on PATH: install it again, or remove ${own.data} (waiting changes are lost)`);
}

async function spawned(own: OwnDirectory, command: string): Promise<ChildProcess> {
  const log = openSync(join(own.data, LOG), 'w', 0o600);
  const child = spawn(command, optionsOf(own), {
    // Its own session: Ctrl-C reaches the bridge, which ends the child when the last change is stored.
    detached: true,
    cwd: own.data,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new BridgeError('CONFIGURATION', `${command} cannot be started`, { cause: error })));
    child.once('spawn', () => resolve(child));
  });
}

/** As options and not as a file: nothing to keep in step with the bridge's version. */
function optionsOf(own: OwnDirectory): readonly string[] {
  const options: Readonly<Record<string, string>> = {
    port: '0',
    unixsocket: own.socketFromData,
    unixsocketperm: '600',
    daemonize: 'no',
    databases: '1',
    // On disk before it is answered: an acknowledged change survives a power cut too.
    appendonly: 'yes',
    appendfsync: 'always',
    // A half-written last command was never acknowledged.
    'aof-load-truncated': 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}

async function firstAnswer(own: OwnDirectory, child: ChildProcess): Promise<Answering> {
  let hasEnded = false;
  child.once('exit', () => (hasEnded = true));
  for (const until = performance.now() + LIMITS.privateRedisStartMs; performance.now() < until; await sleep(10)) {
    const answering = await askOwn(own.socket);
    if (answering !== undefined) return answering;
    if (hasEnded) throw await doesNotStart(own);
  }
  throw new BridgeError('CONFIGURATION', `the private redis-server gave no answer within ${LIMITS.privateRedisStartMs / 1000} s; see ${join(own.data, LOG)}`);
}

async function doesNotStart(own: OwnDirectory): Promise<BridgeError> {
  const said = await lastWarnings(join(own.data, LOG));
  const advice = /append only|AOF|loading/i.test(said) ? `: repair ${own.appendOnly} with redis-check-aof --fix, or remove it (waiting changes are lost; the next pass over all mailboxes finds them)` : '';
  return new BridgeError('CONFIGURATION', `the private redis-server does not start with ${own.data} ("${said}")${advice}`);
}

function running(own: OwnDirectory, { version, pid }: Answering, child: ChildProcess | undefined): PrivateRun {
  const ended = child === undefined ? endOfOrphan(own.socket) : endOfChild(child);
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  // An orphan that ended may keep its process id until init looks after it.
  const isThere = (): boolean => !hasEnded && isReached(pid, 0);
  return {
    version,
    pid,
    isAdopted: child === undefined,
    ended,
    async stop() {
      const politely = isToldToEnd(own.socket).then((isTold) => (isTold ? untilNot(isThere, LIMITS.privateRedisStopMs) : undefined));
      // One that does not listen is killed; everything acknowledged is on disk already.
      await untilAborted(politely, new AbortController().signal, LIMITS.privateRedisStopMs).catch(() => undefined);
      if (isThere()) isReached(pid, 'SIGKILL');
      await untilNot(isThere, LIMITS.privateRedisKillMs);
    },
  };
}

async function isToldToEnd(socket: string): Promise<boolean> {
  try {
    const connection = await connectOnce({ kind: 'socket', path: socket });
    // It answers by ending, which ioredis takes for an error. NOSAVE: the log of commands is complete.
    await connection.call('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    connection.disconnect();
    return true;
  } catch {
    // Ended already, or hung.
    return false;
  }
}

function endOfChild(child: ChildProcess): Promise<string> {
  child.unref();
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.signalCode ?? `exit ${child.exitCode}`);
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`)));
}

/** Somebody else's child tells nobody that it ended, but its socket does. */
function endOfOrphan(socket: string): Promise<string> {
  return new Promise((resolve) => {
    const watch = createConnection({ path: socket });
    // Why it broke does not matter: 'close' follows.
    watch.on('error', () => undefined).once('close', () => resolve('gone'));
    watch.resume();
    watch.unref();
  });
}

/** Looks every 5 ms, for so long at most. */
async function untilNot(isThere: () => boolean, ms: number): Promise<void> {
  for (const until = performance.now() + ms; isThere() && performance.now() < until; ) await sleep(5);
}

/** Sends a signal; 0 only asks. */
function isReached(pid: number, signal: 0 | 'SIGKILL'): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // ESRCH: gone.
    return false;
  }
}
