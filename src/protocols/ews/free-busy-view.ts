import { MINUTE_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { BUSY_RANK } from '../../freebusy/busy-type.ts';
import { freeBusyFrom } from '../../freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { shownSlots, slotCount, slotRanks, stretchesFromSlots } from '../../freebusy/slots.ts';
import { child, childText, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { decodeMergedDigit } from './busy-type.ts';
import { decodeCalendarEvents, describeEvents } from './calendar-event.ts';
import { decodeWorkingHours } from './working-hours.ts';

/** How the view was asked for. */
export interface ViewRequest {
  /** What the answer is about. */
  readonly window: Interval;
  /** What the server was asked about: `window` moved outward to whole slots. The digits begin at its start. */
  readonly asked: Interval;
  readonly slotMinutes: number;
  readonly details: boolean;
}

export type DecodedView = { readonly freeBusy: FreeBusy; readonly seen: () => string } | { readonly error: BridgeError };

const VIEW_TYPES = new Set(['None', 'MergedOnly', 'FreeBusy', 'FreeBusyMerged', 'Detailed', 'DetailedMerged']);

/**
 * Reads a FreeBusyView. What is there counts, not what was asked for: grommunio never sends MergedFreeBusy, public-folder and
 * distribution-list targets never send events.
 *
 * Events give the times, where there is a CalendarEventArray. The digits are the answer where there is none, and a second
 * witness where there is one: a slot in which they say more than its events do gets the digit's type, so that an empty array
 * beside `4444` is no data and not free. What the digits do not reach is no data.
 */
export function decodeFreeBusyView(view: XmlElement | undefined, mailbox: MailboxAddress, request: ViewRequest): DecodedView {
  const viewTypes = (childText(view, 'FreeBusyViewType') ?? '').split(/\s+/);
  if (view === undefined || viewTypes.includes('None')) return noData('the calendar system gave no view of the mailbox');
  if (!viewTypes.every((one) => VIEW_TYPES.has(one))) return noData('the view of the mailbox is of an unknown kind');
  const isDoubled = ['MergedFreeBusy', 'CalendarEventArray'].some((name) => childrenNamed(view, name).length > 1);
  if (isDoubled) return noData('the view says something twice');
  const eventArray = child(view, 'CalendarEventArray');
  const digits = childText(view, 'MergedFreeBusy');
  if (eventArray === undefined && digits === undefined) return noData('the view of the mailbox is empty');

  // A view that says it has digits and has none has lost something; no events beside them are then no proof of a free day.
  const isCut = digits === undefined && (viewTypes.includes('MergedOnly') || (viewTypes.some((one) => one.endsWith('Merged')) && eventArray?.children.length === 0));
  if (isCut) return noData('the view lacks the digits that it speaks of');

  const events = eventArray === undefined ? undefined : decodeCalendarEvents(eventArray, request.details);
  if (events !== undefined && 'error' in events) return events;
  const slots = slotCount(request.asked, request.slotMinutes);
  // One too many may be another way of rounding. More than that are slots of another length, at times nobody knows.
  if (digits !== undefined && digits.length > slots + 1) return noData('the merged digits are more than the window has');

  const merged = digits === undefined ? undefined : stretchesFromSlots(digits, request.asked.start, request.slotMinutes, decodeMergedDigit);
  const fromEvents = freeBusyFrom(mailbox, request.asked, { events: events?.events });
  const freeBusy = freeBusyFrom(mailbox, request.window, {
    events: events?.events,
    busy: merged === undefined ? [] : events === undefined ? merged.busy : strongerThanEvents(merged.busy, fromEvents, request),
    ...(merged === undefined ? {} : { known: [merged.covered] }),
    workingHours: decodeWorkingHours(child(view, 'WorkingHours')),
  });
  const seen = (): string => [viewTypes.join(' '), digits === undefined ? 'no digits' : `digits ${shownSlots(digits)}`, describeEvents(events?.events)].join(', ');
  return { freeBusy, seen };
}

/** The slots of the digits in which they say more than the events do; next to each other they stay apart, which is no harm. */
function strongerThanEvents(merged: readonly BusyInterval[], fromEvents: FreeBusy, request: ViewRequest): readonly BusyInterval[] {
  const ranks = slotRanks(fromEvents, request.asked, request.slotMinutes);
  const slotMs = request.slotMinutes * MINUTE_MS;
  const out: BusyInterval[] = [];
  for (const stretch of merged) {
    for (let start = stretch.start; start < stretch.end; start += slotMs) {
      const rank = ranks[(start - request.asked.start) / slotMs];
      if (rank !== undefined && rank < BUSY_RANK[stretch.busyType]) out.push({ start, end: start + slotMs, busyType: stretch.busyType });
    }
  }
  return out;
}

function noData(message: string): { readonly error: BridgeError } {
  return { error: new BridgeError('NO_DATA', message) };
}
