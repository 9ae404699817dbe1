import { reachKept } from '../reach-kept.ts';
import { openStoredPrivacy } from './open-stored-privacy.ts';
import type { ReachPrivacy } from './privacy-access.ts';
import { RemotePrivacy } from './remote-privacy.ts';

/** The privacy of the bridge that runs with the configuration's dataDir; where none does, what is kept there, and no bridge starts with it meanwhile. */
export const reachPrivacy: ReachPrivacy = async (file, terminal) => {
  const reached = await reachKept(file, terminal, { remote: (dataDir) => new RemotePrivacy(dataDir), open: (bridge) => openStoredPrivacy(bridge) });
  if (typeof reached === 'number') return reached;
  const { access, close } = reached;
  return { all: () => access.all(), switch: (...args) => access.switch(...args), close };
};
