import type { XmlElement } from '../../src/platform/xml/element.ts';

/** Names, namespaces and attribute names of a document in order, one line per element; texts and prefixes left out. */
export function shapeOf(element: XmlElement, depth = 0): readonly string[] {
  const attributes = element.attributes.map((one) => ` ${one.ns}|${one.name}`).join('');
  return [`${' '.repeat(depth)}${element.ns}|${element.name}${attributes}`, ...element.children.flatMap((one) => shapeOf(one, depth + 1))];
}
