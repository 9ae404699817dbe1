import type { Instant } from '../../../core/clock.ts';
import type { WatchStatus } from '../../../presence/gateway.ts';
import type { WatchedCalendar } from './watched-calendar.ts';

export interface StatusParts {
  readonly watched: Iterable<WatchedCalendar>;
  readonly isMoving: (one: WatchedCalendar) => boolean;
  readonly heardAt: Instant | undefined;
  /** Why the server as a whole cannot be asked. */
  readonly serverTrouble: string | undefined;
  readonly remark: string | undefined;
}

/** Counts, and all that is wrong in one line. */
export function watchStatus({ watched, isMoving, heardAt, serverTrouble, remark }: StatusParts): WatchStatus {
  const modes = { live: 0, hinted: 0, polled: 0, starting: 0 };
  let moving = 0;
  let doubtful = 0;
  let refused = 0;
  for (const one of watched) {
    modes[one.mode] += 1;
    if (isMoving(one)) moving += 1;
    if (one.isDoubtful && one.mode === 'polled') doubtful += 1;
    if (one.trouble !== undefined) refused += 1;
  }
  const words = [
    serverTrouble,
    doubtful === 0 ? undefined : `the server has said that notifications will be missing: ${doubtful} subscriptions are renewed`,
    refused === 0 ? undefined : `${refused} calendars cannot be subscribed to`,
    remark,
  ].filter((one) => one !== undefined);
  return { method: 'subscribe', ...modes, moving, heardAt, trouble: words.length === 0 ? undefined : words.join('; ') };
}
