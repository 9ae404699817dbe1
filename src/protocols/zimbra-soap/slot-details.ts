import type { CalendarEvent } from '../../freebusy/free-busy.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { AnswerValue } from './face/answer.ts';

/** Attributes that a slot carries when it is exactly one appointment (zimbra.md §2.2; 8.8.11 and later). */
type Flag = 'isMeeting' | 'isRecurring' | 'isException' | 'isReminderSet' | 'isPrivate';
const FLAGS: readonly Flag[] = ['isMeeting', 'isRecurring', 'isException', 'isReminderSet', 'isPrivate'];

export type SlotDetails = Pick<CalendarEvent, 'id' | 'subject' | 'location' | Flag>;

/** XML booleans are 1 and 0 (JSON's are true and false). */
export function decodeSlotDetails(slot: XmlElement): SlotDetails {
  const id = attribute(slot, 'eventId');
  const subject = attribute(slot, 'subject');
  const location = attribute(slot, 'location');
  const flags = FLAGS.flatMap((flag) => {
    const value = attribute(slot, flag);
    if (value === undefined) return [];
    // Anything but a plain "no" keeps a subject hidden.
    const isSet = flag === 'isPrivate' ? value !== '0' && value !== 'false' : value === '1' || value === 'true';
    return [[flag, isSet] as const];
  });
  return {
    ...(id === undefined ? {} : { id }),
    ...(subject === undefined ? {} : { subject }),
    ...(location === undefined ? {} : { location }),
    ...(Object.fromEntries(flags) as Partial<Record<Flag, boolean>>),
  };
}

/** The attributes of a slot that is exactly `event`, all five booleans there; of a private one neither id, subject nor place; none where its source said nothing of it. */
export function encodeSlotDetails(event: SlotDetails): Readonly<Record<string, AnswerValue | undefined>> {
  if ((['id', 'subject', 'location', ...FLAGS] as const).every((key) => event[key] === undefined)) return {};
  const { id, subject, location } = event.isPrivate === true ? {} as SlotDetails : event;
  return { eventId: id, subject, location, ...Object.fromEntries(FLAGS.map((flag) => [flag, event[flag] === true])) };
}
