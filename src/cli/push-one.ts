import { SECOND_MS } from '../core/clock.ts';
import { toBridgeError } from '../core/errors.ts';
import type { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
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
  readonly againMs: number;
  /** After this, whatever is under way is ended. */
  readonly wholeMs: number;
}

/** Contract: 30 s at most. A permanent refusal is not tried again at all. */
export const PATIENCE: Patience = { firstMs: SECOND_MS, longestMs: 8 * SECOND_MS, againMs: 30 * SECOND_MS, wholeMs: LIMITS.replicationTurnMs };
/** For passes over everybody, where the next pass tries again. */
export const NO_PATIENCE: Patience = { firstMs: 0, longestMs: 0, againMs: 0, wholeMs: LIMITS.replicationTurnMs };

/** Pushes one mailbox, again and again while it fails for a time. Never throws: a failure is its error or its outcome. */
export async function pushOne(replication: Replicating, mailbox: MailboxAddress, options: PushOneOptions, patience: Patience): Promise<Pushed> {
  const begun = performance.now();
  const late = AbortSignal.timeout(patience.wholeMs);
  const signal = AbortSignal.any([options.signal, late]);
  let last: Pushed | undefined;
  for (let waitMs = patience.firstMs; ; waitMs = Math.min(2 * waitMs, patience.longestMs)) {
    const pushed = await tryOnce(replication, mailbox, { dryRun: options.dryRun, signal });
    const failures = errorsOf(pushed);
    // What was ended in the middle says less than what failed by itself before.
    if (late.aborted && failures.length > 0) return last ?? pushed;
    const isOver = failures.length === 0 || failures.some(({ temporary }) => !temporary) || signal.aborted;
    const nextMs = Math.max(waitMs, ...failures.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    if (isOver || performance.now() - begun + nextMs >= patience.againMs) return pushed;
    await pause(nextMs, signal);
    if (signal.aborted) return pushed;
    last = pushed;
  }
}

export interface PushOneOptions {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

async function tryOnce(replication: Replicating, mailbox: MailboxAddress, options: PushOneOptions): Promise<Pushed> {
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

/** Whether anything of it went wrong. */
export function isFailed(pushed: Pushed): boolean {
  return errorsOf(pushed).length > 0;
}

/** Whether its free/busy stands nowhere now: no route replicates it, or its home knows nothing of it (to Zimbra an unknown mailbox is just that). */
export function isNowhere({ outcomes }: Pushed): boolean {
  return outcomes.every(({ outcome }) => outcome === 'skipped' || outcome === 'removed' || outcome === 'would-remove');
}
