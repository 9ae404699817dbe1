import { toBridgeError } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { encodeQueueReport } from '../replication/report.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { namedMailboxes } from './push.ts';
import { queueTable } from './queue-table.ts';
import { reachReplication } from './reach-replication.ts';
import type { Replicating } from './replicating.ts';
import type { Terminal } from './terminal.ts';

export interface QueueOptions {
  readonly config: string;
  readonly json?: true;
}

export interface QueueChangeOptions {
  readonly config: string;
  readonly all?: true;
}

/** `queue`: what waits, runs, is tried again and has failed. */
export async function showQueue(options: QueueOptions, terminal: Terminal): Promise<ExitCode> {
  return withReplication(options.config, terminal, async (replication) => {
    const report = await replication.queue();
    if (options.json === true) terminal.print(JSON.stringify(encodeQueueReport(report), undefined, 2));
    else for (const line of queueTable(report, Date.now())) terminal.print(line);
    return EXIT.done;
  });
}

/** `queue retry ADDRESS...|--all`: tries again now what has failed or waits for its next try. 1 where a named one is not there. */
export async function retryQueued(addresses: readonly string[], options: QueueChangeOptions, terminal: Terminal): Promise<ExitCode> {
  return change(addresses, options, terminal, (replication, which) => replication.retry(which), 'tried again now');
}

/** `queue drop ADDRESS...|--all`: forgets changes that were stored; the next pass over everybody reads the mailbox again. 1 where a named one is not there. */
export async function dropQueued(addresses: readonly string[], options: QueueChangeOptions, terminal: Terminal): Promise<ExitCode> {
  return change(addresses, options, terminal, (replication, which) => replication.drop(which), 'dropped');
}

async function change(
  addresses: readonly string[],
  options: QueueChangeOptions,
  terminal: Terminal,
  apply: (replication: Replicating, which: readonly MailboxAddress[] | 'all') => Promise<number>,
  word: string,
): Promise<ExitCode> {
  const mailboxes = namedMailboxes(addresses, options.all === true, terminal);
  if (mailboxes === undefined) return EXIT.wrongUsage;
  return withReplication(options.config, terminal, async (replication) => {
    if (options.all === true) {
      terminal.print(`${await apply(replication, 'all')} ${word}`);
      return EXIT.done;
    }
    let exit: ExitCode = EXIT.done;
    for (const mailbox of mailboxes) {
      const count = await apply(replication, [mailbox]);
      if (count > 0) terminal.print(`${mailbox}: ${word}`);
      else {
        terminal.complain(`${mailbox}: is not in the queue`);
        exit = EXIT.failed;
      }
    }
    return exit;
  });
}

async function withReplication(file: string, terminal: Terminal, work: (replication: Replicating) => Promise<ExitCode>): Promise<ExitCode> {
  const reached = await reachReplication(file, terminal);
  if (typeof reached === 'number') return reached;
  try {
    return await work(reached.replication);
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    terminal.complain(publicMessage);
    return code === 'CONFIGURATION' ? EXIT.wrongUsage : EXIT.failed;
  } finally {
    await reached.close();
  }
}
