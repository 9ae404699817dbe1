import { BridgeError } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { namedMailboxes } from '../push.ts';
import type { Terminal } from '../terminal.ts';
import { untilInterrupted } from '../until-interrupted.ts';
import type { PresenceAccess, ReachPresence } from './presence-access.ts';
import { commandActor } from './presence-control.ts';
import { withPresence } from './with-presence.ts';

export interface PresenceSwitchOptions {
  readonly config: string;
  readonly all?: true;
  readonly system?: readonly string[];
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/**
 * `presence opt-in ADDRESS...|--all`, `presence opt-out ADDRESS...|--all`. `--all` prints whom it would switch and changes nothing without `--yes`
 * (presence.md A37). 1 where anybody could not be switched.
 */
export async function switchPresence(isOn: boolean, addresses: readonly string[], options: PresenceSwitchOptions, terminal: Terminal, reach: ReachPresence): Promise<ExitCode> {
  const named = namedMailboxes(addresses, options.all === true, terminal);
  if (named === undefined) return EXIT.wrongUsage;
  if (options.all !== true && (options.system !== undefined || options.yes === true)) {
    terminal.complain('--system and --yes belong to --all');
    return EXIT.wrongUsage;
  }
  if (options.dryRun === true && options.yes === true) {
    terminal.complain('either --dry-run or --yes');
    return EXIT.wrongUsage;
  }
  return withPresence(reach, options.config, terminal, async (presence) => {
    const mailboxes = options.all === true ? await everyoneElse(presence, isOn, options.system ?? [], terminal) : named;
    const isDry = options.dryRun === true || (options.all === true && options.yes !== true);
    if (isDry) return sayWhom(mailboxes, isOn, options, terminal);
    const outcomes = await presence.switch(mailboxes, isOn, commandActor());
    if (options.json === true) terminal.print(JSON.stringify(outcomes, undefined, 2));
    for (const { mailbox, changed, error } of outcomes) {
      if (error !== undefined) terminal.complain(`${mailbox}: ${error.message}`);
      else if (options.json !== true) terminal.print(`${mailbox}: ${changed === true ? '' : 'was '}switched ${isOn ? 'on' : 'off'}${changed === true ? '' : ' already'}`);
    }
    if (options.all === true && options.json !== true) terminal.print(`${outcomes.filter(({ changed }) => changed === true).length} switched ${isOn ? 'on' : 'off'}`);
    return outcomes.some(({ error }) => error !== undefined) ? EXIT.failed : EXIT.done;
  });
}

function sayWhom(mailboxes: readonly MailboxAddress[], isOn: boolean, { json, all, dryRun }: PresenceSwitchOptions, terminal: Terminal): ExitCode {
  if (json === true) terminal.print(JSON.stringify({ dryRun: true, mailboxes }, undefined, 2));
  else {
    for (const mailbox of mailboxes) terminal.print(`${mailbox}: would be switched ${isOn ? 'on' : 'off'}`);
    terminal.print(`${mailboxes.length} would be switched ${isOn ? 'on' : 'off'}`);
  }
  if (all === true && dryRun !== true) terminal.complain('nothing was changed: add --yes to do it');
  return EXIT.done;
}

/** Everybody of the systems who is the other way now. */
async function everyoneElse(presence: PresenceAccess, isOn: boolean, systems: readonly string[], terminal: Terminal): Promise<readonly MailboxAddress[]> {
  const states = await presence.optIns();
  if (!isOn) {
    if (systems.length > 0) throw new BridgeError('INVALID_REQUEST', '--system belongs to opt-in --all');
    return states.flatMap(({ mailbox, isOptedIn }) => (isOptedIn ? [mailbox] : []));
  }
  // An own "off" is a person's word: whoever said it is not switched on with all the others.
  const decided = new Set(states.flatMap(({ mailbox, isOptedIn, by }) => (isOptedIn || by !== undefined ? [mailbox] : [])));
  const mailboxes = new Set<MailboxAddress>();
  await untilInterrupted(async (signal) => {
    for await (const part of presence.everyone(systems, signal)) {
      for (const mailbox of part) if (!decided.has(mailbox)) mailboxes.add(mailbox);
      terminal.progress?.(`${mailboxes.size} …`);
    }
  });
  terminal.progress?.('');
  return [...mailboxes].sort();
}
