import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { encodeItemId } from './folder-id.ts';
import type { ItemId } from './folder-id.ts';
import { messageElement } from './names.ts';
import { decodeWriteAnswers } from './write-answer.ts';

/** Deletes items for good: public folders have no "deleted items" to move them to. One item at least. */
export function encodeDeleteItem(items: readonly ItemId[]): XmlNode {
  return messageElement('DeleteItem', { DeleteType: 'HardDelete' }, el('m:ItemIds', undefined, items.map(encodeItemId)));
}

/** @throws BridgeError unless all of the `asked` items are gone now, whoever deleted them */
export function decodeDeleteItem(body: XmlElement, asked: number): void {
  const errors = decodeWriteAnswers(body, 'DeleteItem', asked);
  const refusal = errors.find((error) => error !== undefined && error.details['responseCode'] !== 'ErrorItemNotFound');
  if (refusal !== undefined) throw refusal;
}
