import { attribute, child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { decodeItemProperties } from '../item-properties.ts';
import { publicFolders } from './folder-reference.ts';
import { CHANGE_KEY } from './folder-shape.ts';
import type { EwsCall, EwsOperationFace } from './operation.ts';
import { hearPushedItem, isFreeBusyMessage } from './pushed-item.ts';
import { given, listOf, REFUSAL, refused, responseOf } from './response-messages.ts';
import { decodeStoreId } from './store-id.ts';

/**
 * UpdateItem: heard like CreateItem. Zimbra names the field `t:Path xsi:type="t:PathToExtendedFieldType"` and the item `t:Item`, which the schema does not
 * have (zimbra-measured.md §5); what counts is the property inside the item. Everything else there is to update does not exist.
 */
export const updateItem: EwsOperationFace = async (request, call) => {
  const messages: XmlNode[] = [];
  for (const change of listOf(request, 'ItemChanges')) messages.push(await updateOne(change, call));
  return responseOf('UpdateItem', messages);
};

async function updateOne(change: XmlElement, call: EwsCall): Promise<XmlNode> {
  const id = attribute(child(change, 'ItemId'), 'Id') ?? '';
  const known = decodeStoreId(id);
  const message = known?.kind === 'message' ? known : undefined;
  const item = { organisation: message?.organisation, subject: message?.subject, properties: decodeItemProperties(change)[0]?.properties ?? new Map<number, readonly string[]>() };
  if (publicFolders(call) === undefined || id.length > LONGEST_ID || !isFreeBusyMessage(item)) {
    return refused('UpdateItem', known === undefined ? REFUSAL.idMalformed : REFUSAL.itemNotFound, el('m:Items'));
  }
  await hearPushedItem(item, call);
  const updated = el('t:PostItem', undefined, el('t:ItemId', { Id: id, ChangeKey: CHANGE_KEY }));
  return given('UpdateItem', el('m:Items', undefined, updated), el('m:ConflictResults', undefined, el('t:Count', undefined, 0)));
}

/** An id that goes into the answer as it came. */
const LONGEST_ID = 4_096;
