import { parseIsoTime } from '../../core/iso-time.ts';
import { languageTag } from '../../core/language-tag.ts';
import { OWN_SOURCES, OWN_STATES } from '../../presence/presence-service.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { namedMailboxes } from '../push.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { ReachPresence } from './presence-access.ts';
import { commandActor } from './presence-control.ts';
import { withPresence } from './with-presence.ts';

/** Said in place of a language: the configuration's again. */
const DEFAULT_LANGUAGE = 'default';
/** Said in place of a state: the source says nothing any more. */
const NO_STATE = 'none';

/** `presence language ADDRESS TAG`: of somebody's status texts; `default` is the configuration's. */
export async function setPresenceLanguage(address: string, tag: string, options: { readonly config: string }, terminal: Terminal, reach: ReachPresence): Promise<ExitCode> {
  const mailbox = mailboxOf(address, terminal);
  const language = tag === DEFAULT_LANGUAGE ? undefined : languageTag(tag);
  if (mailbox !== undefined && tag !== DEFAULT_LANGUAGE && language === undefined) terminal.complain(`no language tag: ${shown(tag)} (en, de, de-AT; ${DEFAULT_LANGUAGE} for that of the configuration)`);
  if (mailbox === undefined || (language === undefined && tag !== DEFAULT_LANGUAGE)) return EXIT.wrongUsage;
  return withPresence(reach, options.config, terminal, async (presence) => {
    await presence.setLanguage(mailbox, language, commandActor());
    terminal.print(`${mailbox}: ${language ?? 'the language of the configuration'}`);
    return EXIT.done;
  });
}

/** `presence set ADDRESS manual|phone|idle STATE [--until TIME]`: what the person, a telephone or an idle machine says; `none` takes it back. */
export async function setOwnPresence(address: string, from: string, word: string, options: { readonly config: string; readonly until?: string }, terminal: Terminal, reach: ReachPresence): Promise<ExitCode> {
  const mailbox = mailboxOf(address, terminal);
  if (mailbox === undefined) return EXIT.wrongUsage;
  const source = OWN_SOURCES.find((one) => one === from);
  if (source === undefined) {
    terminal.complain(`${shown(from)}: should be one of ${OWN_SOURCES.join(', ')}`);
    return EXIT.wrongUsage;
  }
  const state = OWN_STATES[source].find((one) => one === word);
  if (state === undefined && word !== NO_STATE) {
    terminal.complain(`${source} may say ${[...OWN_STATES[source], NO_STATE].join(', ')}`);
    return EXIT.wrongUsage;
  }
  const until = options.until === undefined ? null : parseIsoTime(options.until, 'zoned');
  if (until === undefined || (until !== null && state === undefined)) {
    terminal.complain(until === undefined ? '--until takes ISO 8601 with its zone: 2026-03-02T10:00:00Z' : '--until belongs to a state');
    return EXIT.wrongUsage;
  }
  return withPresence(reach, options.config, terminal, async (presence) => {
    await presence.setOwn(mailbox, source, state, until, commandActor());
    terminal.print(`${mailbox}: ${source} says ${state ?? 'nothing any more'}${until === null ? '' : ` until ${new Date(until).toISOString()}`}`);
    return EXIT.done;
  });
}

/** `presence resync ADDRESS...|--all`: reads calendars again, subscribes and publishes anew. 1 where a named one is not shown. */
export async function resyncPresence(addresses: readonly string[], options: { readonly config: string; readonly all?: true }, terminal: Terminal, reach: ReachPresence): Promise<ExitCode> {
  const named = namedMailboxes(addresses, options.all === true, terminal);
  if (named === undefined) return EXIT.wrongUsage;
  return withPresence(reach, options.config, terminal, async (presence) => {
    if (options.all === true) {
      terminal.print(`${await presence.resync('all')} read and published again`);
      return EXIT.done;
    }
    let exit: ExitCode = EXIT.done;
    for (const mailbox of named) {
      if ((await presence.resync([mailbox])) > 0) terminal.print(`${mailbox}: read and published again`);
      else {
        terminal.complain(`${mailbox}: has not opted in`);
        exit = EXIT.failed;
      }
    }
    return exit;
  });
}

function mailboxOf(address: string, terminal: Terminal): MailboxAddress | undefined {
  const mailbox = parseMailboxAddress(address);
  if (mailbox === undefined) terminal.complain(`no mail address: ${shown(address)}`);
  return mailbox;
}
