import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { PushOutcome } from '../../replication/report.ts';
import { decodeError, encodeError } from './error.ts';
import { isRecord } from './record.ts';

/** An outcome as JSON; everything but its error is JSON already. */
export function encodeOutcome(outcome: PushOutcome): unknown {
  return outcome.outcome === 'failed' ? { ...outcome, error: encodeError(outcome.error) } : outcome;
}

/** Undefined where it is none: the other side is another version. */
export function decodeOutcome(data: unknown): PushOutcome | undefined {
  if (!isRecord(data)) return undefined;
  const mailbox = decodeMailbox(data['mailbox']);
  const { route, outcome, reason, where, preview } = data;
  if (mailbox === undefined || typeof route !== 'string') return undefined;
  switch (outcome) {
    case 'written': {
      const window = decodeInterval(data['window']);
      return window === undefined ? undefined : { mailbox, route, outcome, window };
    }
    case 'unchanged':
      return { mailbox, route, outcome };
    case 'removed':
    case 'skipped':
      return typeof reason === 'string' ? { mailbox, route, outcome, reason } : undefined;
    case 'failed': {
      const error = decodeError(data['error']);
      return error === undefined ? undefined : { mailbox, route, outcome, error };
    }
    case 'would-write': {
      const window = decodeInterval(data['window']);
      if (window === undefined || !isRecord(preview) || typeof preview['where'] !== 'string' || typeof preview['document'] !== 'string') return undefined;
      return { mailbox, route, outcome, window, preview: { where: preview['where'], document: preview['document'] } };
    }
    case 'would-remove':
      return typeof where === 'string' && typeof reason === 'string' ? { mailbox, route, outcome, where, reason } : undefined;
    default:
      return undefined;
  }
}

export function decodeMailbox(data: unknown): MailboxAddress | undefined {
  return typeof data === 'string' ? parseMailboxAddress(data) : undefined;
}

function decodeInterval(data: unknown): Interval | undefined {
  if (!isRecord(data)) return undefined;
  const { start, end } = data;
  return typeof start === 'number' && typeof end === 'number' ? { start, end } : undefined;
}
