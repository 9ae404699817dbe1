import { toBridgeError } from '../core/errors.ts';
import { askRunningBridge } from '../platform/control-socket.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import type { Terminal } from './terminal.ts';

/** A reload opens listeners and reads certificates; nothing in it takes longer. */
const RELOAD_TIMEOUT_MS = 15_000;

/** `reload --config FILE`: checks the file, then has the running bridge apply it. */
export async function reload(file: string, terminal: Terminal): Promise<ExitCode> {
  const config = await loadConfiguration(file, terminal);
  if (config === undefined) {
    terminal.complain('the running configuration stays in force');
    return EXIT.wrongUsage;
  }
  try {
    const answer = await askRunningBridge(config.dataDir, 'reload', RELOAD_TIMEOUT_MS);
    for (const line of answer.lines) (answer.ok ? terminal.print : terminal.complain)(line);
    return answer.ok ? EXIT.done : EXIT.failed;
  } catch (error) {
    terminal.complain(toBridgeError(error).publicMessage);
    return EXIT.failed;
  }
}
