import { presencePorts } from '../../bridge-presence-ports.ts';
import { presenceToCheck } from '../../bridge-presence-check.ts';
import { silentLogger } from '../../core/logger.ts';
import { EXIT } from '../exit-code.ts';
import { loadConfiguration } from '../load-configuration.ts';
import { runningBridge } from '../reach-replication.ts';
import type { ReachPresenceCheck } from './presence-access.ts';

/** Makes the configuration's gateways and publishers for `presence check`, beside whatever bridge runs. */
export const reachPresenceCheck: ReachPresenceCheck = async (file, terminal) => {
  const config = await loadConfiguration(file, terminal);
  if (config === undefined) return EXIT.wrongUsage;
  const isRunning = (await runningBridge(config.dataDir).catch(() => undefined)) !== undefined;
  const ports = presencePorts(silentLogger);
  // The port belongs to the bridge that runs.
  if (!isRunning) await ports.prepare(config, { isPatient: true });
  const found = await presenceToCheck(config, ports, { isBesideABridge: isRunning });
  return {
    ...found,
    close: async () => {
      await found.close();
      await ports.close();
    },
  };
};
