import { stat } from 'node:fs/promises';
import type { Bridge } from '../bridge.ts';
import { dataDirOf } from '../config/load.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { askRunningBridge, ControlSocket } from '../platform/control-socket.ts';
import { REPLICATES_NOTHING } from './control-commands.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { makeBridge } from './make-bridge.ts';
import { isRecord } from './over-socket/record.ts';
import { RemoteReplication } from './remote-replication.ts';
import type { Replicating } from './replicating.ts';
import type { Terminal } from './terminal.ts';

/** The replication as a command got hold of it. */
export interface ReachedReplication {
  readonly replication: Replicating;
  /** Gives back all that was opened for it. */
  readonly close: () => Promise<void>;
}

/** A bridge answers at once, or is not well. */
const PING_TIMEOUT_MS = 5_000;

/**
 * Finds the replication of a configuration: that of the bridge which runs with its dataDir (with the configuration in force there, and
 * one writer only), or one opened here for as long as the command lasts.
 *
 * Where there is none it says why and gives the exit code.
 */
export async function reachReplication(file: string, terminal: Terminal): Promise<ReachedReplication | ExitCode> {
  // The whole file may need secrets that only the running bridge's environment has.
  const dataDir = await dataDirOf(file);
  if (dataDir === undefined) {
    await loadConfiguration(file, terminal);
    return EXIT.wrongUsage;
  }
  try {
    const running = await runningBridge(dataDir);
    if (running?.replicates === true) return { replication: new RemoteReplication(dataDir), close: async () => undefined };
    const config = running === undefined ? await loadConfiguration(file, terminal) : undefined;
    if (running !== undefined || config?.replication.length === 0) terminal.complain(REPLICATES_NOTHING);
    if (config === undefined || config.replication.length === 0) return EXIT.wrongUsage;
    const bridge = makeBridge(config, terminal);
    return bridge === undefined ? EXIT.wrongUsage : await openOwnReplication(bridge, dataDir);
  } catch (error) {
    terminal.complain(toBridgeError(error).publicMessage);
    return EXIT.failed;
  }
}

/** The bridge that runs with this dataDir; undefined where none does. @throws BridgeError where something else does, or it is not well */
export async function runningBridge(dataDir: string): Promise<{ readonly replicates: boolean } | undefined> {
  try {
    const answer = await askRunningBridge(dataDir, 'ping', PING_TIMEOUT_MS);
    // One of an earlier version does not say; what it is asked next will tell.
    if (answer.ok) return { replicates: !isRecord(answer.data) || answer.data['replicates'] !== false };
    throw new BridgeError('BACKEND_BUSY', answer.lines.join('; '), { temporary: true });
  } catch (error) {
    if (error instanceof BridgeError && error.details['reason'] === 'nobody') return undefined;
    throw error;
  }
}

/**
 * Opens a bridge's replication in this process. Its dataDir is held meanwhile, so that no bridge starts with it: the queue has one keeper.
 * Closing closes the bridge, too.
 *
 * @throws BridgeError where dataDir is another's, or Redis cannot be opened; the bridge is closed then
 */
export async function openOwnReplication(bridge: Bridge, dataDir: string): Promise<ReachedReplication> {
  let hold: ControlSocket | undefined;
  const close = async (): Promise<void> => {
    await bridge.close();
    await hold?.close();
  };
  try {
    await refuseForeignDataDir(dataDir);
    hold = await ControlSocket.open(dataDir, async () => ({ ok: false, lines: [`another command runs with dataDir ${dataDir}: try again when it has ended`] }));
    return { replication: await bridge.openReplication(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Root would leave files there that the bridge's own user cannot read. */
export async function refuseForeignDataDir(dataDir: string): Promise<void> {
  const found = await stat(dataDir).catch(() => undefined);
  if (found === undefined || found.uid === process.getuid?.()) return;
  throw new BridgeError('CONFIGURATION', `dataDir ${dataDir} belongs to another user: run this as that user, or while the bridge runs`);
}
