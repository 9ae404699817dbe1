import { Option } from 'commander';
import type { Command } from 'commander';
import { toBridgeError } from '../../core/errors.ts';
import type { PrivacyState } from '../../freebusy/privacy.ts';
import { encodePrivacyState } from '../../protocols/rest-api/admin-privacy.ts';
import { columns } from '../columns.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { commandActor } from '../presence/presence-control.ts';
import { namedMailboxes } from '../push.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { PrivacyAccess, ReachPrivacy } from './privacy-access.ts';

export interface PrivacyOptions {
  readonly config: string;
  readonly json?: true;
}

const CONFIG = ['-c, --config <file>', 'the bridge.yaml to use'] as const;
const JSON_OPTION = ['--json', 'print it as JSON'] as const;

/** Adds `privacy opt-out`, `opt-in` and `list`. Their options stand before or after the sub-command. */
export function addPrivacyCommand(program: Command, terminal: Terminal, reach: ReachPrivacy, ended: (exit: ExitCode) => void): void {
  const privacy = program
    .command('privacy')
    .description('about whom nobody is told anything: who has opted out, and whom privacy.exclude names')
    .requiredOption(...CONFIG)
    .addOption(new Option(...JSON_OPTION).hideHelp())
    .addHelpText('after', '\nWith a running bridge it is asked; else it is changed where it is kept. A group stands for its members. Presence is switched by `presence opt-in` and `opt-out`.');
  for (const [name, isOptedOut, description] of [
    ['opt-out', true, 'tell nobody anything about the time of these any more; what was published is taken away'],
    ['opt-in', false, 'take that back; whoever privacy.exclude names stays hidden'],
  ] as const) {
    privacy
      .command(name)
      .description(description)
      .argument('<address...>', 'mailboxes and groups')
      .option(...CONFIG)
      .option(...JSON_OPTION)
      .action(async (addresses: string[], _options: unknown, command: Command) => ended(await switchNamed(isOptedOut, addresses, command.optsWithGlobals<PrivacyOptions>(), terminal, reach)));
  }
  privacy
    .command('list')
    .description('whom privacy.exclude names and who has opted out')
    .option(...CONFIG)
    .option(...JSON_OPTION)
    .action(async (_options: unknown, command: Command) => ended(await list(command.optsWithGlobals<PrivacyOptions>(), terminal, reach)));
}

/** 1 where anybody could not be switched. */
async function switchNamed(isOptedOut: boolean, addresses: readonly string[], options: PrivacyOptions, terminal: Terminal, reach: ReachPrivacy): Promise<ExitCode> {
  const named = namedMailboxes(addresses, false, terminal);
  if (named === undefined) return EXIT.wrongUsage;
  return withPrivacy(reach, options.config, terminal, async (privacy) => {
    const outcomes = await privacy.switch(named, isOptedOut, commandActor());
    if (options.json === true) terminal.print(JSON.stringify(outcomes, undefined, 2));
    for (const { mailbox, changed, isHidden, error } of outcomes) {
      if (error !== undefined) terminal.complain(`${mailbox}: ${error.message}`);
      else if (options.json !== true) terminal.print(`${mailbox}: ${inWords(isOptedOut, changed === true, isHidden === true)}`);
    }
    return outcomes.some(({ error }) => error !== undefined) ? EXIT.failed : EXIT.done;
  });
}

function inWords(isOptedOut: boolean, changed: boolean, isHidden: boolean): string {
  if (isOptedOut) return changed ? 'has opted out' : 'had opted out already';
  const hidden = isHidden ? ', and stays hidden: privacy.exclude names it or a group it is in, or such a group has opted out' : '';
  return (changed ? 'has opted in again' : 'had not opted out') + hidden;
}

async function list(options: PrivacyOptions, terminal: Terminal, reach: ReachPrivacy): Promise<ExitCode> {
  return withPrivacy(reach, options.config, terminal, async (privacy) => {
    const all = await privacy.all();
    if (options.json === true) terminal.print(JSON.stringify({ mailboxes: all.map(encodePrivacyState) }, undefined, 2));
    else for (const line of all.length === 0 ? ['nobody is hidden'] : columns(all.map(rowOf))) terminal.print(line);
    return EXIT.done;
  });
}

function rowOf({ mailbox, isExcluded, isOptedOut, by, at }: PrivacyState): readonly string[] {
  return [mailbox, isExcluded ? 'privacy.exclude' : '', isOptedOut ? 'opted out' : '', by ?? '', at === undefined ? '' : new Date(at).toISOString()].map(shown);
}

/** Opens privacy for a command, and gives it back however the command ends. */
async function withPrivacy(reach: ReachPrivacy, file: string, terminal: Terminal, work: (privacy: PrivacyAccess) => Promise<ExitCode>): Promise<ExitCode> {
  const privacy = await reach(file, terminal);
  if (typeof privacy === 'number') return privacy;
  try {
    return await work(privacy);
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    terminal.complain(publicMessage);
    return code === 'CONFIGURATION' || code === 'INVALID_REQUEST' ? EXIT.wrongUsage : EXIT.failed;
  } finally {
    await privacy.close();
  }
}
