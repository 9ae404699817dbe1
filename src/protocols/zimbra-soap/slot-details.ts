import type { CalendarEvent } from '../../freebusy/free-busy.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';

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
    return value === undefined ? [] : [[flag, value === '1' || value === 'true'] as const];
  });
  return {
    ...(id === undefined ? {} : { id }),
    ...(subject === undefined ? {} : { subject }),
    ...(location === undefined ? {} : { location }),
    ...(Object.fromEntries(flags) as Partial<Record<Flag, boolean>>),
  };
}

/** The attributes of a slot that is exactly `event`, all five booleans printed; of a private one neither id, subject nor place. */
export function encodeSlotDetails(event: SlotDetails): XmlText {
  const { id, subject, location } = event.isPrivate === true ? {} as SlotDetails : event;
  const parts: XmlText[] = [];
  if (id !== undefined) parts.push(xml` eventId="${id}"`);
  if (subject !== undefined) parts.push(xml` subject="${subject}"`);
  if (location !== undefined) parts.push(xml` location="${location}"`);
  const flag = (name: Flag): string => (event[name] === true ? '1' : '0');
  parts.push(
    xml` isMeeting="${flag('isMeeting')}" isRecurring="${flag('isRecurring')}" isException="${flag('isException')}" isReminderSet="${flag('isReminderSet')}" isPrivate="${flag('isPrivate')}"`,
  );
  return xml`${parts}`;
}
