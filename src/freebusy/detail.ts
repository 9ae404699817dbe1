import type { DetailLevel } from '../core/request-context.ts';
import type { WorkingElsewhereAs } from './busy-type.ts';
import { counts, freeBusyFrom } from './free-busy.ts';
import type { BusyInterval, CalendarEvent, FreeBusy } from './free-busy.ts';
import { withoutWorkingElsewhere } from './working-elsewhere.ts';

/**
 * Takes away what a client may not see. `none` is refused before it comes here.
 *
 * - `free-busy`: only whether the time is taken: tentative and out of office become busy, working elsewhere
 *   becomes free or busy as the site wishes, no data stays no data; no events, no working hours.
 * - `busy-type`: the kind of each stretch, no events (so neither subject nor place).
 * - `details`: everything, but of private events the busy type only.
 */
export function redact(freeBusy: FreeBusy, level: Exclude<DetailLevel, 'none'>, workingElsewhereAs: WorkingElsewhereAs): FreeBusy {
  const { mailbox, window, busy, workingHours } = freeBusy;
  switch (level) {
    case 'free-busy':
      return freeBusyFrom(mailbox, window, { busy: withoutWorkingElsewhere(freeBusy, workingElsewhereAs).busy.map(blunted) });
    case 'busy-type':
      return { mailbox, window, busy, ...(workingHours === undefined ? {} : { workingHours }) };
    case 'details':
      return freeBusy.events === undefined ? freeBusy : { ...freeBusy, events: freeBusy.events.map(withoutPrivate) };
  }
}

function blunted(stretch: BusyInterval): BusyInterval {
  return stretch.busyType === 'no-data' ? stretch : { ...stretch, busyType: 'busy' };
}

function withoutPrivate(event: CalendarEvent): CalendarEvent {
  if (event.isPrivate !== true) return event;
  const { start, end, busyType, isPrivate } = event;
  return {
    start,
    end,
    busyType,
    isPrivate,
    ...(event.isCancelled === undefined ? {} : { isCancelled: event.isCancelled }),
    ...(event.ownReply === undefined ? {} : { ownReply: event.ownReply }),
  };
}

/** Start, end and type of a stretch as one key. */
export function stretchKey({ start, end, busyType }: Pick<CalendarEvent, 'start' | 'end' | 'busyType'>): string {
  return `${start}/${end}/${busyType}`;
}

/** The events that take time, by their `stretchKey`: where a protocol hangs details on a stretch that is exactly one of them. */
export function eventsByStretch(freeBusy: FreeBusy): ReadonlyMap<string, CalendarEvent> {
  return new Map(freeBusy.events?.filter(counts).map((event) => [stretchKey(event), event]));
}
