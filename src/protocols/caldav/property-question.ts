import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { DAV_NS } from './names.ts';
import type { PropertyName } from './names.ts';

/** Which properties somebody wants (RFC 4918 §9.1); `names` beside `allprop` are those of `D:include`. No name twice. */
export type PropertyQuestion = { readonly kind: 'prop' | 'allprop'; readonly names: readonly PropertyName[] } | { readonly kind: 'propname' };

export const ALL_PROPERTIES: PropertyQuestion = { kind: 'allprop', names: [] };

/**
 * Reads `D:propfind`, or the same elements inside a REPORT.
 *
 * @throws BridgeError INVALID_REQUEST where nothing is asked for, or too much
 */
export function decodePropertyQuestion(element: XmlElement): PropertyQuestion {
  const [prop, allprop, propname] = ['prop', 'allprop', 'propname'].map((name) => element.children.find((one) => one.ns === DAV_NS && one.name === name));
  const kinds = [prop, allprop, propname].filter((one) => one !== undefined);
  if (kinds.length > 1) throw new BridgeError('INVALID_REQUEST', 'only one of prop, allprop and propname may be asked for');
  if (propname !== undefined) return { kind: 'propname' };
  if (allprop !== undefined) return { kind: 'allprop', names: namesIn(child(element, 'include')) };
  if (prop !== undefined) return { kind: 'prop', names: namesIn(prop) };
  throw new BridgeError('INVALID_REQUEST', 'no properties are asked for');
}

/** The properties that are named inside an element, each once. @throws BridgeError INVALID_REQUEST where they are too many, or one could not be written again */
export function namesIn(element: XmlElement | undefined): readonly PropertyName[] {
  const names = new Map<string, PropertyName>();
  let characters = 0;
  for (const { ns, name } of element?.children ?? []) {
    // readXml takes names that begin with a digit (Exchange has them); nobody could read them in an answer.
    if (!/^[\p{L}_]/u.test(name) || ns === 'http://www.w3.org/XML/1998/namespace') throw new BridgeError('INVALID_REQUEST', 'a property has an impossible name');
    names.set(`${ns} ${name}`, { ns, name });
    if (names.size > LIMITS.caldavProperties) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.caldavProperties} properties`);
    characters += ns.length + name.length;
    if (characters > LIMITS.caldavPropertyCharacters) throw new BridgeError('INVALID_REQUEST', 'the names of the properties are too long');
  }
  return [...names.values()];
}
