import type { Instant } from '../core/clock.ts';
import type { BridgeError } from '../core/errors.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusy } from './free-busy.ts';
import type { Interval } from './interval.ts';

export interface FreeBusyQuery {
  /** Valid, distinct. */
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: Interval;
  /** Subjects and places are wanted; where false a source does not even ask for them. */
  readonly details: boolean;
  /** Working hours are wanted; where false or absent no source asks for them. Those that have them anyway give them with every answer. */
  readonly workingHours?: boolean;
}

/** What came of one mailbox: an answer, or the reason why there is none. */
export type FreeBusyResult =
  | { readonly mailbox: MailboxAddress; readonly freeBusy: FreeBusy; readonly asOf: Instant; readonly stale?: true }
  | { readonly mailbox: MailboxAddress; readonly error: BridgeError };

/**
 * PORT. Somebody who knows when people are busy: one calendar system, or the whole bridge (lookup/ is made of these).
 *
 * - Results have the same length and order as `query.mailboxes`.
 * - One mailbox that fails is a value in its place. Throwing means that the question as a whole failed; the caller then
 *   takes the error for every mailbox.
 * - An answer covers exactly `query.window`; what the source does not know is `no-data` inside it, never a gap.
 * - Ends soon after `ctx.signal` fires (DEADLINE), with what it has.
 */
export interface FreeBusySource {
  freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]>;
}
