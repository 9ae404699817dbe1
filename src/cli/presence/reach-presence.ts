import type { Bridge } from '../../bridge.ts';
import { dataDirOf } from '../../config/load.ts';
import { toBridgeError } from '../../core/errors.ts';
import { ControlSocket } from '../../platform/control-socket.ts';
import { EXIT } from '../exit-code.ts';
import { loadConfiguration } from '../load-configuration.ts';
import { makeBridge } from '../make-bridge.ts';
import { refuseForeignDataDir, runningBridge } from '../reach-replication.ts';
import type { PresenceAccess, ReachPresence } from './presence-access.ts';
import { RemotePresence } from './remote-presence.ts';

/** Opens what a bridge keeps of presence, without running it; closing the access closes it. @throws BridgeError CONFIGURATION */
export type OpenPresence = (bridge: Bridge) => Promise<PresenceAccess>;

/**
 * The presence of the bridge that runs with the configuration's dataDir; where none does, what is kept there, and no bridge starts with it meanwhile.
 *
 * @param open `(bridge) => bridge.openPresence()`
 */
export function reachPresence(open: OpenPresence): ReachPresence {
  return async (file, terminal) => {
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
      if ((await runningBridge(dataDir)) !== undefined) return new RemotePresence(dataDir);
      const config = await loadConfiguration(file, terminal);
      bridge = config === undefined ? undefined : makeBridge(config, terminal);
      if (bridge === undefined) return EXIT.wrongUsage;
      await refuseForeignDataDir(dataDir);
      hold = await ControlSocket.open(dataDir, async () => ({ ok: false, lines: [`another command runs with dataDir ${dataDir}: try again when it has ended`] }));
      const access = await open(bridge);
      return heldBy(access, async () => {
        await access.close();
        await giveBack();
      });
    } catch (error) {
      await giveBack();
      terminal.complain(toBridgeError(error).publicMessage);
      return EXIT.failed;
    }
  };
}

function heldBy(access: PresenceAccess, close: () => Promise<void>): PresenceAccess {
  return {
    status: () => access.status(),
    followed: () => access.followed(),
    optIns: () => access.optIns(),
    switch: (...args) => access.switch(...args),
    setLanguage: (...args) => access.setLanguage(...args),
    setOwn: (...args) => access.setOwn(...args),
    resync: (which) => access.resync(which),
    everyone: (...args) => access.everyone(...args),
    close,
  };
}
