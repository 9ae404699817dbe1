import { BUSY_RANK } from '../../../freebusy/busy-type.ts';
import { counts, freeBusyFrom } from '../../../freebusy/free-busy.ts';
import type { BusyInterval, CalendarEvent, FreeBusy } from '../../../freebusy/free-busy.ts';
import { overlaps } from '../../../freebusy/interval.ts';

/**
 * What a CalendarEventArray lists, by start. Events as their source gave them, whole, where they touch the window (XDOC TimeWindow: "included in its
 * entirety"); those that take no time (free, cancelled, declined) are left out, because not every reader looks at the type. Where there are no
 * events, the stretches; and wherever these say more than the events do (an unknown stretch, above all) they stand beside them: unknown is never free.
 */
export function shownEvents(freeBusy: FreeBusy): readonly CalendarEvent[] {
  const { events, busy, mailbox, window } = freeBusy;
  if (events === undefined) return busy;
  const shown: CalendarEvent[] = events.filter((one) => counts(one) && one.start < one.end && overlaps(one, window));
  const beyond = busy.length === 0 ? [] : beyondEvents(busy, freeBusyFrom(mailbox, window, { events: shown }).busy);
  for (const stretch of beyond) shown.push(stretch);
  return shown.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The parts of `busy` that outrank what the events give there; both sorted and disjoint. */
function beyondEvents(busy: readonly BusyInterval[], fromEvents: readonly BusyInterval[]): readonly BusyInterval[] {
  const out: BusyInterval[] = [];
  let first = 0;
  for (const { start, end, busyType } of busy) {
    let at = start;
    while (first < fromEvents.length && fromEvents[first]!.end <= start) first++;
    for (let index = first; index < fromEvents.length && fromEvents[index]!.start < end; index++) {
      const event = fromEvents[index]!;
      if (event.start > at) out.push({ start: at, end: event.start, busyType });
      if (BUSY_RANK[event.busyType] < BUSY_RANK[busyType]) out.push({ start: Math.max(at, event.start), end: Math.min(end, event.end), busyType });
      at = Math.max(at, Math.min(end, event.end));
    }
    if (at < end) out.push({ start: at, end, busyType });
  }
  return out;
}
