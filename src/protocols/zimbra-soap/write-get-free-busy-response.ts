import { LIMITS } from '../../core/limits.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import { eventsByStretch, stretchKey } from '../../freebusy/detail.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { tiles } from '../../freebusy/slots.ts';
import type { Tile } from '../../freebusy/slots.ts';
import { withoutWorkingElsewhere } from '../../freebusy/working-elsewhere.ts';
import { SLOT_OF_BUSY_TYPE } from './busy-type.ts';
import type { Answer, AnswerElement, AnswerFormat, AnswerPart } from './face/answer.ts';
import { writeAnswer } from './face/write-answer.ts';
import type { WrittenAnswer } from './face/write-answer.ts';
import { ZIMBRA_MAIL_NS } from './names.ts';
import { encodeSlotDetails } from './slot-details.ts';

/** One user of an answer: the caller's own string, and what is known of the mailbox; undefined is one `n` over the window. */
export interface UserFreeBusy {
  readonly id: string;
  readonly freeBusy: FreeBusy | undefined;
}

/**
 * GetFreeBusyResponse (zimbra.md §2.2). The slots of each user tile exactly [s, e): sorted, touching, neighbours differ.
 * Where events are given (the client may see details), a slot that is exactly one of them carries its attributes.
 */
export function getFreeBusyAnswer(users: readonly UserFreeBusy[], window: Interval, workingElsewhereAs: WorkingElsewhereAs): Answer {
  return { name: 'GetFreeBusyResponse', ns: ZIMBRA_MAIL_NS, parts: usersOf(users, window, workingElsewhereAs) };
}

/** The same as text; by itself an XML element. */
export async function encodeGetFreeBusyResponse(
  users: readonly UserFreeBusy[],
  window: Interval,
  workingElsewhereAs: WorkingElsewhereAs,
  format: AnswerFormat = '1.2',
): Promise<WrittenAnswer> {
  return writeAnswer(format, getFreeBusyAnswer(users, window, workingElsewhereAs));
}

function* usersOf(users: readonly UserFreeBusy[], window: Interval, workingElsewhereAs: WorkingElsewhereAs): Iterable<AnswerPart> {
  for (const { id, freeBusy } of users) {
    if (freeBusy === undefined) {
      yield userSlots(id, [unknownSlot(window)]);
      continue;
    }
    const known = withoutWorkingElsewhere(freeBusy, workingElsewhereAs);
    const slotOf = slotWriter(known);
    const stretches = tiles(known);
    yield stretches.length > LIMITS.stretchesPerTurn ? { ...userSlots(id, []), many: mapped(stretches, slotOf) } : userSlots(id, stretches.map(slotOf));
  }
}

function* mapped<T, U>(list: readonly T[], map: (one: T) => U): Iterable<U> {
  for (const one of list) yield map(one);
}

/** One user's slots under the caller's own string. */
export function userSlots(id: string, slots: readonly AnswerElement[]): AnswerElement {
  return { name: 'usr', attributes: { id }, children: slots };
}

/** The one slot of somebody unknown. */
export function unknownSlot({ start, end }: Interval): AnswerElement {
  return { name: 'n', attributes: { s: start, e: end } };
}

function slotWriter(freeBusy: FreeBusy): (tile: Tile) => AnswerElement {
  const events = freeBusy.events === undefined ? undefined : eventsByStretch(freeBusy);
  return (tile) => {
    // Nothing is left of working elsewhere here; the compiler cannot know that, and no data is what harms least.
    const name = tile.busyType === 'working-elsewhere' ? 'n' : SLOT_OF_BUSY_TYPE[tile.busyType];
    const event = events === undefined || name === 'f' || name === 'n' ? undefined : events.get(stretchKey(tile));
    return { name, attributes: event === undefined ? { s: tile.start, e: tile.end } : { s: tile.start, e: tile.end, ...encodeSlotDetails(event) } };
  };
}
