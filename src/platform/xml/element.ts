/** One attribute; `ns` is empty where it has no prefix. */
export interface XmlAttribute {
  readonly name: string;
  readonly ns: string;
  readonly value: string;
}

/** One element of a document that was read: names are local, namespaces resolved, `text` is its own text, entities decoded. */
export interface XmlElement {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** The first child of that local name, in any namespace (Exchange's prefixes and namespaces vary by version). */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((one) => one.name === name);
}

/** Walks down by local names; undefined as soon as one is missing. */
export function descend(element: XmlElement | undefined, ...names: readonly string[]): XmlElement | undefined {
  return names.reduce(child, element);
}

/** All children of that local name, in document order. */
export function childrenNamed(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((one) => one.name === name) ?? [];
}

/** The trimmed text of the first child of that name; undefined where there is no such child. */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return child(element, name)?.text.trim();
}

/** The value of the attribute of that local name. */
export function attribute(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.find((one) => one.name === name)?.value;
}
