import { attribute, child, childrenNamed } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import type { PropertyKind, WrittenProperty } from './written-property.ts';

/** PropertyType of each kind (exchange.md §3.5). */
const TYPE: Readonly<Record<PropertyKind, string>> = {
  integer: 'Integer', boolean: 'Boolean', string: 'String', time: 'SystemTime', binary: 'Binary', integers: 'IntegerArray', strings: 'StringArray', binaries: 'BinaryArray',
};

/** One item fails with this code; the others of the request do not. */
export class EwsItemError extends Error {
  override readonly name = 'EwsItemError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The id and kind that an ExtendedFieldURI names. Tags of 0x8000 and more are named properties. @throws EwsItemError */
export function readFieldUri(element: XmlElement | undefined): { readonly id: number; readonly kind: PropertyKind } {
  const tag = attribute(element, 'PropertyTag') ?? '';
  const id = /^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(tag) ? Number(tag) : Number.NaN;
  const kind = (Object.keys(TYPE) as PropertyKind[]).find((one) => TYPE[one] === attribute(element, 'PropertyType'));
  if (!(id > 0 && id < 0x8000) || kind === undefined) throw new EwsItemError('ErrorInvalidExtendedProperty', 'The extended property attribute combination is invalid.');
  return { id, kind };
}

/** An ExtendedProperty with its value or values. @throws EwsItemError */
export function readExtendedProperty(element: XmlElement): WrittenProperty {
  const { id, kind } = readFieldUri(child(element, 'ExtendedFieldURI'));
  const isList = TYPE[kind].endsWith('Array');
  const [value, values] = [child(element, 'Value'), child(element, 'Values')];
  if (element.children.length !== 2 || (isList ? values : value) === undefined) {
    throw new EwsItemError('ErrorInvalidExtendedPropertyValue', `The extended property 0x${id.toString(16)} has a value of another shape than its type.`);
  }
  const texts = isList ? childrenNamed(values, 'Value').map((one) => one.text) : [value!.text];
  return { id, kind, values: kind === 'boolean' ? texts.map(readBoolean) : texts };
}

/** XML Schema has two words for each. */
function readBoolean(text: string): string {
  return text === 'true' ? '1' : text === 'false' ? '0' : text;
}

/** The property as EWS gives it; empty lists have no element in the schema and are not stored. */
export function extendedPropertyNode({ id, kind, values }: WrittenProperty): XmlNode {
  const uri = el('t:ExtendedFieldURI', { PropertyTag: `0x${id.toString(16)}`, PropertyType: TYPE[kind] });
  const texts = kind === 'boolean' ? values.map((one) => (one === '1' ? 'true' : 'false')) : kind === 'time' ? values.map((one) => one.replace(/\.\d+/, '')) : values;
  if (!TYPE[kind].endsWith('Array')) return el('t:ExtendedProperty', {}, uri, el('t:Value', {}, texts[0]));
  return el('t:ExtendedProperty', {}, uri, el('t:Values', {}, texts.map((one) => el('t:Value', {}, one))));
}
