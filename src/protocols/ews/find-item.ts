import { childText, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeItemId, encodeIsEqualTo, encodeParentFolder, onlyResponseMessage } from './folder-id.ts';
import type { EwsId, ItemId } from './folder-id.ts';
import { messageElement } from './names.ts';

/** Asks for the items with any of these subjects (`USER-/CN=…`; one at least). */
export function encodeFindItem(folder: EwsId, subjects: readonly string[]): XmlNode {
  const conditions = subjects.map((subject) => encodeIsEqualTo('item:Subject', subject));
  return messageElement(
    'FindItem',
    { Traversal: 'Shallow' },
    el(
      'm:ItemShape',
      undefined,
      el('t:BaseShape', undefined, 'IdOnly'),
      el('t:AdditionalProperties', undefined, el('t:FieldURI', { FieldURI: 'item:Subject' })),
    ),
    el('m:Restriction', undefined, conditions.length === 1 ? conditions : el('t:Or', undefined, conditions)),
    encodeParentFolder(folder),
  );
}

/** What was found: upper-case subject → ids of all items of that name. Without hits an empty map. @throws BridgeError */
export function decodeFindItem(body: XmlElement): ReadonlyMap<string, readonly ItemId[]> {
  const items = descend(onlyResponseMessage(body, 'FindItem'), 'RootFolder', 'Items')?.children ?? [];
  const found = new Map<string, ItemId[]>();
  for (const item of items) {
    const subject = childText(item, 'Subject')?.toUpperCase();
    const id = decodeItemId(item);
    if (subject === undefined || id === undefined) continue;
    found.set(subject, [...(found.get(subject) ?? []), id]);
  }
  return found;
}
