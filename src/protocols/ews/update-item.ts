import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { encodeExtendedFieldUri, encodeExtendedProperty, goesByTag } from './extended-property.ts';
import { encodeItemId } from './folder-id.ts';
import type { ItemId } from './folder-id.ts';
import { messageElement } from './names.ts';
import { decodeWriteAnswers } from './write-answer.ts';

/**
 * Replaces the properties of a free/busy message, whatever version of it is there (exchange.md §3.5). What has vanished is deleted by
 * name: a property that is left out keeps its value, and its owner stays busy for ever (Zimbra's own EWS push).
 */
export function encodeUpdateItem(item: ItemId, message: Pick<EncodedMessage, 'set' | 'removed'>): XmlNode {
  const set = message.set.filter(({ tag }) => goesByTag(tag));
  return messageElement(
    'UpdateItem',
    { ConflictResolution: 'AlwaysOverwrite', MessageDisposition: 'SaveOnly' },
    el(
      'm:ItemChanges',
      undefined,
      el(
        't:ItemChange',
        undefined,
        encodeItemId(item),
        el(
          't:Updates',
          undefined,
          set.map(({ tag, values }) =>
            el('t:SetItemField', undefined, encodeExtendedFieldUri(tag), el('t:PostItem', undefined, encodeExtendedProperty(tag, values))),
          ),
          message.removed.map((tag) => el('t:DeleteItemField', undefined, encodeExtendedFieldUri(tag))),
        ),
      ),
    ),
  );
}

/** @throws BridgeError unless every property was accepted; with the code ErrorItemNotFound where the item has gone meanwhile */
export function decodeUpdateItem(body: XmlElement): void {
  const [error] = decodeWriteAnswers(body, 'UpdateItem', 1);
  if (error !== undefined) throw error;
}
