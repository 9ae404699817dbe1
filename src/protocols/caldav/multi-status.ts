import { el, writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { NAMESPACES, qualified } from './names.ts';
import type { PropertyName } from './names.ts';
import type { Property } from './properties.ts';
import type { PropertyQuestion } from './property-question.ts';

/** One resource of a multi-status answer: its properties, or the status that stands for them. */
export type ResourceAnswer = { readonly href: string; readonly properties: readonly Property[] } | { readonly href: string; readonly status: 404 };

/**
 * `D:multistatus` (RFC 4918 §14.16): for every resource what was asked for, and in a 404 what it does not have.
 *
 * @param minimal leaves the 404 out (RFC 8144 §2.1; Apple asks for it)
 */
export function encodeMultiStatus(answers: readonly ResourceAnswer[], question: PropertyQuestion, minimal: boolean): string {
  return writeXml(el('D:multistatus', NAMESPACES, answers.map((one) => encodeResponse(one, question, minimal))));
}

function encodeResponse(answer: ResourceAnswer, question: PropertyQuestion, minimal: boolean): XmlNode {
  const href = el('D:href', {}, answer.href);
  if ('status' in answer) return el('D:response', {}, href, el('D:status', {}, 'HTTP/1.1 404 Not Found'));
  const { properties } = answer;
  if (question.kind === 'propname') return el('D:response', {}, href, propstat('200 OK', properties.map(emptyElement)));
  const named = question.names.map((name) => ({ name, found: properties.find((one) => one.ns === name.ns && one.name === name.name) }));
  const found = named.flatMap((one) => one.found ?? []);
  const given = question.kind === 'prop' ? found : [...new Set([...properties.filter((one) => one.inAllprop), ...found])];
  const missing = minimal ? [] : named.filter((one) => one.found === undefined);
  return el(
    'D:response',
    {},
    href,
    (given.length > 0 || missing.length === 0) && propstat('200 OK', given.map((one) => one.element)),
    missing.length > 0 && propstat('404 Not Found', missing.map((one) => emptyElement(one.name))),
  );
}

function propstat(status: string, elements: readonly XmlNode[]): XmlNode {
  return el('D:propstat', {}, el('D:prop', {}, elements), el('D:status', {}, `HTTP/1.1 ${status}`));
}

function emptyElement(property: PropertyName): XmlNode {
  const known = qualified(property);
  if (known !== undefined) return el(known);
  return property.ns === '' ? el(property.name) : el(`X:${property.name}`, { 'xmlns:X': property.ns });
}
