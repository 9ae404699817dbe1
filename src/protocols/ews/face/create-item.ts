import { child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { decodeExtendedProperties } from '../extended-property.ts';
import type { Folder } from './distinguished-folders.ts';
import { folderReferred, isRefusal, publicFolders } from './folder-reference.ts';
import { CHANGE_KEY } from './folder-shape.ts';
import type { EwsCall, EwsOperationFace } from './operation.ts';
import { hearPushedItem, isFreeBusyMessage } from './pushed-item.ts';
import type { PushedItem } from './pushed-item.ts';
import { given, listOf, REFUSAL, refused, responseOf } from './response-messages.ts';
import type { Refusal } from './response-messages.ts';
import { encodeStoreId, isSubject } from './store-id.ts';

/**
 * CreateItem: a free/busy message is heard (pushed-item.ts), whichever folder id comes with it; everything else is refused, so that nobody takes a mail
 * or an appointment for stored.
 */
export const createItem: EwsOperationFace = async (request, call) => {
  const reference = child(request, 'SavedItemFolderId')?.children[0];
  const folder = reference === undefined ? undefined : folderReferred(reference, call);
  const messages: XmlNode[] = [];
  for (const element of listOf(request, 'Items')) messages.push(await createOne(element, folder, call));
  return responseOf('CreateItem', messages);
};

async function createOne(element: XmlElement, folder: Folder | Refusal | undefined, call: EwsCall): Promise<XmlNode> {
  const organisation = folder !== undefined && !isRefusal(folder) && folder.id.kind === 'organisation' ? folder.id.organisation : undefined;
  const item: PushedItem = { organisation, subject: childText(element, 'Subject'), properties: decodeExtendedProperties(element) };
  if (publicFolders(call) === undefined || !isFreeBusyMessage(item)) {
    const why = folder !== undefined && isRefusal(folder) ? folder : REFUSAL.accessDenied;
    return refused('CreateItem', why, el('m:Items'));
  }
  await hearPushedItem(item, call);
  const id = encodeStoreId({ kind: 'message', organisation: organisation ?? '/o=', subject: isSubject(item.subject ?? '') ? item.subject! : 'USER-/CN=' });
  return given('CreateItem', el('m:Items', undefined, el('t:PostItem', undefined, el('t:ItemId', { Id: id, ChangeKey: CHANGE_KEY }))));
}
