import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { readMailboxes } from './admin-requests.ts';

/** The queue as an administrator's programs see it. */
export interface AdminQueue {
  /** The body of `queue --json`. */
  report(): Promise<unknown>;
  /** How many were there to be tried again at once. */
  retry(which: readonly MailboxAddress[] | 'all'): Promise<number>;
  /** How many were there and have been forgotten. */
  drop(which: readonly MailboxAddress[] | 'all'): Promise<number>;
}

/** By path below `/api/v1/admin/`. `queue` gives that of the configuration in force; undefined where nothing is replicated. */
export function queueOperations(queue: () => AdminQueue | undefined): Readonly<Record<string, { readonly method: 'GET' | 'POST'; readonly run: (request: IncomingMessage) => Promise<unknown> }>> {
  const found = (): AdminQueue => {
    const one = queue();
    if (one === undefined) throw new BridgeError('NOT_FOUND', 'this configuration replicates nothing: it has no `replication:`');
    return one;
  };
  return {
    queue: { method: 'GET', run: async () => found().report() },
    'queue/retry': { method: 'POST', run: async (request) => ({ count: await found().retry(await readMailboxes(request)) }) },
    'queue/drop': { method: 'POST', run: async (request) => ({ count: await found().drop(await readMailboxes(request)) }) },
  };
}
