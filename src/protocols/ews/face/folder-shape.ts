import { attribute, childText, descend } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { decodePropertyId } from '../extended-property.ts';
import type { Folder } from './distinguished-folders.ts';
import { schemaFault } from './faults.ts';
import { required } from './response-messages.ts';
import { isAtLeast } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';
import { encodeStoreId } from './store-id.ts';
import type { StoreId } from './store-id.ts';

/** Which properties of a folder are wanted; those we do not have are left out, as Exchange does with what a folder lacks. */
export interface FolderShape {
  /** By the names of their elements. */
  readonly elements: ReadonlySet<string>;
  /** Extended properties by their 16-bit ids. */
  readonly extended: ReadonlySet<number>;
}

const BASE_SHAPES: Readonly<Record<string, readonly string[]>> = {
  IdOnly: ['FolderId'],
  Default: ['FolderId', 'DisplayName', 'TotalCount', 'ChildFolderCount', 'UnreadCount'],
  AllProperties: ['FolderId', 'ParentFolderId', 'FolderClass', 'DisplayName', 'TotalCount', 'ChildFolderCount', 'EffectiveRights', 'DistinguishedFolderId', 'UnreadCount'],
};

/** Reads `m:FolderShape`. @throws EwsFault ErrorSchemaValidation */
export function decodeFolderShape(request: XmlElement): FolderShape {
  const shape = required(request, 'FolderShape');
  const base = Object.hasOwn(BASE_SHAPES, childText(shape, 'BaseShape') ?? '') ? BASE_SHAPES[childText(shape, 'BaseShape')!]! : undefined;
  if (base === undefined) throw schemaFault("The 'BaseShape' element is invalid.");
  const more = descend(shape, 'AdditionalProperties')?.children ?? [];
  const fields = more.map((field) => /^folder:(\w{1,40})$/.exec(attribute(field, 'FieldURI') ?? '')?.[1]);
  const extended = more.filter(({ name }) => name === 'ExtendedFieldURI').map(decodePropertyId);
  return { elements: new Set([...base, ...fields.filter((one) => one !== undefined)]), extended: new Set(extended.filter((one) => one !== undefined)) };
}

/** The folder in the order of the schema (BaseFolderType, then UnreadCount of FolderType). */
export function encodeFolder(folder: Folder, { elements, extended }: FolderShape, version: SchemaVersion): XmlNode {
  const hasUnread = folder.element === 'Folder' || folder.element === 'TasksFolder';
  const wants = (name: string, text: string | number | undefined): XmlNode | false => elements.has(name) && text !== undefined && el(`t:${name}`, undefined, text);
  return el(
    `t:${folder.element}`,
    undefined,
    encodeFolderId('t:FolderId', folder.id),
    elements.has('ParentFolderId') && folder.parent !== undefined && encodeFolderId('t:ParentFolderId', folder.parent),
    wants('FolderClass', folder.folderClass),
    wants('DisplayName', folder.displayName),
    wants('TotalCount', 0),
    wants('ChildFolderCount', folder.childFolders),
    EXTENDED.map((one) => extended.has(one.id) && encodeExtended(folder, one)),
    elements.has('EffectiveRights') && encodeRights(folder),
    isAtLeast(version, 'Exchange2013') && wants('DistinguishedFolderId', folder.distinguished),
    hasUnread && wants('UnreadCount', 0),
  );
}

/** Nothing ever changed since then. */
const ALWAYS = '2000-01-01T00:00:00Z';

interface ExtendedProperty {
  readonly id: number;
  readonly type: 'SystemTime' | 'Boolean' | 'Integer' | 'String';
  readonly of: (folder: Folder) => string | undefined;
}

/**
 * MAPI properties of a folder: made, changed and last committed at, how much is in it, of which kind it is. DavMail asks by tag for what it could ask by
 * name: it makes its ctag of 0x670a (and answers a calendar program with an error without it), and takes no folder for a calendar without 0x3613.
 */
const EXTENDED: readonly ExtendedProperty[] = [
  { id: 0x3007, type: 'SystemTime', of: () => ALWAYS },
  { id: 0x3008, type: 'SystemTime', of: () => ALWAYS },
  { id: 0x670a, type: 'SystemTime', of: () => ALWAYS },
  { id: 0x3602, type: 'Integer', of: () => '0' },
  { id: 0x3603, type: 'Integer', of: () => '0' },
  { id: 0x360a, type: 'Boolean', of: ({ childFolders }) => String(childFolders > 0) },
  { id: 0x3613, type: 'String', of: ({ folderClass }) => folderClass },
];

/** With small digits, as Exchange writes them: DavMail looks for `0x670a` and for nothing else. */
function encodeExtended(folder: Folder, { id, type, of }: ExtendedProperty): XmlNode | false {
  const value = of(folder);
  const field = el('t:ExtendedFieldURI', { PropertyTag: `0x${id.toString(16)}`, PropertyType: type });
  return value !== undefined && el('t:ExtendedProperty', undefined, field, el('t:Value', undefined, value));
}

/** `FolderId` or `ParentFolderId`. Nothing ever changes, so there is one ChangeKey. */
export function encodeFolderId(name: string, id: StoreId): XmlNode {
  return el(name, { Id: encodeStoreId(id), ChangeKey: CHANGE_KEY });
}

/** Base64 of a version that never changes. */
export const CHANGE_KEY = 'AQAAAA==';

function encodeRights({ takesMessages }: Folder): XmlNode {
  const right = (name: string, has: boolean): XmlNode => el(`t:${name}`, undefined, String(has));
  return el(
    't:EffectiveRights',
    undefined,
    right('CreateAssociated', false),
    right('CreateContents', takesMessages),
    right('CreateHierarchy', false),
    right('Delete', false),
    right('Modify', takesMessages),
    right('Read', true),
  );
}
