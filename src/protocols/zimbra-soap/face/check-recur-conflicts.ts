import type { Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import { checkQuestion } from '../../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { decodeUsers, distinct, optionalEpochMs } from '../get-free-busy-request.ts';
import { ZIMBRA_MAIL_NS } from '../names.ts';
import type { UserFreeBusy } from '../write-get-free-busy-response.ts';
import type { Answer, AnswerElement } from './answer.ts';
import { conflictFinder } from './conflicts.ts';
import type { ConflictLetter } from './conflicts.ts';
import { askUsers } from './get-free-busy.ts';
import { flag } from './member.ts';
import type { Asking, FaceOperation } from './operation.ts';
import { decodeRecurrence } from './recurrence-document.ts';
import { instancesOf, spanOf } from './recurrence-instances.ts';
import type { Instance } from './recurrence-instances.ts';

/**
 * CheckRecurConflictsRequest (zimbra.md §2.6, CheckRecurConflicts.java): the instances of a series and who has something else then. Asked
 * once over their whole span. `excludeUid` has no effect: the appointment that is being edited shows as a conflict with itself.
 */
export const checkRecurConflicts: FaceOperation = {
  name: 'CheckRecurConflictsRequest',
  ns: ZIMBRA_MAIL_NS,
  ready: (request: XmlElement) => {
    const range = { start: bound(request, 's'), end: bound(request, 'e') };
    const recurrence = decodeRecurrence(request);
    const ids = distinct(decodeUsers(request));
    const showsAll = flag(request, 'all');
    return {
      users: ids,
      run: async (asking) => {
        const from = { start: range.start ?? asking.clock.now(), end: range.end };
        return answerOf(await asking.inTurn(() => instancesOf(recurrence, from, asking.allowance.expansion)), ids, showsAll, asking);
      },
    };
  },
};

/** Years of four digits, which is all that dates in requests and zones have. */
const EARLIEST = Date.UTC(1000, 0, 1);
const LATEST = Date.UTC(9999, 11, 31);

/** 0 is as good as nothing to Zimbra. */
function bound(request: XmlElement, name: 's' | 'e'): Instant | undefined {
  const instant = optionalEpochMs(request, name);
  return instant === undefined || instant === 0 ? undefined : Math.min(Math.max(instant, EARLIEST), LATEST);
}

async function answerOf(instances: readonly Instance[], ids: readonly string[], showsAll: boolean, asking: Asking): Promise<Answer> {
  const answer = { name: 'CheckRecurConflictsResponse', ns: ZIMBRA_MAIL_NS };
  const span = spanOf(instances);
  if (span === undefined) return showsAll ? { ...answer, parts: instances.map((one) => encodeInstance(one, [])) } : answer;
  checkQuestion(ids.length, span);
  asking.allowance.comparisons -= instances.length * ids.length;
  if (asking.allowance.comparisons < 0) throw new BridgeError('INVALID_REQUEST', 'too many instances for so many users');
  const users = await askUsers(ids, span, asking);
  return { ...answer, parts: await asking.inTurn(() => compared(instances, users, showsAll, asking.workingElsewhereAs)) };
}

async function compared(instances: readonly Instance[], users: readonly UserFreeBusy[], showsAll: boolean, workingElsewhereAs: WorkingElsewhereAs): Promise<readonly AnswerElement[]> {
  const pace = new Pace(LIMITS.recurrenceComparisonsPerTurn);
  const finders: { readonly id: string; readonly conflictWith: (when: Interval) => ConflictLetter | undefined }[] = [];
  for (const { id, freeBusy } of users) {
    finders.push({ id, conflictWith: conflictFinder(freeBusy, workingElsewhereAs) });
    if (pace.spend(1 + (freeBusy?.busy.length ?? 0))) await pace.turn();
  }
  const found: AnswerElement[] = [];
  for (const instance of instances) {
    const conflicts = finders.flatMap(({ id, conflictWith }): readonly AnswerElement[] => {
      const letter = conflictWith(instance);
      return letter === undefined ? [] : [{ name: 'usr', attributes: { name: id, fb: letter } }];
    });
    if (showsAll || conflicts.length > 0) found.push(encodeInstance(instance, conflicts));
    if (pace.spend(1 + finders.length)) await pace.turn();
  }
  return found;
}

function encodeInstance({ start, end, allDay, offsetMs, recurIdZ }: Instance, conflicts: readonly AnswerElement[]): AnswerElement {
  const wholeDay = allDay ? { allDay, tzo: offsetMs } : {};
  return { name: 'inst', attributes: { s: start, dur: end - start, ...wholeDay, ridZ: recurIdZ }, children: conflicts };
}
