import { BridgeError } from '../../core/errors.ts';
import { attribute, child, childText, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { PROPERTY_TAGS } from '../schedule-plus/properties.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { responseMessages } from './folder-id.ts';
import type { EwsId } from './folder-id.ts';
import { messageElement } from './names.ts';
import { decodeResponseMessageError } from './response-message.ts';

/** PropertyType of the schema by MAPI type. */
const PROPERTY_TYPE: Readonly<Record<number, string>> = {
  0x0003: 'Integer',
  0x000b: 'Boolean',
  0x001f: 'String',
  0x0040: 'SystemTime',
  0x0102: 'Binary',
  0x1003: 'IntegerArray',
  0x1102: 'BinaryArray',
};

/** Asks for the properties of free/busy messages, as extended properties by tag (exchange.md §3.5). One id at least. */
export function encodeGetItem(ids: readonly EwsId[]): XmlNode {
  const tags = PROPERTY_TAGS.filter((tag) => !ALSO_A_FIELD.has(tag));
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

/** Subject and normalized subject: Exchange refuses tags that the schema has a field for, and `item:Subject` says both. */
const ALSO_A_FIELD: ReadonlySet<number> = new Set([0x0037001f, 0x0e1d001f]);

function encodeExtendedFieldUri(tag: number): XmlNode {
  const id = `0x${(tag >>> 16).toString(16).toUpperCase().padStart(4, '0')}`;
  return el('t:ExtendedFieldURI', { PropertyTag: id, PropertyType: PROPERTY_TYPE[tag & 0xffff] });
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

function decodeExtendedProperties(item: XmlElement): RawProperties {
  const properties = new Map<number, readonly string[]>();
  for (const property of childrenNamed(item, 'ExtendedProperty')) {
    const tag = attribute(child(property, 'ExtendedFieldURI'), 'PropertyTag') ?? '';
    if (!/^(?:0x[0-9a-f]{1,4}|\d{1,5})$/i.test(tag)) continue;
    const values = childrenNamed(child(property, 'Values') ?? property, 'Value');
    properties.set(
      Number(tag),
      values.map((one) => one.text),
    );
  }
  return properties;
}
