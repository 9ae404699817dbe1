import { attribute, child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';

/**
 * What an element says of itself under a name: the attribute, else the text of the first child of that name. Zimbra reads both alike
 * (Element.java, getAttribute), and clients send both: `s="1"` and `<s>1</s>`, `"authToken":"0_…"` and `"authToken":[{"_content":"0_…"}]`.
 */
export function member(element: XmlElement | undefined, name: string): string | undefined {
  return attribute(element, name) ?? child(element, name)?.text;
}

/** A flag as Zimbra reads it: `1` and `true` in any case. */
export function flag(element: XmlElement | undefined, name: string): boolean {
  const text = member(element, name)?.toLowerCase();
  return text === '1' || text === 'true';
}
