import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import { OVER } from '../../../core/over.ts';
import { pause } from '../../../core/pause.ts';
import { PullWay } from './pull-way.ts';
import { PushWay } from './push-way.ts';
import { StreamingWay } from './streaming-way.ts';
import type { WatchTiming } from './watch-timing.ts';
import type { Subscription, Way, WayEvents, WayName } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface WaysOptions {
  readonly description: string;
  readonly wire: WatchWire;
  readonly callBack: NotificationPort | undefined;
  readonly concurrency: number;
  /** Minutes. */
  readonly statusFrequency: () => number;
  readonly events: WayEvents;
  /** The server is left alone. */
  readonly isWaiting: () => boolean;
  readonly signal: AbortSignal;
  readonly timing: WatchTiming;
  readonly logger: Logger;
}

/** Those of the names that are possible at all, in their order: push needs somewhere to call. */
export function makeWays(names: readonly WayName[], options: WaysOptions): readonly Way[] {
  const { callBack, timing } = options;
  return names.flatMap((name): readonly Way[] => {
    if (name === 'push') return callBack === undefined ? [] : [new PushWay({ ...options, callBack })];
    return [name === 'streaming' ? new StreamingWay(options) : new PullWay({ ...options, everyMs: timing.pullEveryMs })];
  });
}

/** Takes leave of Exchange, as far as it answers in time. */
export async function leaveAll(subscriptions: readonly Subscription[], wayOf: (subscription: Subscription) => Way | undefined, concurrency: number, underWay: Iterable<Promise<void>>): Promise<void> {
  const left = [...subscriptions];
  const over = new AbortController();
  const work = Array.from({ length: concurrency }, async () => {
    for (let one = left.pop(); one !== undefined && !over.signal.aborted; one = left.pop()) await wayOf(one)?.leave(one, true);
  });
  await Promise.race([Promise.all([...work, ...underWay]), pause(LIMITS.ewsLeaveMs, over.signal)]);
  over.abort(OVER);
}
