import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { PushOutcome, QueueReport } from '../replication/report.ts';

/** What the commands do with the replication, wherever it runs: in the running bridge, or in the command's own process. */
export interface Replicating {
  /** One outcome for every route of the mailbox's home; none where its home is replicated nowhere. @throws BridgeError MAILBOX_UNKNOWN where it lives nowhere */
  push(mailbox: MailboxAddress, options: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<readonly PushOutcome[]>;
  /** Whom `push --all` means, in parts. @throws BridgeError where a part cannot be read */
  everyone(signal: AbortSignal): AsyncIterable<readonly MailboxAddress[]>;
  queue(): Promise<QueueReport>;
  /** How many were there to be tried again at once. */
  retry(which: readonly MailboxAddress[] | 'all'): Promise<number>;
  /** How many were there and have been forgotten. */
  drop(which: readonly MailboxAddress[] | 'all'): Promise<number>;
  /** Redis, and the feed and the sink of every route. */
  probe(ctx: RequestContext): Promise<readonly ReplicationFindings[]>;
}

export interface ReplicationFindings {
  /** `redis`, or a route: `zimbra → exchange`. */
  readonly name: string;
  readonly findings: readonly ProbeFinding[];
}
