import type { JobsOptions } from 'bullmq';
import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { parsedObject } from './failure-store.ts';

/** What a job in Redis holds: nothing of the calendar. Short names, because there are thousands. */
export interface QueuedJob {
  readonly m: MailboxAddress;
  /** When the change was stored. BullMQ's own timestamp of a follow-up is the moment at which the run before it ended. */
  readonly at: Instant;
}

/** What the last failed try left in the job, as its `failedReason`. */
export interface LastTry {
  readonly code: string;
  readonly reason: string;
  /** Tries so far that ended in doubt (see verdict.ts). */
  readonly doubtful: number;
  readonly nextTryAt: Instant;
}

/** BullMQ wants a name and we have but one kind. */
export const JOB_NAME = 'm';

/** A mailbox's deduplication id, which must hold no colon. */
export function deduplicationIdOf(mailbox: MailboxAddress): string {
  return mailbox.replaceAll('%', '%25').replaceAll(':', '%3A');
}

/**
 * Options of a mailbox's job (stack.md has the table, measured): a burst is gathered for `gatherMs`, what comes while the job runs leads to
 * one more run, and nothing restarts the delay (`replace` does: a mailbox that changes all the time was then run when the changes had stopped).
 */
export function optionsOf(mailbox: MailboxAddress, gatherMs: number): JobsOptions {
  return { delay: gatherMs, deduplication: { id: deduplicationIdOf(mailbox), keepLastIfActive: true } };
}

/**
 * What a worker adds to those before a turn: tries without end, because what BullMQ gives up is lost. In Redis they would
 * cost 100 bytes a mailbox.
 */
export const TRY_FOR_EVER: JobsOptions = { attempts: 1_000_000_000, backoff: { type: 'custom' }, stackTraceLimit: 0 };

export function encodeLastTry({ code, reason, doubtful, nextTryAt }: LastTry): string {
  return JSON.stringify({ c: code, r: reason, d: doubtful, n: nextTryAt });
}

/** Undefined where the job has not failed yet, or with something that is not ours. */
export function decodeLastTry(text: string | undefined): LastTry | undefined {
  const { c, r, d, n } = parsedObject(text ?? '');
  if (typeof c !== 'string' || typeof r !== 'string' || typeof d !== 'number' || typeof n !== 'number') return undefined;
  return { code: c, reason: r, doubtful: d, nextTryAt: n };
}
