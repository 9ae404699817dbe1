import { SECOND_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { parseIsoTime } from '../../core/iso-time.ts';
import { LIMITS } from '../../core/limits.ts';
import type { CalendarEvent } from '../../freebusy/free-busy.ts';
import { child, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { escapeXml } from '../../platform/xml/write.ts';
import { decodeLegacyFreeBusyType, LEGACY_FREE_BUSY_TYPES } from './busy-type.ts';

export type DecodedEvents = { readonly events: readonly CalendarEvent[] } | { readonly error: BridgeError };

/**
 * Reads a CalendarEventArray, order and overlaps as they are; events may lie outside the window (grommunio sends such). Free
 * ones are kept, they are an answer too; those without length are left out.
 *
 * One event with unreadable times makes the whole mailbox no data: it may lie anywhere.
 *
 * @param withDetails whether subject, place and id are wanted; where not they are dropped even if the server sent them
 */
export function decodeCalendarEvents(array: XmlElement, withDetails: boolean): DecodedEvents {
  if (array.children.length > LIMITS.eventsPerMailbox) {
    const details = { limit: LIMITS.eventsPerMailbox };
    return { error: new BridgeError('BACKEND_TOO_LARGE', 'the calendar holds too many events', { details }) };
  }
  const events: CalendarEvent[] = [];
  for (const element of array.children) {
    const start = parseIsoTime(childText(element, 'StartTime') ?? '', 'date-time');
    const end = parseIsoTime(childText(element, 'EndTime') ?? '', 'date-time');
    if (element.name !== 'CalendarEvent' || start === undefined || end === undefined || end < start) {
      return { error: new BridgeError('NO_DATA', 'an event of the calendar cannot be read') };
    }
    if (start === end) continue;
    const busyType = decodeLegacyFreeBusyType(childText(element, 'BusyType'));
    events.push({ start, end, busyType, ...decodeDetails(child(element, 'CalendarEventDetails'), withDetails) });
  }
  return { events };
}

/** Times and types of some events, for `--explain`. */
export function describeEvents(events: readonly CalendarEvent[] | undefined): string {
  if (events === undefined) return 'no events';
  const shown = events.slice(0, SHOWN_EVENTS).map((one) => `${one.busyType} ${minute(one.start)}/${minute(one.end)}`);
  const rest = events.length > SHOWN_EVENTS ? ' …' : '';
  return `${events.length} events${shown.length === 0 ? '' : `: ${shown.join(' ')}${rest}`}`;
}

const SHOWN_EVENTS = 20;

function minute(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16)}Z`;
}

type Details = Pick<
  CalendarEvent,
  'id' | 'subject' | 'location' | 'isMeeting' | 'isRecurring' | 'isException' | 'isReminderSet' | 'isPrivate'
>;

function decodeDetails(element: XmlElement | undefined, withDetails: boolean): Details {
  if (element === undefined) return {};
  const out: Record<string, string | boolean> = {};
  for (const [name, key] of FLAGS) {
    const text = childText(element, name);
    if (text !== undefined) out[key] = text === 'true' || text === '1';
  }
  // Anything but a plain "no" keeps a subject hidden.
  const isPrivate = childText(element, 'IsPrivate');
  if (isPrivate !== undefined) out['isPrivate'] = isPrivate !== 'false' && isPrivate !== '0';
  for (const [name, key] of withDetails ? TEXTS : []) {
    const text = childText(element, name);
    if (text !== undefined && text !== '') out[key] = text;
  }
  return out;
}

const FLAGS = [
  ['IsMeeting', 'isMeeting'],
  ['IsRecurring', 'isRecurring'],
  ['IsException', 'isException'],
  ['IsReminderSet', 'isReminderSet'],
] as const satisfies readonly (readonly [string, keyof Details])[];

const TEXTS = [
  ['ID', 'id'],
  ['Subject', 'subject'],
  ['Location', 'location'],
] as const satisfies readonly (readonly [string, keyof Details])[];

/**
 * One CalendarEvent as text, in the schema's order. Times are whole seconds, moved outward: a meeting never becomes shorter.
 *
 * Put together by hand, because an answer has thousands: times, types and flags are made of safe characters, texts are escaped once.
 *
 * @param naive writes an instant in the caller's zone
 * @param withDetails whether the view has details; a private event gives its flags and nothing that was written in it
 */
export function encodeCalendarEvent(event: CalendarEvent, naive: (instant: number) => string, withDetails: boolean): string {
  const end = naive(Math.ceil(event.end / SECOND_MS) * SECOND_MS);
  const start = startBefore(end, naive(event.start), event);
  const details = withDetails && isDetailed(event) ? encodeDetails(event) : '';
  return `<t:CalendarEvent><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime><t:BusyType>${LEGACY_FREE_BUSY_TYPES[event.busyType]}</t:BusyType>${details}</t:CalendarEvent>`;
}

/**
 * The start as it is written. In the night when an hour comes twice, a meeting from its first half into its second ends on the clock before it
 * begins; readers drop such, so it begins earlier by its own length: as everybody reads that hour (the second one), it then covers what it really takes.
 */
function startBefore(end: string, start: string, event: CalendarEvent): string {
  if (start < end) return start;
  return new Date(Date.parse(`${end}Z`) - (event.end - event.start)).toISOString().slice(0, 19);
}

/** Whether the source says more of an event than when it is and how busy it makes. */
export function isDetailed(event: CalendarEvent): boolean {
  return event.isPrivate !== undefined || [...TEXTS, ...FLAGS].some(([, key]) => event[key] !== undefined);
}

function encodeDetails(event: CalendarEvent): string {
  let out = '<t:CalendarEventDetails>';
  for (const [name, key] of event.isPrivate === true ? [] : TEXTS) {
    const text = event[key];
    if (text !== undefined && text !== '') out += `<t:${name}>${escapeXml(text)}</t:${name}>`;
  }
  for (const [name, key] of FLAGS) out += `<t:${name}>${event[key] === true}</t:${name}>`;
  return `${out}<t:IsPrivate>${event.isPrivate === true}</t:IsPrivate></t:CalendarEventDetails>`;
}
