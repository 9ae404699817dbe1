import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { requireAddressBook } from './address-book.ts';
import { encodeRecipient } from './directory-mailbox.ts';
import { groupNamed } from './group-of.ts';
import type { EwsOperationFace } from './operation.ts';
import { refusedPeople } from './refused-people.ts';
import { REFUSAL, required } from './response-messages.ts';

/**
 * GetRoomLists (2010 and later): the groups that hold rooms and nothing else, which is what Exchange's room lists are. At most as many as an answer of the client may hold.
 *
 * @throws EwsFault ErrorInvalidRequest without an address book
 */
export const getRoomLists: EwsOperationFace = async (_request, call) => {
  const book = requireAddressBook('GetRoomLists', 'Exchange2010', call);
  const lists = (await roomLists(book, call.requester)).map((one) => xml`<t:Address>${encodeRecipient(one)}</t:Address>`);
  return xml`<m:GetRoomListsResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}" ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:RoomLists>${lists}</m:RoomLists></m:GetRoomListsResponse>`;
};

/** GetRooms (2010 and later): the rooms of one list. @throws EwsFault ErrorInvalidRequest without an address book; ErrorSchemaValidation without a RoomList */
export const getRooms: EwsOperationFace = async (request, call) => {
  const book = requireAddressBook('GetRooms', 'Exchange2010', call);
  const list = groupNamed(required(request, 'RoomList'), book, call.requester);
  if (list === undefined) return refusedPeople('GetRooms', REFUSAL.noResults);
  const most = Math.min(book.allowance(call.requester).results, LIMITS.personasPerAnswer);
  const rooms = book.membersOf(list, call.requester).filter(isRoom).slice(0, most);
  const shown = rooms.map((one) => xml`<t:Room><t:Id>${encodeRecipient(one)}</t:Id></t:Room>`);
  return xml`<m:GetRoomsResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}" ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Rooms>${shown}</m:Rooms></m:GetRoomsResponse>`;
};

async function roomLists(book: Directory, requester: Requester): Promise<readonly DirectoryEntry[]> {
  const most = Math.min(book.allowance(requester).results, LIMITS.roomLists);
  const pace = new Pace(LIMITS.galEntriesPerTurn);
  const found: DirectoryEntry[] = [];
  for (const entry of book.all(requester)) {
    const members = entry.kind === 'group' ? book.membersOf(entry, requester) : [];
    if (members.length > 0 && members.every(isRoom)) found.push(entry);
    if (found.length >= most) break;
    if (pace.spend(1 + members.length)) await pace.turn();
  }
  return found;
}

function isRoom({ kind }: DirectoryEntry): boolean {
  return kind === 'room';
}
