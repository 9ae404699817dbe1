import { Option } from 'commander';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { exportGal } from './export.ts';
import type { GalExportOptions } from './export.ts';
import { EXPORT_FORMATS } from './export-shape.ts';
import type { ReachGal } from './gal-access.ts';
import { searchGal } from './search.ts';
import type { GalSearchOptions } from './search.ts';
import { showGalStatus } from './status.ts';
import type { GalStatusOptions } from './status.ts';

/** Every option of the sub-commands. */
const OPTIONS = {
  config: ['-c, --config <file>', 'the bridge.yaml to use'],
  json: ['--json', 'print it as JSON'],
  limit: ['--limit <number>', 'of those that are printed; default: 50'],
  as: ['--as <client>', 'with the rights of this client; default: whoever is shown to somebody'],
  for: ['--for <system>', 'which side (required): the name of a system, or exchange or zimbra where there is one of them'],
  format: ['--format <format>', `${EXPORT_FORMATS.join(', ')}; default: powershell for an Exchange, zmprov for a Zimbra`],
  base: ['--base <dn>', 'below which new contacts stand (ldif); default: OU=Contacts below the first domain of the system'],
  account: ['--account <address>', 'in whose folder they are (zmprov); default: other-sides@ the first domain of the system'],
} as const;

/** Adds `gal search`, `gal export` and `gal status`. Their options stand before or after the sub-command: `gal` takes them, and the sub-commands name them for their help. */
export function addGalCommand(program: Command, terminal: Terminal, reach: ReachGal, ended: (exit: ExitCode) => void): void {
  const gal = program
    .command('gal')
    .description('the one address book of all sides: who is found, how its sources are, the contacts that a side needs')
    .requiredOption(...OPTIONS.config)
    .addHelpText('after', '\nNone of them needs a running bridge.');
  for (const [name, [flags, description]] of Object.entries(OPTIONS)) if (name !== 'config') gal.addOption(new Option(flags, description).hideHelp());
  gal
    .command('search')
    .description('who is found by what somebody types, best first')
    .argument('<text...>', 'what somebody types')
    .option(...OPTIONS.config)
    .option(...OPTIONS.limit)
    .option(...OPTIONS.as)
    .option(...OPTIONS.json)
    .action(async (text: string[], _options: unknown, command: Command) => ended(await searchGal(text, command.optsWithGlobals<GalSearchOptions>(), terminal, reach)));
  gal
    .command('export')
    .description('print the mail contacts that a side needs for the people of the others, as a difference against what is there; changes nothing')
    .option(...OPTIONS.config)
    .option(...OPTIONS.for)
    .option(...OPTIONS.format)
    .option(...OPTIONS.base)
    .option(...OPTIONS.account)
    .option(...OPTIONS.json)
    .action(async (_options: unknown, command: Command) => ended(await exportGal(command.optsWithGlobals<GalExportOptions>(), terminal, reach)));
  gal
    .command('status')
    .description('how many are in it, how it stands with each source, what the directories say against each other')
    .option(...OPTIONS.config)
    .option(...OPTIONS.json)
    .action(async (_options: unknown, command: Command) => ended(await showGalStatus(command.optsWithGlobals<GalStatusOptions>(), terminal, reach)));
}
