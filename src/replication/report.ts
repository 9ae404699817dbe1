import type { Instant } from '../core/clock.ts';
import type { BridgeError } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Interval } from '../freebusy/interval.ts';
import type { PublicationPreview } from '../freebusy/sink.ts';

/** What came of one mailbox on one route. */
export type PushOutcome = { readonly mailbox: MailboxAddress; /** `zimbra → exchange` */ readonly route: string } & (
  | { readonly outcome: 'written'; readonly window: Interval }
  /** Equal to what is there. */
  | { readonly outcome: 'unchanged' }
  /** It is no data, so its message was taken away; `reason` says why. */
  | { readonly outcome: 'removed'; readonly reason: string; /** It has become an alias of this one. */ readonly primary?: MailboxAddress }
  /** Not replicated on this route by configuration, or not there any more. */
  | { readonly outcome: 'skipped'; readonly reason: string; /** It is an alias of this one. */ readonly primary?: MailboxAddress }
  | { readonly outcome: 'failed'; readonly error: BridgeError }
  /** A dry run. */
  | { readonly outcome: 'would-write'; readonly window: Interval; readonly preview: PublicationPreview }
  | { readonly outcome: 'would-remove'; readonly where: string; readonly reason: string }
);

export type QueueState = 'waiting' | 'running' | 'retrying' | 'failed';

/** One mailbox's place in the queue of one route. */
export interface QueueEntry {
  readonly route: string;
  readonly mailbox: MailboxAddress;
  readonly state: QueueState;
  /** When the change was stored; of a failed one: when it first failed. */
  readonly since: Instant;
  /** Tries so far. */
  readonly attempts: number;
  /** Of the last try, where one failed. */
  readonly code?: string;
  readonly reason?: string;
  /** Of a retrying one. */
  readonly nextTryAt?: Instant;
}

export interface QueueReport {
  /** The oldest first, at most LIMITS.queueEntriesShown of each state and route. */
  readonly entries: readonly QueueEntry[];
  readonly counts: readonly { readonly route: string; readonly waiting: number; readonly running: number; readonly retrying: number; readonly failed: number; /** Why nothing of this route is tried at present. */ readonly blocked?: string }[];
}

/** The report as JSON, times in ISO 8601: for `queue --json` and the admin API. */
export function encodeQueueReport({ entries, counts }: QueueReport): unknown {
  const iso = (instant: Instant): string => new Date(instant).toISOString();
  return { counts, entries: entries.map(({ since, nextTryAt, ...entry }) => ({ ...entry, since: iso(since), ...(nextTryAt === undefined ? {} : { nextTryAt: iso(nextTryAt) }) })) };
}
