import { askMailboxes, checkQuestion } from '../../../freebusy/ask-mailboxes.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { decodeGetFreeBusyRequest } from '../get-free-busy-request.ts';
import { ZIMBRA_MAIL_NS } from '../names.ts';
import { getFreeBusyAnswer } from '../write-get-free-busy-response.ts';
import type { UserFreeBusy } from '../write-get-free-busy-response.ts';
import type { Asking, FaceOperation } from './operation.ts';

/** GetFreeBusyRequest (zimbra.md §2.1). */
export const getFreeBusy: FaceOperation = {
  name: 'GetFreeBusyRequest',
  ns: ZIMBRA_MAIL_NS,
  ready: (request: XmlElement) => {
    const { window, ids } = decodeGetFreeBusyRequest(request);
    checkQuestion(ids.length, window);
    return {
      users: ids,
      run: async (asking) => getFreeBusyAnswer(await askUsers(ids, window, asking), window, asking.workingElsewhereAs),
    };
  },
};

/**
 * Asks about users by the strings that a client used: each gets its own back, and undefined where nothing is known of it. Zimbra does
 * not trim: " a@x" names nobody (zimbra.md §2.1).
 */
export async function askUsers(ids: readonly string[], window: Interval, { source, ctx }: Asking): Promise<readonly UserFreeBusy[]> {
  const askable = ids.filter((id) => id === id.trim());
  const asked = await askMailboxes(source, askable, window, ctx.requester.detail === 'details', ctx);
  const answers = new Map(asked.map(({ text, result }) => [text, 'freeBusy' in result ? result.freeBusy : undefined]));
  return ids.map((id) => ({ id, freeBusy: answers.get(id) }));
}
