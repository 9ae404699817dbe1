import { BridgeError } from '../../core/errors.ts';
import { attribute, child, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';

/** PropertyType of the schema by MAPI type; multi-values have 0x1000 set. */
const PROPERTY_TYPE: Readonly<Record<number, string>> = {
  0x0003: 'Integer',
  0x000b: 'Boolean',
  0x001e: 'String',
  0x001f: 'String',
  0x0040: 'SystemTime',
  0x0102: 'Binary',
  0x1003: 'IntegerArray',
  0x101e: 'StringArray',
  0x101f: 'StringArray',
  0x1102: 'BinaryArray',
};

/**
 * Ids that do not go by tag: subject, subject prefix, conversation topic and normalized subject all come from `t:Subject`, and the
 * locale of message and store is Exchange's own. One property that is refused would take the whole item with it.
 */
const NOT_BY_TAG: ReadonlySet<number> = new Set([0x0037, 0x003d, 0x0070, 0x0e1d, 0x3ff1, 0x66a1]);

/** Whether a 32-bit tag is asked for, and written, as an extended property. */
export function goesByTag(tag: number): boolean {
  return !NOT_BY_TAG.has(tag >>> 16);
}

/** `t:ExtendedFieldURI` of a 32-bit tag (id ‖ MAPI type): the id goes into PropertyTag, the type into PropertyType. */
export function encodeExtendedFieldUri(tag: number): XmlNode {
  const type = PROPERTY_TYPE[tag & 0xffff];
  const id = `0x${(tag >>> 16).toString(16).toUpperCase().padStart(4, '0')}`;
  if (type === undefined) throw new BridgeError('INTERNAL', 'a property of a type that EWS does not know', { details: { property: id } });
  return el('t:ExtendedFieldURI', { PropertyTag: id, PropertyType: type });
}

/** `t:ExtendedProperty`; an array has at least one value (the schema knows no empty one). Booleans come as `1` and `0`. */
export function encodeExtendedProperty(tag: number, values: readonly string[]): XmlNode {
  const isBoolean = (tag & 0xffff) === 0x000b;
  const each = values.map((one) => el('t:Value', undefined, isBoolean ? String(one === '1' || one === 'true') : one));
  const isArray = (tag & 0x1000) !== 0;
  return el('t:ExtendedProperty', undefined, encodeExtendedFieldUri(tag), isArray ? el('t:Values', undefined, each) : each[0]);
}

/** The extended properties of an item, values as they stood on the wire, white space in base64 included. Those without a tag are left out. */
export function decodeExtendedProperties(item: XmlElement): RawProperties {
  const properties = new Map<number, readonly string[]>();
  for (const property of childrenNamed(item, 'ExtendedProperty')) {
    const id = decodePropertyId(child(property, 'ExtendedFieldURI'));
    if (id === undefined) continue;
    const values = childrenNamed(child(property, 'Values') ?? property, 'Value');
    properties.set(
      id,
      values.map((one) => one.text),
    );
  }
  return properties;
}

/** The 16-bit id of an `ExtendedFieldURI`, or of what Zimbra calls `Path`: hexadecimal or decimal. */
export function decodePropertyId(field: XmlElement | undefined): number | undefined {
  const tag = attribute(field, 'PropertyTag') ?? '';
  return /^(?:0x[0-9a-f]{1,4}|\d{1,5})$/i.test(tag) ? Number(tag) : undefined;
}
