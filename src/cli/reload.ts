import { dataDirOf } from '../config/load.ts';
import { toBridgeError } from '../core/errors.ts';
import { askRunningBridge } from '../platform/control-socket.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import type { Terminal } from './terminal.ts';

/** A reload opens listeners and reads certificates; nothing in it takes longer. */
const RELOAD_TIMEOUT_MS = 15_000;

/**
 * `reload --config FILE`: has the running bridge read and apply the file. The bridge judges it, because the environment with its
 * secrets is the bridge's and not this shell's.
 */
export async function reload(file: string, terminal: Terminal): Promise<ExitCode> {
  const dataDir = await dataDirOf(file);
  if (dataDir === undefined) {
    await loadConfiguration(file, terminal);
    terminal.complain('the running configuration stays in force');
    return EXIT.wrongUsage;
  }
  try {
    const answer = await askRunningBridge(dataDir, 'reload', RELOAD_TIMEOUT_MS);
    for (const line of answer.lines) (answer.ok ? terminal.print : terminal.complain)(line);
    if (answer.ok) return EXIT.done;
    return answer.isMisconfigured === true ? EXIT.wrongUsage : EXIT.failed;
  } catch (error) {
    terminal.complain(toBridgeError(error).publicMessage);
    terminal.complain('If you have changed dataDir: it cannot change while the bridge runs; restart it.');
    return EXIT.failed;
  }
}
