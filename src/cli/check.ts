import { parseMailboxAddress } from '../directory/smtp-address.ts';
import { checkClient } from './check-client.ts';
import { checkIssuers } from './check-issuer.ts';
import { checkListener } from './check-listener.ts';
import { checkMailboxes, checkSystem, withProbes } from './check-system.ts';
import { describeChecked, outcomeOf } from './checked.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { makeBridge } from './make-bridge.ts';
import { PROBE_DEADLINE_MS } from './probe-context.ts';
import { probeReplication } from './probe-replication.ts';
import type { Terminal } from './terminal.ts';

export interface CheckOptions {
  readonly config: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** `check [ADDRESS...]`: tries every system and the replication, looks at every client and listener, one line each; 1 when anything fails. */
export async function check(addresses: readonly string[], options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadConfiguration(options.config, terminal);
  if (loaded === undefined) return EXIT.wrongUsage;
  const named = addresses.map((text) => parseMailboxAddress(text));
  if (named.includes(undefined)) {
    terminal.complain(`no mail address: ${addresses.filter((text) => parseMailboxAddress(text) === undefined).join(', ')}`);
    return EXIT.wrongUsage;
  }
  const config = withProbes(loaded, named.flatMap((one) => one ?? []));
  const bridge = makeBridge(config, terminal);
  if (bridge === undefined) return EXIT.wrongUsage;
  try {
    const now = Date.now();
    const [systems, issuers] = await Promise.all([Promise.all(bridge.systems.map(checkSystem)), checkIssuers(config)]);
    const checked = [...systems, ...issuers, ...config.clients.map((client) => checkClient(client, config, now)), ...checkListener(config, now)];
    for (const { label, findings } of await bridge.addressBook.probe(AbortSignal.timeout(PROBE_DEADLINE_MS))) checked.push({ kind: 'directory', name: label, findings });
    await bridge.openAddressBook();
    for (const { name, findings } of await probeReplication(config)) checked.push({ kind: 'replication', name, findings });
    checked.push(...(await checkMailboxes(bridge.lookup, named.flatMap((one) => one ?? []))));
    if (options.json === true) terminal.print(JSON.stringify(checked, undefined, 2));
    else {
      for (const one of checked) for (const line of describeChecked(one, options.verbose === true)) terminal.print(line);
      for (const warning of config.warnings) terminal.print(`warn  configuration: ${warning}`);
    }
    return checked.some((one) => outcomeOf(one) === 'fail') ? EXIT.failed : EXIT.done;
  } finally {
    await bridge.close();
  }
}
