import { toBridgeError } from '../../core/errors.ts';
import { child, childrenNamed, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { MAPI, PROPTAG } from '../../protocols/owa-webdav/names.ts';
import { decodeMessagePropfind } from '../../protocols/owa-webdav/propfind-message.ts';
import { PROPERTY } from '../../protocols/schedule-plus/properties.ts';
import { isFreeBusy } from './found-message.ts';
import type { Found } from './found-message.ts';

/** A `multistatus`: one message for every response of it. An answer to a PROPPATCH, which has names without values, is said to be one. */
export function messagesOfMultistatus(root: XmlElement): readonly Found[] {
  const responses = childrenNamed(root, 'response');
  if (responses.length === 0) return [{ kind: 'multistatus', problem: 'an empty answer' }];
  return responses.map((response): Found => {
    const written = writtenProperties(response);
    if (written !== undefined) return { kind: 'PROPPATCH answer', problem: written };
    try {
      const found = { kind: 'PROPFIND answer', properties: decodeMessagePropfind({ ...root, children: [response] }), removed: new Set<number>(), isPartial: false } as const;
      return isFreeBusy(found) ? found : { kind: found.kind, problem: 'no message: it has no property of one' };
    } catch (error) {
      return { kind: 'PROPFIND answer', problem: toBridgeError(error).publicMessage };
    }
  });
}

/** What an answer to a PROPPATCH says; undefined where a property has a value, or there is none at all. */
function writtenProperties(response: XmlElement): string | undefined {
  const groups = childrenNamed(response, 'propstat').map((one) => ({ status: childText(one, 'status') ?? '', properties: child(one, 'prop')?.children ?? [] }));
  const all = groups.flatMap(({ properties }) => properties);
  // A PROPFIND answer in which nothing is there has no values either: a 404 only.
  const isRead = all.some((one) => one.children.length > 0 || one.text.trim() !== '') || groups.every(({ status }) => / 404\b/.test(status));
  if (all.length === 0 || isRead) return undefined;
  const refused = groups.filter(({ status }) => !/ 2\d\d\b/.test(status));
  if (refused.length === 0) return `no message: all ${all.length} properties were accepted`;
  return `no message: refused were ${refused.map(({ status, properties }) => `${properties.map((one) => one.name).join(', ')} (${status})`).join('; ')}`;
}

/** A `propertyupdate`, in the order of the document (RFC 4918 §9.2): ours, calendar-connectors', Zimbra's with `0x…` names. */
export function messageOfPropertyUpdate(root: XmlElement): Found {
  const properties = new Map<number, readonly string[]>();
  const removed = new Set<number>();
  for (const step of root.children) {
    for (const property of child(step, 'prop')?.children ?? []) {
      const id = propertyId(property);
      if (id === undefined) continue;
      if (step.name === 'set') {
        properties.set(id, valuesOf(property));
        removed.delete(id);
      } else if (step.name === 'remove') {
        properties.delete(id);
        removed.add(id);
      }
    }
  }
  const found = { kind: 'PROPPATCH', properties, removed, isPartial: true } as const;
  return isFreeBusy(found) ? found : { kind: found.kind, problem: 'no message: it changes no property of one' };
}

function propertyId({ ns, name }: XmlElement): number | undefined {
  if (ns === MAPI && name === 'subject') return PROPERTY.subject;
  const hex = ns === PROPTAG ? /^0?x([0-9a-f]{4})[0-9a-f]{4}$/i.exec(name)?.[1] : undefined;
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

function valuesOf(property: XmlElement): readonly string[] {
  const values = childrenNamed(property, 'v');
  return values.length > 0 ? values.map((one) => one.text) : property.text.trim() === '' ? [] : [property.text];
}
