import { EXIT } from '../exit-code.ts';
import type { ReachPresenceCheck } from './presence-access.ts';

/** Says that nothing is wired yet: gateways and publishers are made by the composition root. */
export const reachPresenceCheck: ReachPresenceCheck = async (_file, terminal) => {
  terminal.complain('gateways and publishers are not wired into this command');
  return EXIT.failed;
};
