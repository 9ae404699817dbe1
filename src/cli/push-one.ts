import { SECOND_MS } from '../core/clock.ts';
import { toBridgeError } from '../core/errors.ts';
import type { BridgeError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { PushOutcome } from '../replication/report.ts';
import type { Replicating } from './replicating.ts';

/** What came of one mailbox: an outcome a route, or why there is none. */
export interface Pushed {
  readonly mailbox: MailboxAddress;
  /** None: it is replicated nowhere. */
  readonly outcomes: readonly PushOutcome[];
  /** It did not come to any route. */
  readonly error?: BridgeError;
}

/** How long a temporary failure is tried again while somebody waits. */
export interface Patience {
  readonly firstMs: number;
  readonly longestMs: number;
  /** No try begins later than this after the first. */
  readonly totalMs: number;
}

/** Contract: 30 s at most. A permanent refusal is not tried again at all. */
export const PATIENCE: Patience = { firstMs: SECOND_MS, longestMs: 8 * SECOND_MS, totalMs: 30 * SECOND_MS };
/** For passes over everybody: the queue tries again, and so does the next pass. */
export const NO_PATIENCE: Patience = { firstMs: 0, longestMs: 0, totalMs: 0 };

/** Pushes one mailbox, again and again while it fails for a time. Never throws: a failure is its error or its outcome. */
export async function pushOne(replication: Replicating, mailbox: MailboxAddress, options: { readonly dryRun: boolean; readonly signal: AbortSignal }, patience: Patience): Promise<Pushed> {
  const begun = performance.now();
  for (let waitMs = patience.firstMs; ; waitMs = Math.min(2 * waitMs, patience.longestMs)) {
    const pushed = await tryOnce(replication, mailbox, options);
    const failures = errorsOf(pushed);
    const isOver = failures.length === 0 || failures.some(({ temporary }) => !temporary) || options.signal.aborted;
    const nextMs = Math.max(waitMs, ...failures.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    if (isOver || performance.now() - begun + nextMs >= patience.totalMs) return pushed;
    await pause(nextMs, options.signal);
    if (options.signal.aborted) return pushed;
  }
}

async function tryOnce(replication: Replicating, mailbox: MailboxAddress, options: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<Pushed> {
  try {
    return { mailbox, outcomes: await replication.push(mailbox, options) };
  } catch (error) {
    return { mailbox, outcomes: [], error: toBridgeError(error) };
  }
}

/** All that failed. */
export function errorsOf({ outcomes, error }: Pushed): readonly BridgeError[] {
  return [...(error === undefined ? [] : [error]), ...outcomes.flatMap((one) => (one.outcome === 'failed' ? [one.error] : []))];
}

/** Whether anything of it went wrong; with `skipped` also where it is replicated nowhere, or on a route not at all. */
export function isFailed(pushed: Pushed, ...alsoFailed: readonly 'skipped'[]): boolean {
  if (errorsOf(pushed).length > 0) return true;
  return alsoFailed.length > 0 && (pushed.outcomes.length === 0 || pushed.outcomes.every(({ outcome }) => outcome === 'skipped'));
}
