import type { Bridge } from '../../bridge.ts';
import { reachKept } from '../reach-kept.ts';
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
    const reached = await reachKept<PresenceAccess>(file, terminal, { remote: (dataDir) => new RemotePresence(dataDir), open });
    return typeof reached === 'number' ? reached : heldBy(reached.access, reached.close);
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
