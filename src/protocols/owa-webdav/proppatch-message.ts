import { BridgeError } from '../../core/errors.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import type { EncodedMessage, MessageProperty } from '../schedule-plus/encode-free-busy-message.ts';
import { WRITTEN_TAGS } from '../schedule-plus/properties.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { propertiesIn, propertyId, propertyName, propertyTag, valuesOf } from './message-property.ts';
import { DATATYPES, DAV, MAPI, MULTI_VALUE, PROPTAG } from './names.ts';

/**
 * The PROPPATCH body that creates or replaces a free/busy message in one request: exchange.md §2.2. Every value is typed by `dt`, which
 * Exchange needs for everything but text; what is to vanish is removed after what is set, and only where there is such.
 */
export function encodeMessageProppatch(message: EncodedMessage): string {
  const removed = message.removed.map((tag) => el(elementName(tag)));
  return writeXml(
    el(
      'D:propertyupdate',
      { 'xmlns:D': DAV, 'xmlns:p': PROPTAG, 'xmlns:m': MAPI, 'xmlns:t': DATATYPES, 'xmlns:x': MULTI_VALUE },
      el('D:set', {}, el('D:prop', {}, message.set.map(propertyElement))),
      removed.length > 0 && el('D:remove', {}, el('D:prop', {}, removed)),
    ),
  );
}

/** What somebody's PROPPATCH says. */
export interface MessageUpdate {
  readonly raw: RawProperties;
  /** 16-bit ids of what it takes away. */
  readonly removed: ReadonlySet<number>;
  /** 32-bit tags of all of it, in order, each once. */
  readonly tags: readonly number[];
}

/**
 * Reads a PROPPATCH body, whoever wrote it: Zimbra's names begin with `0x`, its numbers are hexadecimal, its values empty
 * (zimbra-measured.md §3). In document order, as the server would do it; elements that are no properties by tag are left out.
 *
 * @throws BridgeError INVALID_REQUEST where it is no propertyupdate, or nothing at all
 */
export function decodeMessageProppatch(root: XmlElement | undefined): MessageUpdate {
  if (root?.name !== 'propertyupdate' || root.ns !== DAV) throw new BridgeError('INVALID_REQUEST', 'this is no PROPPATCH of a free/busy message');
  const raw = new Map<number, readonly string[]>();
  const removed = new Set<number>();
  const tags = new Set<number>();
  for (const block of root.children) {
    const isSet = block.name === 'set';
    if (!isSet && block.name !== 'remove') continue;
    for (const property of propertiesIn(block)) {
      const tag = propertyTag(property);
      if (tag === undefined) continue;
      tags.add(tag);
      const id = propertyId(tag);
      if (isSet) raw.set(id, valuesOf(property));
      else raw.delete(id);
      if (isSet) removed.delete(id);
      else removed.add(id);
    }
  }
  return { raw, removed, tags: [...tags] };
}

function propertyElement({ tag, values }: MessageProperty): XmlNode {
  const dt = DATATYPE_OF[tag & 0xffff];
  const isMulti = dt?.startsWith('mv.') === true;
  return el(elementName(tag), { 't:dt': dt }, isMulti ? values.map((value) => el('x:v', {}, value)) : values);
}

function elementName(tag: number): string {
  return tag === WRITTEN_TAGS.subject ? 'm:subject' : `p:${propertyName(tag)}`;
}

/** MAPI type → `dt`; text is the default and has none. */
const DATATYPE_OF: Readonly<Record<number, string | undefined>> = {
  0x0003: 'int',
  0x000b: 'boolean',
  0x0040: 'dateTime.tz',
  0x0102: 'bin.base64',
  0x1003: 'mv.int',
  0x101f: 'mv.string',
  0x1102: 'mv.bin.base64',
};
