import type { Instant } from '../core/clock.ts';
import type { QueueEntry, QueueReport, QueueState } from '../replication/report.ts';
import { columns } from './columns.ts';
import { durationInWords } from './duration-words.ts';
import { shown } from './terminal.ts';

/** What an administrator looks for comes last, where the eye is. */
const ORDER: readonly QueueState[] = ['waiting', 'running', 'retrying', 'failed'];

/** A report as people read it: for every route its counts, then a row a mailbox. */
export function queueTable({ entries, counts }: QueueReport, now: Instant): readonly string[] {
  if (counts.every(isIdle) && entries.length === 0) return ['nothing waits'];
  return counts.flatMap((count) => {
    const own = entries.filter((entry) => entry.route === count.route);
    const sorted = ORDER.flatMap((state) => own.filter((entry) => entry.state === state));
    const total = ORDER.reduce((sum, state) => sum + count[state], 0);
    const more = total > own.length ? [`  … and ${total - own.length} more`] : [];
    return [countLine(count), ...columns(sorted.map((entry) => row(entry, now))).map((line) => `  ${line}`), ...more];
  });
}

function isIdle(count: QueueReport['counts'][number]): boolean {
  return count.blocked === undefined && ORDER.every((state) => count[state] === 0);
}

function countLine(count: QueueReport['counts'][number]): string {
  const blocked = count.blocked === undefined ? '' : `blocked: ${shown(count.blocked)}; `;
  return `${shown(count.route)}: ${blocked}${ORDER.map((state) => `${count[state]} ${state}`).join(', ')}`;
}

function row({ state, mailbox, since, attempts, code, reason, nextTryAt }: QueueEntry, now: Instant): readonly string[] {
  const why = [code, reason].flatMap((one) => (one === undefined ? [] : [shown(one)])).join(': ');
  const next = nextTryAt === undefined ? '' : nextTryAt <= now ? 'next try now' : `next try in ${durationInWords(nextTryAt - now)}`;
  return [state, mailbox, `for ${durationInWords(now - since)}`, attempts === 0 ? '' : attempts === 1 ? '1 try' : `${attempts} tries`, why, next];
}
