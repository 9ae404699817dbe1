import { BridgeError } from '../../core/errors.ts';
import { child, childrenNamed, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import { PROPERTY, PROPERTY_TAGS } from '../schedule-plus/properties.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { DAV, MAPI, PROPTAG } from './names.ts';

/** The PROPFIND body that asks for every property of a free/busy message that is read (exchange.md §2.3). Send it with `Depth: 0`. */
export function encodeMessagePropfind(): string {
  const properties = PROPERTY_TAGS.map((tag) => el(`p:x${tag.toString(16).toUpperCase().padStart(8, '0')}`));
  return writeXml(
    el('D:propfind', { 'xmlns:D': DAV, 'xmlns:p': PROPTAG, 'xmlns:m': MAPI }, el('D:prop', {}, el('m:subject'), properties)),
  );
}

/**
 * Reads the 207 for one message: the properties of every propstat with a 2xx status. Prefixes, letter case of the tags and the order
 * of status and prop vary; properties with another status (404: not there) are left out.
 *
 * @throws BridgeError NO_DATA when the message is not there or may not be read, BACKEND_MALFORMED when it is no multistatus of one
 */
export function decodeMessagePropfind(root: XmlElement): RawProperties {
  const responses = childrenNamed(root, 'response');
  const response = responses[0];
  if (root.name !== 'multistatus' || response === undefined || responses.length > 1) {
    throw new BridgeError('BACKEND_MALFORMED', 'the answer is not about one message');
  }
  const overall = statusOf(response);
  if (overall !== undefined) refuseFailure(overall);
  const raw = new Map<number, readonly string[]>();
  const failures: number[] = [];
  for (const propstat of childrenNamed(response, 'propstat')) {
    const status = statusOf(propstat) ?? 0;
    if (status < 200 || status > 299) {
      failures.push(status);
      continue;
    }
    for (const property of child(propstat, 'prop')?.children ?? []) {
      const id = propertyId(property);
      if (id !== undefined) raw.set(id, valuesOf(property));
    }
  }
  if (raw.size === 0) refuseFailure(failures.find((status) => status !== 404) ?? failures[0] ?? 0);
  // A property that failed for any other reason than not being there is unknown, not absent.
  const hidden = failures.find((status) => status !== 404);
  if (hidden !== undefined) refuseFailure(hidden);
  return raw;
}

function refuseFailure(status: number): void {
  if (status >= 200 && status <= 299) return;
  if (status === 404 || status === 410) throw new BridgeError('NO_DATA', 'the mailbox has published no free/busy', { details: { status } });
  if (status === 401 || status === 403) throw new BridgeError('NO_DATA', 'the free/busy message may not be read', { details: { status } });
  throw new BridgeError('NO_DATA', 'the free/busy message cannot be read', { details: { status } });
}

/** `HTTP/1.1 200 OK` → 200. */
function statusOf(element: XmlElement): number | undefined {
  const text = childText(element, 'status');
  if (text === undefined) return undefined;
  const code = /^HTTP\/\S+\s+(\d{3})\b/.exec(text)?.[1];
  return code === undefined ? 0 : Number(code);
}

/** The 16-bit id: the upper half of the tag in `x68541102` or `0x68541102`. */
function propertyId(property: XmlElement): number | undefined {
  if (property.ns === MAPI && property.name === 'subject') return PROPERTY.subject;
  const hex = /^0?x([0-9a-f]{4})[0-9a-f]{4}$/i.exec(property.name)?.[1];
  return hex === undefined || property.ns !== PROPTAG ? undefined : Number.parseInt(hex, 16);
}

/** The `v` children of a multi-value, empty ones kept; the text of everything else. An empty multi-value without `v` has none. */
function valuesOf(property: XmlElement): readonly string[] {
  const values = childrenNamed(property, 'v');
  if (values.length > 0) return values.map((one) => one.text);
  const isMulti = property.attributes.some((one) => one.name === 'dt' && one.value.startsWith('mv.'));
  return isMulti && property.text.trim() === '' ? [] : [property.text];
}
