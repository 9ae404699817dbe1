import { Option } from 'commander';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { checkPresence } from './check.ts';
import type { PresenceCheckOptions } from './check.ts';
import { checkLocales, listLocales } from './locale.ts';
import type { ReachPresence, ReachPresenceCheck } from './presence-access.ts';
import { resyncPresence, setOwnPresence, setPresenceLanguage } from './set.ts';
import { listPresence, showPresenceStatus } from './status.ts';
import type { PresenceShowOptions } from './status.ts';
import { switchPresence } from './switch.ts';
import type { PresenceSwitchOptions } from './switch.ts';

/** Every option of the sub-commands. */
const OPTIONS = {
  config: ['-c, --config <file>', 'the bridge.yaml to use'],
  json: ['--json', 'print it as JSON'],
  all: ['--all', 'everybody'],
  dryRun: ['--dry-run', 'change nothing: show whom it would switch'],
  yes: ['--yes', 'with --all: really do it'],
  until: ['--until <time>', 'ISO 8601 with its zone; default: until it is taken back'],
  canary: ['--canary', 'also show presence.canary as being in a meeting for a moment, and look whether a watcher sees it'],
  verbose: ['--verbose', 'one line for every step'],
} as const;
const SYSTEM = ['--system <name>', 'with --all: only who lives in this system; repeat for more'] as const;

export interface PresenceCommandParts {
  readonly reach: ReachPresence;
  readonly reachCheck: ReachPresenceCheck;
}

/** Adds `presence status`, `list`, `opt-in`, `opt-out`, `language`, `set`, `resync`, `locale` and `check`. Their options stand before or after the sub-command. */
export function addPresenceCommand(program: Command, terminal: Terminal, { reach, reachCheck }: PresenceCommandParts, ended: (exit: ExitCode) => void): void {
  const several = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];
  const presence = program
    .command('presence')
    .description('whose calendar is shown as availability: who has opted in, how it stands, gateways and publishers')
    .requiredOption(...OPTIONS.config)
    .addHelpText('after', '\nWith a running bridge it is asked; else opt-ins and languages are changed where they are kept. check and locale need none.');
  for (const [name, [flags, description]] of Object.entries(OPTIONS)) if (name !== 'config') presence.addOption(new Option(flags, description).hideHelp());
  presence.addOption(new Option(...SYSTEM).argParser(several).hideHelp());
  const taking = (command: Command, ...names: readonly (keyof typeof OPTIONS)[]): Command => names.reduce((one, name) => one.option(OPTIONS[name][0], OPTIONS[name][1]), command.option(...OPTIONS.config));
  const show = (name: string, description: string, run: typeof listPresence): void => {
    taking(presence.command(name).description(description), 'json').action(async (_options: unknown, command: Command) => ended(await run(command.optsWithGlobals<PresenceShowOptions>(), terminal, reach)));
  };
  show('status', 'how many are shown as what, how it stands with gateways and publishers, what has still to move', showPresenceStatus);
  show('list', 'everybody who is shown: as what, until when, through which gateway', listPresence);
  for (const [name, isOn] of [['opt-in', true], ['opt-out', false]] as const) {
    const description = isOn ? 'include calendar information in the presence status of these; --all lists whom it would switch on, and does it with --yes' : 'show these no longer; what was shown is withdrawn at once';
    const command = taking(presence.command(name).description(description).argument('[address...]', 'whose'), 'all', 'dryRun', 'yes', 'json');
    if (isOn) command.addOption(new Option(...SYSTEM).argParser(several));
    command.action(async (addresses: string[], _options: unknown, one: Command) => ended(await switchPresence(isOn, addresses, one.optsWithGlobals<PresenceSwitchOptions>(), terminal, reach)));
  }
  taking(presence.command('language').description('in which language somebody’s status texts are').argument('<address>', 'whose').argument('<tag>', 'en, de, de-AT, …; default: the configuration’s')).action(
    async (address: string, tag: string, _options: unknown, command: Command) => ended(await setPresenceLanguage(address, tag, command.optsWithGlobals<{ config: string }>(), terminal, reach)),
  );
  taking(
    presence.command('set').description('what somebody else than the calendar says: the person, a telephone, an idle machine')
      .argument('<address>', 'of whom').argument('<source>', 'manual, phone or idle').argument('<state>', 'manual: available, away, do-not-disturb, offline; phone: on-the-phone; idle: away; none takes it back'),
    'until',
  ).action(async (address: string, source: string, state: string, _options: unknown, command: Command) =>
    ended(await setOwnPresence(address, source, state, command.optsWithGlobals<{ config: string; until?: string }>(), terminal, reach)),
  );
  taking(presence.command('resync').description('read calendars again, subscribe and publish anew').argument('[address...]', 'whose'), 'all').action(async (addresses: string[], _options: unknown, command: Command) =>
    ended(await resyncPresence(addresses, command.optsWithGlobals<{ config: string; all?: true }>(), terminal, reach)),
  );
  taking(presence.command('check').description('try every gateway and publisher: name, port, certificate, account, right to read, call-back; one line each'), 'canary', 'verbose', 'json').action(
    async (_options: unknown, command: Command) => ended(await checkPresence(command.optsWithGlobals<PresenceCheckOptions>(), terminal, reachCheck)),
  );
  const locale = presence.command('locale').description('the languages of status texts');
  taking(locale.command('list').description('which there are'), 'json').action(async (_options: unknown, command: Command) => ended(await listLocales(command.optsWithGlobals<PresenceShowOptions>(), terminal)));
  taking(locale.command('check').description('what is missing, unknown or unreadable in catalogues'), 'json').action(async (_options: unknown, command: Command) => ended(await checkLocales(command.optsWithGlobals<PresenceShowOptions>(), terminal)));
}
