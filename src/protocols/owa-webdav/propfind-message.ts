import { BridgeError } from '../../core/errors.ts';
import { childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import { PROPERTY_TAGS } from '../schedule-plus/properties.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { isSuccess, propertiesIn, propertyId, propertyName, propertyTag, statusIn, valuesOf } from './message-property.ts';
import { DAV, MAPI, PROPTAG } from './names.ts';

/** The PROPFIND body that asks for every property of a free/busy message that is read (exchange.md §2.3). Send it with `Depth: 0`. */
export function encodeMessagePropfind(): string {
  const properties = PROPERTY_TAGS.map((tag) => el(`p:${propertyName(tag)}`));
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
  const overall = statusIn(response);
  if (overall !== undefined) refuseFailure(overall);
  const raw = new Map<number, readonly string[]>();
  const failures: number[] = [];
  for (const propstat of childrenNamed(response, 'propstat')) {
    const status = statusIn(propstat) ?? 0;
    if (!isSuccess(status)) {
      failures.push(status);
      continue;
    }
    for (const property of propertiesIn(propstat)) {
      const tag = propertyTag(property);
      if (tag !== undefined) raw.set(propertyId(tag), valuesOf(property));
    }
  }
  if (raw.size === 0) refuseFailure(failures.find((status) => status !== 404) ?? failures[0] ?? 0);
  // A property that failed for any other reason than not being there is unknown, not absent.
  const hidden = failures.find((status) => status !== 404);
  if (hidden !== undefined) refuseFailure(hidden);
  return raw;
}

function refuseFailure(status: number): void {
  if (isSuccess(status)) return;
  if (status === 404 || status === 410) throw new BridgeError('NO_DATA', 'the mailbox has published no free/busy', { details: { status } });
  if (status === 401 || status === 403) throw new BridgeError('NO_DATA', 'the free/busy message may not be read', { details: { status } });
  throw new BridgeError('NO_DATA', 'the free/busy message cannot be read', { details: { status } });
}
