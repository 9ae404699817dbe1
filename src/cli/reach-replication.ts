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
import { RemoteReplication } from './remote-replication.ts';
import type { Replicating, ReplicatingBridge } from './replicating.ts';
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
    if (await isBridgeRunning(dataDir)) return { replication: new RemoteReplication(dataDir), close: async () => undefined };
    const config = await loadConfiguration(file, terminal);
    if (config === undefined) return EXIT.wrongUsage;
    if (config.replication.length === 0) {
      terminal.complain(REPLICATES_NOTHING);
      return EXIT.wrongUsage;
    }
    const bridge = makeBridge(config, terminal);
    return bridge === undefined ? EXIT.wrongUsage : await openOwnReplication(bridge, dataDir);
  } catch (error) {
    terminal.complain(toBridgeError(error).publicMessage);
    return EXIT.failed;
  }
}

/** @throws BridgeError where something runs with this dataDir that is no bridge in good health */
export async function isBridgeRunning(dataDir: string): Promise<boolean> {
  try {
    const answer = await askRunningBridge(dataDir, 'ping', PING_TIMEOUT_MS);
    if (answer.ok) return true;
    throw new BridgeError('BACKEND_BUSY', answer.lines.join('; '), { temporary: true });
  } catch (error) {
    if (error instanceof BridgeError && error.details['reason'] === 'nobody') return false;
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
    return { replication: await (bridge as unknown as ReplicatingBridge).openReplication(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Root would leave files there that the bridge's own user cannot read. */
async function refuseForeignDataDir(dataDir: string): Promise<void> {
  const found = await stat(dataDir).catch(() => undefined);
  if (found === undefined || found.uid === process.getuid?.()) return;
  throw new BridgeError('CONFIGURATION', `dataDir ${dataDir} belongs to another user: run this as that user, or while the bridge runs`);
}
