import type { XmlElement } from '../../../platform/xml/element.ts';
import { schemaFault } from './faults.ts';

/** One particle of an xs:sequence. */
export interface Particle {
  readonly ns: string;
  readonly name: string;
  /** Default: exactly one. */
  readonly occurs?: 'optional' | 'any';
  /** What its own children must be; absent: they are not looked at. */
  readonly inside?: readonly Particle[];
}

const XSI_NS = 'http://www.w3.org/2001/XMLSchema-instance';

/**
 * Holds an element's children against an xs:sequence, as Exchange does before it looks at anything: name, namespace, order and number. A nil element
 * has no children to look at.
 *
 * @throws EwsFault ErrorSchemaValidation
 */
export function checkSequence(element: XmlElement, particles: readonly Particle[]): void {
  if (isNil(element)) return;
  let at = 0;
  for (const particle of particles) {
    let found = 0;
    while (at < element.children.length && matches(element.children[at]!, particle) && (found === 0 || particle.occurs === 'any')) {
      if (particle.inside !== undefined) checkSequence(element.children[at]!, particle.inside);
      found += 1;
      at += 1;
    }
    if (found > 0 || particle.occurs !== undefined) continue;
    const next = element.children[at];
    throw schemaFault(next === undefined ? `The element '${element.name}' has incomplete content. Expected: '${particle.name}'.` : unexpected(element, next, particle.name));
  }
  const rest = element.children[at];
  if (rest !== undefined) throw schemaFault(unexpected(element, rest, undefined));
}

/** Whether xsi:nil says that there is nothing. */
export function isNil(element: XmlElement): boolean {
  return element.attributes.some((one) => one.name === 'nil' && one.ns === XSI_NS && (one.value === 'true' || one.value === '1'));
}

function matches(element: XmlElement, particle: Particle): boolean {
  return element.name === particle.name && element.ns === particle.ns;
}

function unexpected(parent: XmlElement, child: XmlElement, expected: string | undefined): string {
  const wanted = expected === undefined ? '' : ` Expected: '${expected}'.`;
  return `The element '${parent.name}' in namespace '${parent.ns}' has invalid child element '${child.name}' in namespace '${child.ns}'.${wanted}`;
}
