import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { XmlText, xml, xmlDocument } from '../../../platform/xml/write.ts';
import { DATATYPES, DAV } from '../names.ts';
import { folderProperties } from './folder-properties.ts';
import type { FolderProperty, PropertyName } from './folder-properties.ts';
import type { Folder } from './folder.ts';

/** What a PROPFIND wants to know of each folder: all there is, the names only, or these. */
export type Wanted = 'all' | 'names' | readonly PropertyName[];

/**
 * Reads the body of a PROPFIND (RFC 4918 §9.1); none at all means everything.
 *
 * @throws BridgeError INVALID_REQUEST
 */
export function decodeFolderPropfind(root: XmlElement | undefined): Wanted {
  if (root === undefined) return 'all';
  if (root.name !== 'propfind' || root.ns !== DAV) throw new BridgeError('INVALID_REQUEST', 'the body is no propfind');
  const prop = child(root, 'prop');
  if (prop !== undefined) {
    if (prop.children.length > LIMITS.owaProperties) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.owaProperties} properties`);
    if (prop.children.reduce((sum, { ns, name }) => sum + ns.length + name.length, 0) > LIMITS.owaPropertyCharacters) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.owaPropertyCharacters} characters of names`);
    return prop.children.map(({ ns, name }) => ({ ns, name }));
  }
  if (child(root, 'propname') !== undefined) return 'names';
  if (child(root, 'allprop') !== undefined) return 'all';
  throw new BridgeError('INVALID_REQUEST', 'the propfind asks for nothing');
}

/**
 * The folders that a `Depth` reaches, `noroot` as Exchange knows it. `infinity` (also where there is none, RFC 4918 §9.1) goes no further than 1:
 * there are no folders in folders.
 *
 * @throws BridgeError INVALID_REQUEST
 */
export function foldersWithin(folder: Folder, depth: string | undefined): readonly Folder[] {
  const [reach, ...more] = (depth ?? 'infinity').toLowerCase().split(',').map((one) => one.trim());
  const withoutRoot = more.length === 1 && more[0] === 'noroot';
  if ((more.length > 0 && !withoutRoot) || !['0', '1', 'infinity'].includes(reach!)) throw new BridgeError('INVALID_REQUEST', 'no such depth');
  if (reach === '0') return [folder];
  return withoutRoot ? folder.children : [folder, ...folder.children];
}

/**
 * The 207 as Exchange 2003 lays it out: status before prop, what is not there in a second propstat with 404 (exchange.md §2.3), or not mentioned where
 * the client wants it brief (`Brief: t`, §2.2).
 *
 * @param root the server's URL, without a slash at its end
 */
export function encodeFolderMultistatus(folders: readonly Folder[], wanted: Wanted, root: string, isBrief: boolean): string {
  const responses = folders.map((folder) => {
    const known = new Map(folderProperties(folder, root).map((one) => [keyOf(one), one]));
    const found: FolderProperty[] = [];
    const missing: PropertyName[] = [];
    for (const name of typeof wanted === 'string' ? known.values() : unique(wanted)) {
      const property = known.get(keyOf(name));
      if (property === undefined) missing.push(name);
      else found.push(wanted === 'names' ? { ns: property.ns, name: property.name, value: '' } : property);
    }
    const there = found.length > 0 || missing.length === 0 ? propstat('200 OK', found.map(element)) : xml``;
    const absent = missing.length > 0 && !isBrief ? propstat('404 Resource Not Found', missing.map((one) => element({ ...one, value: '' }))) : xml``;
    return xml`<a:response><a:href>${root + folder.path}</a:href>${there}${absent}</a:response>`;
  });
  return multistatus(responses);
}

/** A 207 about these responses; none: nothing was found. */
export function multistatus(responses: readonly XmlText[]): string {
  return xmlDocument(xml`<a:multistatus xmlns:a="${DAV}" xmlns:b="${DATATYPES}">${responses}</a:multistatus>`);
}

function propstat(status: string, properties: readonly XmlText[]): XmlText {
  return xml`<a:propstat><a:status>HTTP/1.1 ${status}</a:status><a:prop>${properties}</a:prop></a:propstat>`;
}

/** One property, its namespace bound where it stands: only the client knows how many there will be. */
function element({ ns, name, value, type }: FolderProperty): XmlText {
  const attribute = type === undefined ? xml`` : xml` b:dt="${type}"`;
  if (ns === DAV) return xml`<a:${raw(name)}${attribute}>${value}</a:${raw(name)}>`;
  const binding = ns === '' ? xml` xmlns=""` : xml` xmlns:p="${ns}"`;
  const tag = raw(ns === '' ? name : `p:${name}`);
  return xml`<${tag}${binding}${attribute}>${value}</${tag}>`;
}

/** Of what a client sent, only names reach this, and of these only what XML allows (`unique`). */
function raw(text: string): XmlText {
  return new XmlText(text);
}

/** Each name once. What cannot be written back (`0x68470003`, a namespace that belongs to XML itself) is passed over: there is no such property here. */
function unique(names: readonly PropertyName[]): readonly PropertyName[] {
  const writable = names.filter(({ ns, name }) => /^[A-Za-z_][\w.-]*$/.test(name) && !ns.startsWith('http://www.w3.org/'));
  return [...new Map(writable.map((one) => [keyOf(one), one])).values()];
}

function keyOf({ ns, name }: PropertyName): string {
  return `${ns} ${name}`;
}
