import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml } from '../../../platform/xml/write.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { requireAddressBook } from './address-book.ts';
import { encodeRecipient } from './directory-mailbox.ts';
import { groupNamed } from './group-of.ts';
import type { EwsOperationFace } from './operation.ts';
import { REFUSAL, refused, required, responseOf } from './response-messages.ts';

/**
 * ExpandDL: the members of a group, groups among them as they are. Who may only search gets as many as an answer of his may hold; IncludesLastItemInRange tells that there are more. What is no group, or nobody:
 * ErrorNameResolutionNoResults.
 *
 * @throws EwsFault ErrorInvalidRequest without an address book; ErrorSchemaValidation without a Mailbox
 */
export const expandDl: EwsOperationFace = async (request, call) => {
  const book = requireAddressBook('ExpandDL', 'Exchange2007', call);
  const group = groupNamed(required(request, 'Mailbox'), book, call.requester);
  if (group === undefined) return responseOf('ExpandDL', [refused('ExpandDL', REFUSAL.noResults)]);
  const members = book.membersOf(group, call.requester);
  const most = Math.min(book.allowance(call.requester).results, LIMITS.groupMembers);
  const shown = await encodeMembers(members.slice(0, most));
  return xml`<m:ExpandDLResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}"><m:ResponseMessages><m:ExpandDLResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:DLExpansion TotalItemsInView="${members.length}" IncludesLastItemInRange="${String(shown.length === members.length)}">${shown}</m:DLExpansion></m:ExpandDLResponseMessage></m:ResponseMessages></m:ExpandDLResponse>`;
};

async function encodeMembers(members: readonly DirectoryEntry[]): Promise<readonly XmlText[]> {
  const pace = new Pace(LIMITS.galEntriesPerTurn / 5);
  const shown: XmlText[] = [];
  for (const member of members) {
    shown.push(xml`<t:Mailbox>${encodeRecipient(member)}</t:Mailbox>`);
    if (pace.spend(1)) await pace.turn();
  }
  return shown;
}
