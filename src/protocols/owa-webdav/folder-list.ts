import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { percentDecode } from '../../platform/http-server/raw-query.ts';
import { childText, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import { isSuccess, propertiesIn, statusIn } from './message-property.ts';
import { DAV } from './names.ts';

/** The PROPFIND body that asks a folder what folders it has. Send it with `Depth: 1`. */
export function encodeFolderListPropfind(): string {
  return writeXml(el('D:propfind', { 'xmlns:D': DAV }, el('D:prop', {}, el('D:displayname'), el('D:isfolder'))));
}

/**
 * Reads the 207: for every EX: folder the last segment of its URL as it stands there, by `folderKey` of the name that it shows and of the one that the segment spells.
 *
 * @throws BridgeError BACKEND_MALFORMED for another document, BACKEND_TOO_LARGE beyond LIMITS.webdavFolders
 */
export function decodeFolderList(root: XmlElement): ReadonlyMap<string, string> {
  if (root.name !== 'multistatus' || root.ns !== DAV) throw new BridgeError('BACKEND_MALFORMED', 'the answer is no list of folders');
  const responses = childrenNamed(root, 'response');
  if (responses.length > LIMITS.webdavFolders) throw new BridgeError('BACKEND_TOO_LARGE', 'the server has too many folders', { details: { limit: LIMITS.webdavFolders } });
  const segments = new Map<string, string>();
  for (const response of responses) {
    const overall = statusIn(response);
    const segment = segmentOf(childText(response, 'href') ?? '');
    if (segment === undefined || (overall !== undefined && !isSuccess(overall))) continue;
    const shown = childrenNamed(response, 'propstat')
      .filter((one) => isSuccess(statusIn(one) ?? 0))
      .flatMap(propertiesIn)
      .find(({ ns, name }) => ns === DAV && name === 'displayname')?.text;
    for (const name of [percentDecode(segment), shown ?? '']) {
      const key = folderKey(name);
      if (key.startsWith('ex:') && !segments.has(key)) segments.set(key, segment);
    }
  }
  return segments;
}

/** By what names are compared: case, the ways to write a `/` inside a name (`_xF8FF_`, U+F8FF itself) and Unicode's forms do not count. */
export function folderKey(name: string): string {
  return name
    .replace(/_x([0-9a-f]{4})_/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\uF8FF', '/')
    .replaceAll('\uF8FE', '\\')
    .normalize('NFC')
    .toLowerCase()
    .trim();
}

/** The last segment of a URL's path, escapes as they are; undefined for what could lead elsewhere. */
function segmentOf(href: string): string | undefined {
  const segment = /([^/?#\\]+)\/*$/.exec(href.trim())?.[1];
  if (segment === undefined || segment.length > LIMITS.legacyExchangeDnCharacters * 3 || /\p{Cc}/u.test(segment) || /^(?:\.|%2e){1,2}$/i.test(segment)) return undefined;
  return segment;
}
