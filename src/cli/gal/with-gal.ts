import { toBridgeError } from '../../core/errors.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import type { GalAccess, ReachGal } from './gal-access.ts';

/** Opens the address book for a command, and gives it back however the command ends. */
export async function withGal(reach: ReachGal, file: string, terminal: Terminal, work: (gal: GalAccess) => Promise<ExitCode>): Promise<ExitCode> {
  const gal = await reach(file, terminal);
  if (typeof gal === 'number') return gal;
  try {
    return await work(gal);
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    terminal.complain(publicMessage);
    return code === 'CONFIGURATION' ? EXIT.wrongUsage : EXIT.failed;
  } finally {
    terminal.progress?.('');
    await gal.close();
  }
}
