import { childrenNamed, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { WRITTEN_TAGS } from '../schedule-plus/properties.ts';
import { MAPI, PROPTAG } from './names.ts';

/** `x68541102`: how a property is named in elements and in errors. */
export function propertyName(tag: number): string {
  return `x${tag.toString(16).toUpperCase().padStart(8, '0')}`;
}

/** The 32-bit tag of `x68541102`, `0x68541102` (Zimbra 8) or `subject`; undefined for what is no property by tag. */
export function propertyTag(property: XmlElement): number | undefined {
  if (property.ns === MAPI && property.name === 'subject') return WRITTEN_TAGS.subject;
  const hex = /^0?x([0-9a-f]{8})$/i.exec(property.name)?.[1];
  return hex === undefined || property.ns !== PROPTAG ? undefined : Number.parseInt(hex, 16);
}

/** The upper half of a tag: writers differ in the type (8-bit or Unicode text), not in the id. */
export function propertyId(tag: number): number {
  return tag >>> 16;
}

/** The properties of a `set`, `remove` or `propstat`. */
export function propertiesIn(parent: XmlElement): readonly XmlElement[] {
  return childrenNamed(parent, 'prop').flatMap((prop) => prop.children);
}

/** The `v` children of a multi-value, empty ones kept; the text of everything else. An empty multi-value without `v` has none. */
export function valuesOf(property: XmlElement): readonly string[] {
  const values = childrenNamed(property, 'v');
  if (values.length > 0) return values.map((one) => one.text);
  const isMulti = property.attributes.some((one) => one.name === 'dt' && one.value.startsWith('mv.'));
  return isMulti && property.text.trim() === '' ? [] : [property.text];
}

/** `HTTP/1.1 200 OK` → 200; 0 where it cannot be read, undefined where there is none. */
export function statusIn(element: XmlElement): number | undefined {
  const text = childText(element, 'status');
  if (text === undefined) return undefined;
  const code = /^HTTP\/\S+\s+(\d{3})\b/.exec(text)?.[1];
  return code === undefined ? 0 : Number(code);
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}
