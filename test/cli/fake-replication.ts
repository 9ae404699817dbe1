import type { Replicating, ReplicationFindings } from '../../src/cli/replicating.ts';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PushOutcome, QueueReport } from '../../src/replication/report.ts';

export const ROUTE = 'zimbra → exchange';
export const WINDOW = { start: Date.UTC(2026, 10, 15), end: Date.UTC(2027, 0, 21) };

export function address(text: string): MailboxAddress {
  return text as MailboxAddress;
}

export function written(mailbox: MailboxAddress): PushOutcome {
  return { mailbox, route: ROUTE, outcome: 'written', window: WINDOW };
}

/** A replication from memory: every mailbox is written unless it is told otherwise. */
export class FakeReplication implements Replicating {
  readonly pushes: { readonly mailbox: MailboxAddress; readonly dryRun: boolean; readonly signal: AbortSignal }[] = [];
  readonly changes: { readonly what: 'retry' | 'drop'; readonly which: readonly MailboxAddress[] | 'all' }[] = [];
  onPush: (mailbox: MailboxAddress, signal: AbortSignal) => Promise<readonly PushOutcome[]> = async (mailbox) => [written(mailbox)];
  pages: readonly (readonly MailboxAddress[])[] = [];
  failAfterPages: BridgeError | undefined;
  report: QueueReport | BridgeError = { entries: [], counts: [] };
  inQueue: ReadonlySet<MailboxAddress> = new Set();
  findings: readonly ReplicationFindings[] = [];
  inFlight = 0;
  mostInFlight = 0;

  async push(mailbox: MailboxAddress, { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<readonly PushOutcome[]> {
    this.pushes.push({ mailbox, dryRun, signal });
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      return await this.onPush(mailbox, signal);
    } finally {
      this.inFlight--;
    }
  }

  async *everyone(): AsyncIterable<readonly MailboxAddress[]> {
    yield* this.pages;
    if (this.failAfterPages !== undefined) throw this.failAfterPages;
  }

  async queue(): Promise<QueueReport> {
    if (this.report instanceof BridgeError) throw this.report;
    return this.report;
  }

  async retry(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    return this.#change('retry', which);
  }

  async drop(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    return this.#change('drop', which);
  }

  async probe(): Promise<readonly ReplicationFindings[]> {
    return this.findings;
  }

  #change(what: 'retry' | 'drop', which: readonly MailboxAddress[] | 'all'): number {
    this.changes.push({ what, which });
    return which === 'all' ? this.inQueue.size : which.filter((one) => this.inQueue.has(one)).length;
  }
}
