import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { encodeExtendedProperty, goesByTag } from './extended-property.ts';
import type { EwsId } from './folder-id.ts';
import { messageElement } from './names.ts';
import { decodeWriteAnswers } from './write-answer.ts';

/** Creates a free/busy message in a public folder: a PostItem of class IPM.Post (exchange.md §3.5). Asked twice, it makes two. */
export function encodeCreateItem(folder: EwsId, message: Pick<EncodedMessage, 'subject' | 'set'>): XmlNode {
  const properties = message.set.filter(({ tag }) => goesByTag(tag));
  return messageElement(
    'CreateItem',
    { MessageDisposition: 'SaveOnly' },
    el('m:SavedItemFolderId', undefined, el('t:FolderId', { Id: folder })),
    el(
      'm:Items',
      undefined,
      el(
        't:PostItem',
        undefined,
        el('t:ItemClass', undefined, 'IPM.Post'),
        el('t:Subject', undefined, message.subject),
        properties.map(({ tag, values }) => encodeExtendedProperty(tag, values)),
      ),
    ),
  );
}

/** @throws BridgeError unless the item was saved with every property */
export function decodeCreateItem(body: XmlElement): void {
  const [error] = decodeWriteAnswers(body, 'CreateItem', 1);
  if (error !== undefined) throw error;
}
