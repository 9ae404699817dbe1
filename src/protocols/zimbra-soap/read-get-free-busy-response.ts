import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { freeBusyFrom } from '../../freebusy/free-busy.ts';
import type { BusyInterval, CalendarEvent } from '../../freebusy/free-busy.ts';
import { clip } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { FreeBusyResult } from '../../freebusy/source.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { busyTypeOfSlot } from './busy-type.ts';
import { decodeSlotDetails } from './slot-details.ts';

/** What was asked, in order to read the answer. */
export interface AskedFreeBusy {
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: Interval;
  readonly details: boolean;
  /** When the answer came. */
  readonly now: number;
}

/**
 * Reads GetFreeBusyResponse (zimbra.md §2.2) by `usr/@id` without regard to case, never by position. One result a mailbox, in the order asked.
 *
 * A mailbox that is missing, given twice with different content, or with a time that cannot be read has an error; users nobody asked for are
 * ignored. What no slot covers and what an unknown element covers is no data; a mailbox that is no data throughout is NO_DATA, with
 * hasPermission="0" MAILBOX_REFUSED. Slots outside the window are clipped: for users of its own providers Zimbra zeroes the seconds.
 *
 * @throws BridgeError BACKEND_MALFORMED where it is no GetFreeBusyResponse
 */
export function decodeGetFreeBusyResponse(response: XmlElement | undefined, asked: AskedFreeBusy): readonly FreeBusyResult[] {
  if (response?.name !== 'GetFreeBusyResponse') throw new BridgeError('BACKEND_MALFORMED', 'the answer is no free/busy');
  const users = new Map<MailboxAddress, XmlElement[]>(asked.mailboxes.map((mailbox) => [mailbox, []]));
  for (const usr of childrenNamed(response, 'usr')) {
    const mailbox = parseMailboxAddress(attribute(usr, 'id') ?? '');
    if (mailbox !== undefined) users.get(mailbox)?.push(usr);
  }
  return asked.mailboxes.map((mailbox) => resultOf(mailbox, users.get(mailbox) ?? [], asked));
}

function resultOf(mailbox: MailboxAddress, users: readonly XmlElement[], asked: AskedFreeBusy): FreeBusyResult {
  const [first, ...others] = users;
  if (first === undefined) return failed(mailbox, 'NO_DATA', 'the calendar system did not speak about this mailbox');
  const slots = readSlots(first);
  if (slots === undefined) return failed(mailbox, 'BACKEND_MALFORMED', 'a time in the answer cannot be read');
  if (others.some((other) => !sameSlots(slots, readSlots(other)))) {
    return failed(mailbox, 'NO_DATA', 'the calendar system gave this mailbox twice, differently');
  }
  const { window } = asked;
  const events = asked.details ? slots.flatMap((slot) => eventOfSlot(slot, window)) : undefined;
  const freeBusy = freeBusyFrom(mailbox, window, { busy: slots, known: slots, events });
  const [only] = freeBusy.busy;
  if (only?.busyType === 'no-data' && only.start === window.start && only.end === window.end) {
    if (slots.some((slot) => attribute(slot.element, 'hasPermission') === '0')) {
      return failed(mailbox, 'MAILBOX_REFUSED', 'the calendar system may not show this mailbox');
    }
    return failed(mailbox, 'NO_DATA', 'the calendar system knows nothing about this mailbox');
  }
  return { mailbox, freeBusy, asOf: asked.now };
}

interface Slot extends BusyInterval {
  readonly element: XmlElement;
}

/** Undefined where one of them has a time that cannot be read: nobody knows which stretch it leaves out. */
function readSlots(usr: XmlElement): readonly Slot[] | undefined {
  const slots = usr.children.map((element) => {
    const start = epochMs(element, 's');
    const end = epochMs(element, 'e');
    return start === undefined || end === undefined || start >= end ? undefined : { start, end, busyType: busyTypeOfSlot(element.name), element };
  });
  return slots.every((slot) => slot !== undefined) ? slots : undefined;
}

function epochMs(slot: XmlElement, name: 's' | 'e'): number | undefined {
  const text = attribute(slot, name);
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function sameSlots(a: readonly Slot[], b: readonly Slot[] | undefined): boolean {
  return (
    b?.length === a.length &&
    a.every((slot, index) => slot.start === b[index]!.start && slot.end === b[index]!.end && slot.element.name === b[index]!.element.name)
  );
}

/** Slots are merged stretches; with or without details each one that takes time is an event, or views made of events would miss it. */
function eventOfSlot(slot: Slot, window: Interval): readonly CalendarEvent[] {
  const { element, busyType } = slot;
  const inside = clip(slot, window);
  if (inside === undefined || busyType === 'free' || busyType === 'no-data') return [];
  return [{ ...inside, busyType, ...decodeSlotDetails(element) }];
}

function failed(mailbox: MailboxAddress, code: ErrorCode, message: string): FreeBusyResult {
  return { mailbox, error: new BridgeError(code, message) };
}
