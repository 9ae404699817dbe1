import { LIMITS } from '../../../core/limits.ts';
import { checkQuestion, withWorkingHours } from '../../../freebusy/ask-mailboxes.ts';
import type { WorkingHours } from '../../../freebusy/free-busy.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { splitWindow } from '../../../freebusy/interval.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { decodeRange, distinct, namedIn } from '../get-free-busy-request.ts';
import { ZIMBRA_MAIL_NS } from '../names.ts';
import { unknownSlot, userSlots } from '../write-get-free-busy-response.ts';
import type { UserFreeBusy } from '../write-get-free-busy-response.ts';
import type { AnswerElement } from './answer.ts';
import { askUsers } from './get-free-busy.ts';
import type { FaceOperation } from './operation.ts';
import { workingStretches } from './working-stretches.ts';

/**
 * GetWorkingHoursRequest (zimbra.md §2.5): `f` inside working hours, `u` outside, `n` where they are not known, in the order asked.
 *
 * They are those that a calendar system gives along with free/busy (Exchange) or beside it (Zimbra). They do not depend on the window, so of a long one
 * only the first piece is asked about; of a short one the same question as GetFreeBusy asks, which is then asked once.
 */
export const getWorkingHours: FaceOperation = {
  name: 'GetWorkingHoursRequest',
  ns: ZIMBRA_MAIL_NS,
  ready: (request: XmlElement) => {
    const window = decodeRange(request);
    const ids = distinct(namedIn(request, ['id', 'name']));
    checkQuestion(ids.length, window);
    return {
      users: ids,
      run: async (asking) => {
        const [first] = splitWindow(window, LIMITS.upstreamWindowDays);
        const users = await askUsers(ids, first!, { ...asking, source: withWorkingHours(asking.source) });
        return { name: 'GetWorkingHoursResponse', ns: ZIMBRA_MAIL_NS, parts: usersOf(users, window) };
      },
    };
  },
};

function* usersOf(users: readonly UserFreeBusy[], window: Interval): Iterable<AnswerElement> {
  // Most of an organisation works the same hours.
  const known = new Map<string, readonly AnswerElement[]>();
  const slotsOf = (hours: WorkingHours): readonly AnswerElement[] => {
    const key = JSON.stringify(hours);
    const slots = known.get(key) ?? workingStretches(hours, window).map(({ start, end, works }) => ({ name: works ? 'f' : 'u', attributes: { s: start, e: end } }));
    known.set(key, slots);
    return slots;
  };
  for (const { id, freeBusy } of users) yield userSlots(id, freeBusy?.workingHours === undefined ? [unknownSlot(window)] : slotsOf(freeBusy.workingHours));
}
