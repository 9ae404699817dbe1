import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import { eventsByStretch, stretchKey } from '../../freebusy/detail.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { tiles } from '../../freebusy/slots.ts';
import { withoutWorkingElsewhere } from '../../freebusy/working-elsewhere.ts';
import { XmlText, xml } from '../../platform/xml/write.ts';
import { SLOT_OF_BUSY_TYPE } from './busy-type.ts';
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
export async function encodeGetFreeBusyResponse(users: readonly UserFreeBusy[], window: Interval, workingElsewhereAs: WorkingElsewhereAs): Promise<XmlText> {
  const written: XmlText[] = [];
  const pace = new Pace(LIMITS.zimbraSlotsPerTurn);
  for (const { id, freeBusy } of users) {
    const inside = freeBusy === undefined ? [xml`<n s="${window.start}" e="${window.end}"/>`] : encodeSlots(freeBusy, workingElsewhereAs);
    written.push(flat(xml`<usr id="${id}">${inside}</usr>`));
    if (pace.spend(inside.length)) await pace.turn();
  }
  return xml`<GetFreeBusyResponse xmlns="${ZIMBRA_MAIL_NS}">${written}</GetFreeBusyResponse>`;
}

/**
 * The same text in one piece. V8 keeps what was added up as a tree of its parts; 800,000 slots kept that way until the end made
 * garbage collection hold the event loop for 185 ms (measured).
 */
function flat(piece: XmlText): XmlText {
  return new XmlText(Buffer.from(piece.text).toString());
}

function encodeSlots(given: FreeBusy, workingElsewhereAs: WorkingElsewhereAs): readonly XmlText[] {
  const freeBusy = withoutWorkingElsewhere(given, workingElsewhereAs);
  const events = eventsByStretch(freeBusy);
  return tiles(freeBusy).map((tile) => {
    // Nothing is left of working elsewhere here; the compiler cannot know that, and no data is what harms least.
    const name = tile.busyType === 'working-elsewhere' ? 'n' : SLOT_OF_BUSY_TYPE[tile.busyType];
    const event = name === 'f' || name === 'n' ? undefined : events.get(stretchKey(tile));
    const details = event === undefined ? [] : [encodeSlotDetails(event)];
    // An element's name is not a value, so one template a name.
    switch (name) {
      case 'f':
        return xml`<f s="${tile.start}" e="${tile.end}"/>`;
      case 't':
        return xml`<t s="${tile.start}" e="${tile.end}"${details}/>`;
      case 'b':
        return xml`<b s="${tile.start}" e="${tile.end}"${details}/>`;
      case 'u':
        return xml`<u s="${tile.start}" e="${tile.end}"${details}/>`;
      case 'n':
        return xml`<n s="${tile.start}" e="${tile.end}"/>`;
    }
  });
}
