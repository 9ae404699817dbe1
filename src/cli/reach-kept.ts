import type { Bridge } from '../bridge.ts';
import { dataDirOf } from '../config/load.ts';
import { toBridgeError } from '../core/errors.ts';
import { ControlSocket } from '../platform/control-socket.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { makeBridge } from './make-bridge.ts';
import { refuseForeignDataDir, runningBridge } from './reach-replication.ts';
import type { Terminal } from './terminal.ts';

/** Something of a bridge's that is kept in its dataDir, and what gives back all that was opened for it. */
export interface ReachedKept<Access> {
  readonly access: Access;
  readonly close: () => Promise<void>;
}

/**
 * Something that a bridge keeps in its dataDir: of the bridge that runs with it (`remote`); where none does, what is there (`open`), and no bridge starts with it meanwhile.
 * Where there is none it says why and gives the exit code.
 */
export async function reachKept<Access extends { close(): Promise<void> }>(
  file: string,
  terminal: Terminal,
  { remote, open }: { readonly remote: (dataDir: string) => Access; readonly open: (bridge: Bridge) => Promise<Access> },
): Promise<ReachedKept<Access> | ExitCode> {
  // The whole file may need secrets that only the running bridge's environment has.
  const dataDir = await dataDirOf(file);
  if (dataDir === undefined) {
    await loadConfiguration(file, terminal);
    return EXIT.wrongUsage;
  }
  let bridge: Bridge | undefined;
  let hold: ControlSocket | undefined;
  const giveBack = async (): Promise<void> => {
    await bridge?.close();
    await hold?.close();
  };
  try {
    if ((await runningBridge(dataDir)) !== undefined) {
      const access = remote(dataDir);
      return { access, close: () => access.close() };
    }
    const config = await loadConfiguration(file, terminal);
    bridge = config === undefined ? undefined : makeBridge(config, terminal);
    if (bridge === undefined) return EXIT.wrongUsage;
    await refuseForeignDataDir(dataDir);
    hold = await ControlSocket.open(dataDir, async () => ({ ok: false, lines: [`another command runs with dataDir ${dataDir}: try again when it has ended`] }));
    const access = await open(bridge);
    return {
      access,
      close: async () => {
        await access.close();
        await giveBack();
      },
    };
  } catch (error) {
    await giveBack();
    terminal.complain(toBridgeError(error).publicMessage);
    return EXIT.failed;
  }
}
