import { childText, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { PROPERTY } from '../schedule-plus/properties.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { decodeExtendedProperties, decodePropertyId } from './extended-property.ts';

/** What one item of an EWS document holds, or what a request would make of it. */
export interface ItemProperties {
  /** With the subject as 0x0037, where the item has one. */
  readonly properties: RawProperties;
  /** 16-bit ids that an UpdateItem deletes. */
  readonly removed: readonly number[];
}

/**
 * Finds the items with extended properties in any EWS document, in document order, with or without a SOAP envelope: the answer to
 * GetItem or FindItem, CreateItem, UpdateItem; Exchange's, ours, and Zimbra's, which writes `t:Path xsi:type=…` for the field and `t:Item` for the item.
 * An empty list where there is none.
 */
export function decodeItemProperties(root: XmlElement): readonly ItemProperties[] {
  if (root.name === 'ItemChange') return [decodeItemChange(root)];
  if (root.name !== 'Items') return root.children.flatMap(decodeItemProperties);
  return root.children
    .map((item) => ({ properties: withSubject(item, decodeExtendedProperties(item)), removed: [] }))
    .filter(({ properties }) => properties.size > 0);
}

function decodeItemChange(change: XmlElement): ItemProperties {
  const fields = childrenNamed(change, 'Updates').flatMap((updates) => updates.children);
  const properties = new Map<number, readonly string[]>();
  const removed: number[] = [];
  for (const field of fields) {
    if (field.name === 'DeleteItemField') {
      const id = decodePropertyId(field.children[0]);
      if (id !== undefined) removed.push(id);
      continue;
    }
    // Field first, then the item; what is set stands inside the item.
    for (const item of field.children) {
      for (const [id, values] of withSubject(item, decodeExtendedProperties(item))) properties.set(id, values);
    }
  }
  return { properties, removed };
}

function withSubject(item: XmlElement, properties: RawProperties): RawProperties {
  const subject = childText(item, 'Subject');
  return subject === undefined ? properties : new Map([[PROPERTY.subject, [subject]], ...properties]);
}
