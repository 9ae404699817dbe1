import { LIMITS } from '../../../core/limits.ts';
import { groupsOf } from '../../../freebusy/ask-in-parts.ts';
import type { SubscriptionBook } from './subscription-book.ts';
import type { SubscriptionRequests } from './subscription-requests.ts';
import type { WatchedCalendar } from './watched-calendar.ts';

/** Ends all subscriptions, those of one place together, as far as the server answers until `signal` fires; what is left runs out by itself, or is renewed by the next process. Never throws. */
export async function takeLeave(watched: Iterable<WatchedCalendar>, book: SubscriptionBook, requests: SubscriptionRequests, ctx: { readonly signal: AbortSignal }): Promise<void> {
  const byPlace = new Map<string, { readonly place: URL; readonly calendars: WatchedCalendar[] }>();
  for (const one of watched) {
    const place = one.held === undefined ? undefined : book.placeOf(one.held);
    if (place === undefined) continue;
    const group = byPlace.get(place.href) ?? { place, calendars: [] };
    group.calendars.push(one);
    byPlace.set(place.href, group);
  }
  const waiting = [...byPlace.values()].flatMap(({ place, calendars }) => groupsOf(calendars, LIMITS.webdavIdsPerRequest).map((group) => ({ place, group })));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !ctx.signal.aborted; next = waiting.shift()) {
      try {
        const isDone = await requests.unsubscribe(next.place, next.group.map(({ held }) => held!.id), ctx);
        if (isDone) for (const one of next.group) book.drop(one);
      } catch {
        // The next one may go.
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LIMITS.connectionsPerBackend, waiting.length) }, worker));
}
