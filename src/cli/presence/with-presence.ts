import { toBridgeError } from '../../core/errors.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import type { PresenceAccess, ReachPresence } from './presence-access.ts';

/** Opens presence for a command, and gives it back however the command ends. */
export async function withPresence(reach: ReachPresence, file: string, terminal: Terminal, work: (presence: PresenceAccess) => Promise<ExitCode>): Promise<ExitCode> {
  const presence = await reach(file, terminal);
  if (typeof presence === 'number') return presence;
  try {
    return await work(presence);
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    terminal.complain(publicMessage);
    return code === 'CONFIGURATION' || code === 'INVALID_REQUEST' ? EXIT.wrongUsage : EXIT.failed;
  } finally {
    terminal.progress?.('');
    await presence.close();
  }
}
