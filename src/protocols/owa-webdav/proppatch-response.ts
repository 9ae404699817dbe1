import { BridgeError } from '../../core/errors.ts';
import { childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { WRITTEN_TAGS } from '../schedule-plus/properties.ts';
import { isSuccess, propertiesIn, propertyId, propertyName, propertyTag, statusIn } from './message-property.ts';
import { DAV, MAPI, PROPTAG } from './names.ts';

/** Something that the server did not do. */
export interface PropertyRefusal {
  /** `x68541102`; undefined where the whole message was refused, or something that has no name. */
  readonly property: string | undefined;
  readonly status: number;
}

/**
 * Reads the 207 of a PROPPATCH: every propstat, because 207 says nothing of success (exchange.md §2.2). Empty: everything was accepted.
 *
 * - A 2xx of the response without propstats, and a 2xx propstat without properties (the answer that zimbra.md §4.4 calls minimal), speak for all.
 * - A property to be set that nothing speaks for makes the answer unreadable: perhaps it was dropped. One to be removed may go unmentioned,
 *   and may be 404: it was not there (RFC 4918 §14.23).
 * - 424 means that another failed; both are listed, that other one even where it is a 404 of a removal.
 *
 * @throws BridgeError BACKEND_MALFORMED when it is no multistatus of one, a status cannot be read, or a property is left out
 */
export function decodeProppatchResponse(root: XmlElement, message: Pick<EncodedMessage, 'set' | 'removed'>): readonly PropertyRefusal[] {
  const responses = childrenNamed(root, 'response');
  const response = responses[0];
  if (root.name !== 'multistatus' || response === undefined || responses.length > 1) throw malformed('the answer is not about one message');
  const overall = statusIn(response);
  if (overall !== undefined && !isSuccess(readable(overall))) return [{ property: undefined, status: overall }];
  const propstats = childrenNamed(response, 'propstat');
  if (propstats.length === 0 && overall === undefined) throw malformed('the answer says nothing of the message');

  const toRemove = new Set(message.removed.map(propertyId));
  const spokenFor = new Set<number>();
  const refused: PropertyRefusal[] = [];
  const absent: PropertyRefusal[] = [];
  let forAll = propstats.length === 0;
  for (const propstat of propstats) {
    const status = readable(statusIn(propstat));
    const properties = propertiesIn(propstat);
    if (isSuccess(status)) {
      if (properties.length === 0) forAll = true;
    } else if (properties.length === 0) {
      refused.push({ property: undefined, status });
    }
    for (const property of properties) {
      const tag = propertyTag(property);
      const id = tag === undefined ? undefined : propertyId(tag);
      if (id !== undefined) spokenFor.add(id);
      if (isSuccess(status)) continue;
      const isAbsent = id !== undefined && toRemove.has(id) && (status === 404 || status === 410);
      (isAbsent ? absent : refused).push({ property: tag === undefined ? undefined : propertyName(tag), status });
    }
  }
  if (refused.some((one) => one.status === FAILED_DEPENDENCY)) return [...absent, ...refused];
  if (refused.length > 0) return refused;
  const unmentioned = forAll ? undefined : message.set.find((one) => !spokenFor.has(propertyId(one.tag)));
  if (unmentioned !== undefined) throw malformed('the answer leaves a property out', { property: propertyName(unmentioned.tag) });
  return [];
}

/** RFC 4918 §11.4: not done because something else failed. */
export const FAILED_DEPENDENCY = 424;

/** What is answered to a PROPPATCH of `href`: every property of it, or with another status than 200 the whole. */
export function encodeProppatchResponse(href: string, status: 200 | 404, tags: readonly number[]): string {
  const line = el('a:status', {}, status === 200 ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 404 Not Found');
  const names = tags.map((tag) => el(tag === WRITTEN_TAGS.subject ? 'd:subject' : `e:${propertyName(tag)}`));
  const outcome = status === 200 ? el('a:propstat', {}, line, el('a:prop', {}, names)) : line;
  return writeXml(el('a:multistatus', { 'xmlns:a': DAV, 'xmlns:d': MAPI, 'xmlns:e': PROPTAG }, el('a:response', {}, el('a:href', {}, href), outcome)));
}

function readable(status: number | undefined): number {
  if (status === undefined || status === 0) throw malformed('a status of the answer cannot be read');
  return status;
}

function malformed(message: string, details: Readonly<Record<string, string>> = {}): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', message, { details: { status: 207, ...details } });
}
