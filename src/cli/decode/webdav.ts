import { toBridgeError } from '../../core/errors.ts';
import { child, childrenNamed, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { decodeMessagePropfind } from '../../protocols/owa-webdav/propfind-message.ts';
import { decodeMessageProppatch } from '../../protocols/owa-webdav/proppatch-message.ts';
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

/** A `propertyupdate`: ours, calendar-connectors', Zimbra's. */
export function messageOfPropertyUpdate(root: XmlElement): Found {
  const kind = 'PROPPATCH';
  try {
    const { raw: properties, removed } = decodeMessageProppatch(root);
    return isFreeBusy({ properties, removed }) ? { kind, properties, removed, isPartial: true } : { kind, problem: 'no message: it changes no property of one' };
  } catch (error) {
    return { kind, problem: toBridgeError(error).publicMessage };
  }
}
