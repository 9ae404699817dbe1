import type { QueueEntry, QueueReport, QueueState } from '../../replication/report.ts';
import { decodeMailbox } from './push-outcome.ts';
import { isRecord, readEach } from './record.ts';

const STATES: readonly QueueState[] = ['waiting', 'running', 'retrying', 'failed'];

/** A report as it came over the socket, which carries it as it is; undefined where it is none. */
export function decodeQueueReport(data: unknown): QueueReport | undefined {
  if (!isRecord(data)) return undefined;
  const entries = readEach(data['entries'], decodeEntry);
  const counts = readEach(data['counts'], decodeCount);
  return entries === undefined || counts === undefined ? undefined : { entries, counts };
}

function decodeEntry(data: unknown): QueueEntry | undefined {
  if (!isRecord(data)) return undefined;
  const { route, since, attempts, code, reason, nextTryAt } = data;
  const mailbox = decodeMailbox(data['mailbox']);
  const state = STATES.find((one) => one === data['state']);
  if (mailbox === undefined || state === undefined || typeof route !== 'string' || typeof since !== 'number' || typeof attempts !== 'number') return undefined;
  return {
    route,
    mailbox,
    state,
    since,
    attempts,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof nextTryAt === 'number' ? { nextTryAt } : {}),
  };
}

function decodeCount(data: unknown): QueueReport['counts'][number] | undefined {
  if (!isRecord(data)) return undefined;
  const { route, waiting, running, retrying, failed, blocked } = data;
  if (typeof route !== 'string' || typeof waiting !== 'number' || typeof running !== 'number' || typeof retrying !== 'number' || typeof failed !== 'number') return undefined;
  return { route, waiting, running, retrying, failed, ...(typeof blocked === 'string' ? { blocked } : {}) };
}
