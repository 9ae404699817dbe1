import { BridgeError } from '../../core/errors.ts';
import { child, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { PROPERTY_TAGS } from '../schedule-plus/properties.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { decodeExtendedProperties, encodeExtendedFieldUri, goesByTag } from './extended-property.ts';
import { responseMessages } from './folder-id.ts';
import type { EwsId } from './folder-id.ts';
import { messageElement } from './names.ts';
import { decodeResponseMessageError } from './response-message.ts';

/** Asks for the properties of free/busy messages, as extended properties by tag (exchange.md §3.5). One id at least. */
export function encodeGetItem(ids: readonly EwsId[]): XmlNode {
  const tags = PROPERTY_TAGS.filter(goesByTag);
  return messageElement(
    'GetItem',
    {},
    el(
      'm:ItemShape',
      undefined,
      el('t:BaseShape', undefined, 'IdOnly'),
      el('t:AdditionalProperties', undefined, el('t:FieldURI', { FieldURI: 'item:Subject' }), tags.map(encodeExtendedFieldUri)),
    ),
    el(
      'm:ItemIds',
      undefined,
      ids.map((id) => el('t:ItemId', { Id: id })),
    ),
  );
}

export type GotItem = { readonly subject: string; readonly properties: RawProperties } | { readonly error: BridgeError };

/**
 * What came of each of `asked` items, in order. Values are as they stood on the wire, white space in base64 included.
 *
 * @throws BridgeError BACKEND_MALFORMED where there is not one answer an item
 */
export function decodeGetItem(body: XmlElement, asked: number): readonly GotItem[] {
  const messages = responseMessages(body, 'GetItem');
  if (messages.length !== asked) {
    throw new BridgeError('BACKEND_MALFORMED', 'the answer holds another number of items than were asked for', {
      details: { asked, answered: messages.length },
    });
  }
  return messages.map((message) => {
    const error = decodeResponseMessageError(message);
    if (error !== undefined) return { error };
    const items = child(message, 'Items')?.children ?? [];
    const item = items[0];
    if (item === undefined || items.length > 1) return { error: new BridgeError('NO_DATA', 'the free/busy message is not in the answer') };
    return { subject: childText(item, 'Subject') ?? '', properties: decodeExtendedProperties(item) };
  });
}
