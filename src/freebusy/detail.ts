import type { DetailLevel } from '../core/request-context.ts';
import type { BusyType } from './busy-type.ts';
import { counts, freeBusyFrom } from './free-busy.ts';
import type { CalendarEvent, FreeBusy } from './free-busy.ts';
import type { Interval } from './interval.ts';

/**
 * Takes away what a client may not see. `none` is refused before it comes here.
 *
 * - `free-busy`: only whether the time is taken: tentative and out of office become busy, working elsewhere becomes free,
 *   no data stays no data; no events, no working hours.
 * - `busy-type`: the kind of each stretch, no events (so neither subject nor place).
 * - `details`: everything, but of private events the busy type only.
 */
export function redact(freeBusy: FreeBusy, level: Exclude<DetailLevel, 'none'>): FreeBusy {
  const { mailbox, window, busy, workingHours } = freeBusy;
  switch (level) {
    case 'free-busy':
      return freeBusyFrom(mailbox, window, { busy: busy.map((one) => ({ ...one, busyType: BLUNT[one.busyType] })) });
    case 'busy-type':
      return { mailbox, window, busy, ...(workingHours === undefined ? {} : { workingHours }) };
    case 'details':
      return freeBusy.events === undefined ? freeBusy : { ...freeBusy, events: freeBusy.events.map(withoutPrivate) };
  }
}

const BLUNT: Readonly<Record<BusyType, BusyType>> = {
  free: 'free',
  'no-data': 'no-data',
  'working-elsewhere': 'free',
  tentative: 'busy',
  busy: 'busy',
  oof: 'busy',
};

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

/** The one event that is exactly this stretch, if there is one: where a protocol hangs details on stretches. */
export function eventOf(freeBusy: FreeBusy, stretch: Interval & { readonly busyType: BusyType }): CalendarEvent | undefined {
  return freeBusy.events?.find(
    (event) => event.start === stretch.start && event.end === stretch.end && event.busyType === stretch.busyType && counts(event),
  );
}
