import { randomUUID } from 'node:crypto';
import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { RequestContext, Requester } from '../core/request-context.ts';
import { floorTo } from '../freebusy/interval.ts';
import type { Interval } from '../freebusy/interval.ts';

/**
 * The bridge asks for itself: the right to see presence is a client's own (`presence: read`), the calendar behind it is
 * nobody's but the owner's, who opted in.
 */
export const THE_BRIDGE: Requester = { name: 'presence', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'read', seesHidden: true };

/** A question of the bridge's own. */
export function presenceContext(deadline: Instant, signal: AbortSignal): RequestContext {
  return { requestId: randomUUID(), requester: THE_BRIDGE, hops: 0, deadline, signal, fresh: true };
}

/** What is read of a calendar: one question's worth, a day of it past. */
export function presenceWindow(now: Instant): Interval {
  const start = floorTo(now - LIMITS.presencePastMs, MINUTE_MS);
  return { start, end: start + LIMITS.upstreamWindowDays * DAY_MS };
}
