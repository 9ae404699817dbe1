import { LIMITS } from '../core/limits.ts';
import { parseMailboxAddress } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { groupsOf } from '../freebusy/ask-in-parts.ts';
import { toBridgeError } from '../core/errors.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { isFailed, isNowhere, PATIENCE, pushOne } from './push-one.ts';
import type { Patience, Pushed } from './push-one.ts';
import { pushedInWords, pushedJson } from './push-words.ts';
import { pushEveryone } from './push-everyone.ts';
import { reachReplication } from './reach-replication.ts';
import type { Replicating } from './replicating.ts';
import type { Terminal } from './terminal.ts';
import { untilInterrupted } from './until-interrupted.ts';

export interface PushOptions {
  readonly config: string;
  readonly all?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `push ADDRESS...|--all`: writes now, whatever the digest says. 1 when anybody's was not written. */
export async function push(addresses: readonly string[], options: PushOptions, terminal: Terminal): Promise<ExitCode> {
  const mailboxes = namedMailboxes(addresses, options.all === true, terminal);
  if (mailboxes === undefined) return EXIT.wrongUsage;
  return untilInterrupted(async (signal) => {
    const reached = await reachReplication(options.config, terminal);
    if (typeof reached === 'number') return reached;
    try {
      return await (options.all === true ? pushEveryone(reached.replication, options, signal, terminal) : pushNamed(reached.replication, mailboxes, options, signal, terminal));
    } catch (error) {
      const { code, publicMessage } = toBridgeError(error);
      terminal.complain(signal.aborted ? 'ended before everything was done' : publicMessage);
      return code === 'CONFIGURATION' ? EXIT.wrongUsage : EXIT.failed;
    } finally {
      await reached.close();
    }
  });
}

/** The mailboxes that a command names, each once, or none with `--all`; undefined, and said why, where that is wrong usage. */
export function namedMailboxes(addresses: readonly string[], all: boolean, terminal: Terminal): readonly MailboxAddress[] | undefined {
  if (all === addresses.length > 0) {
    terminal.complain(all ? 'either addresses or --all' : 'whom? Name addresses, or --all');
    return undefined;
  }
  const wrong = addresses.filter((text) => parseMailboxAddress(text) === undefined);
  if (wrong.length > 0) {
    terminal.complain(`no mail address: ${wrong.join(', ')}`);
    return undefined;
  }
  return [...new Set(addresses.flatMap((text) => parseMailboxAddress(text) ?? []))];
}

/** Pushes mailboxes that somebody named, and says of each what came of it, in the order named. */
export async function pushNamed(
  replication: Replicating,
  mailboxes: readonly MailboxAddress[],
  options: Pick<PushOptions, 'dryRun' | 'json'>,
  signal: AbortSignal,
  terminal: Terminal,
  patience: Patience = PATIENCE,
): Promise<ExitCode> {
  const all: Pushed[] = [];
  for (const some of groupsOf(mailboxes, LIMITS.pushedAtOnce)) {
    const pushes = some.map((mailbox) => pushOne(replication, mailbox, { dryRun: options.dryRun === true, signal }, patience));
    for (const pushing of pushes) {
      const pushed = await pushing;
      all.push(pushed);
      if (options.json !== true) for (const line of await pushedInWords(pushed)) terminal.print(line);
    }
    if (signal.aborted) break;
  }
  if (options.json === true) terminal.print(JSON.stringify(all.flatMap(pushedJson), undefined, 2));
  if (signal.aborted) terminal.complain('ended before everything was done');
  // What somebody named and what was not written has failed, whatever the reason.
  return signal.aborted || all.some((one) => isFailed(one) || isNowhere(one)) ? EXIT.failed : EXIT.done;
}
