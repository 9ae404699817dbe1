import { checkPresenceParts } from '../../presence/troubleshooter.ts';
import { describeByName, outcomeOf } from '../checked.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import type { ReachPresenceCheck } from './presence-access.ts';

export interface PresenceCheckOptions {
  readonly config: string;
  readonly canary?: true;
  readonly json?: true;
  readonly verbose?: true;
}

/** `presence check [--canary]`: tries every gateway and publisher, one line each, beginning with its description; 1 when anything fails. Needs no running bridge. */
export async function checkPresence(options: PresenceCheckOptions, terminal: Terminal, reach: ReachPresenceCheck): Promise<ExitCode> {
  const found = await reach(options.config, terminal);
  if (typeof found === 'number') return found;
  try {
    if (options.canary === true && found.canary === undefined) {
      terminal.complain('presence.canary is missing: name somebody whom the check may show as being in a meeting for a moment');
      return EXIT.wrongUsage;
    }
    const checked = await checkPresenceParts(found, options.canary === true);
    if (options.json === true) terminal.print(JSON.stringify(checked, undefined, 2));
    else {
      for (const one of checked) for (const line of describeByName(one, options.verbose === true)) terminal.print(line);
      if (found.gateways.length === 0) terminal.complain('there is no gateway under presence.gateways: no Exchange calendar gives presence');
      if (found.publishers.length === 0) terminal.complain('there is no publisher under presence.publishers: presence is given by the API only');
    }
    return checked.some((one) => outcomeOf(one) === 'fail') ? EXIT.failed : EXIT.done;
  } finally {
    await found.close();
  }
}
