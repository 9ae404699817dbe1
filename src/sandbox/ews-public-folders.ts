import { createHash } from 'node:crypto';
import { attribute, child, childrenNamed, descend } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { EwsFault } from './ews-envelope.ts';
import type { EwsAnswer } from './ews-envelope.ts';
import { scheduleItems } from './ews-schedule-items.ts';
import type { ScheduleItem, ScheduleItemOptions } from './ews-schedule-items.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import type { WritingMode } from './writing-mode.ts';

const SOURCE = 'exchange.md §3.5, captures/ews-server/getfolder-public.xml';

interface Folder {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly name: string;
}

export interface PublicFolderOptions extends ScheduleItemOptions {
  readonly writing: WritingMode;
}

const opaque = (text: string): string => createHash('sha256').update(text).digest('base64');
const ROOT = opaque('public root');

/** Root → IPM_SUBTREE and NON_IPM_SUBTREE → SCHEDULE+ FREE BUSY → EX:… */
function folders(options: PublicFolderOptions): readonly Folder[] {
  return [
    { id: ROOT, parentId: undefined, name: '' },
    { id: opaque('ipm'), parentId: ROOT, name: 'IPM_SUBTREE' },
    { id: opaque('non-ipm'), parentId: ROOT, name: 'NON_IPM_SUBTREE' },
    { id: opaque('schedule+'), parentId: opaque('non-ipm'), name: 'SCHEDULE+ FREE BUSY' },
    ...(options.writing === 'no-folder' ? [] : [{ id: opaque('ex'), parentId: opaque('schedule+'), name: `EX:${options.organisation}` }]),
  ];
}

/** The id of the folder that the messages lie in; undefined while it is missing. */
export function exFolderId(options: PublicFolderOptions): string | undefined {
  return options.writing === 'no-folder' ? undefined : opaque('ex');
}

/** The four operations by which a free/busy message is found and read; no other folder or item exists. */
export const PUBLIC_FOLDER_OPERATIONS: Readonly<Record<string, (request: XmlElement, options: PublicFolderOptions) => EwsAnswer>> = {
  GetFolder: (request, options) => {
    const ids = child(request, 'FolderIds')?.children ?? [];
    return answer('GetFolder', ids.map((id) => {
      const found = folders(options).find((one) => (id.name === 'DistinguishedFolderId' ? attribute(id, 'Id') === 'publicfoldersroot' && one.name === 'IPM_SUBTREE' : one.id === attribute(id, 'Id')));
      return found === undefined ? failure('GetFolder', 'ErrorFolderNotFound') : success('GetFolder', el('m:Folders', {}, folderNode(found, request, options)));
    }));
  },
  FindFolder: (request, options) => {
    if (attribute(request, 'Traversal') !== 'Shallow') throw new EwsFault('ErrorInvalidRequest', 'Deep traversal is not allowed in public folders.');
    return answer('FindFolder', parents(request).map((parent) => {
      if (!folders(options).some((one) => one.id === parent)) return failure('FindFolder', 'ErrorFolderNotFound');
      const found = folders(options).filter((one) => one.parentId === parent && matches(request, () => one.name));
      return success('FindFolder', el('m:RootFolder', { TotalItemsInView: String(found.length), IncludesLastItemInRange: 'true' }, el('t:Folders', {}, found.map((one) => folderNode(one, request, options)))));
    }));
  },
  FindItem: (request, options) => answer('FindItem', parents(request).map((parent) => {
    if (!folders(options).some((one) => one.id === parent)) return failure('FindItem', 'ErrorFolderNotFound');
    const found = parent === exFolderId(options) ? scheduleItems(options).filter((one) => matches(request, () => one.subject)) : [];
    return success('FindItem', el('m:RootFolder', { TotalItemsInView: String(found.length), IncludesLastItemInRange: 'true' }, el('t:Items', {}, found.map((one) => itemNode(one, request)))));
  })),
  GetItem: (request, options) => answer('GetItem', (child(request, 'ItemIds')?.children ?? []).map((id) => {
    const found = scheduleItems(options).find((one) => one.id === attribute(id, 'Id'));
    return found === undefined ? failure('GetItem', 'ErrorItemNotFound') : success('GetItem', el('m:Items', {}, itemNode(found, request)));
  })),
};

function parents(request: XmlElement): readonly string[] {
  return (child(request, 'ParentFolderIds')?.children ?? []).map((one) => (attribute(one, 'Id') === 'publicfoldersroot' ? opaque('ipm') : (attribute(one, 'Id') ?? '')));
}

/** IsEqualTo and Contains on the one text that a folder (its name) or a message (its subject) has; names compare without case. */
function matches(request: XmlElement, text: () => string): boolean {
  const restriction = child(request, 'Restriction')?.children[0];
  if (restriction === undefined) return true;
  const wanted = attribute(child(restriction, 'Constant') ?? descend(restriction, 'FieldURIOrConstant', 'Constant'), 'Value')?.toLowerCase();
  if (wanted === undefined) throw new EwsFault('ErrorInvalidRestriction', 'The restriction is not supported.');
  const actual = text().toLowerCase();
  return restriction.name === 'Contains' ? actual.includes(wanted) : actual === wanted;
}

function folderNode(folder: Folder, request: XmlElement, options: PublicFolderOptions): XmlNode {
  const children = folders(options).filter((one) => one.parentId === folder.id).length;
  const items = folder.id === opaque('ex') ? scheduleItems(options).length : 0;
  return el(
    't:Folder',
    {},
    el('t:FolderId', { Id: folder.id, ChangeKey: 'AQAAAA==' }),
    folder.parentId !== undefined && el('t:ParentFolderId', { Id: folder.parentId }),
    el('t:DisplayName', {}, folder.name),
    el('t:TotalCount', {}, items),
    el('t:ChildFolderCount', {}, children),
    wantsRights(request) && effectiveRights(options.writing === 'denied' || folder.id !== opaque('ex')),
    el('t:UnreadCount', {}, 0),
  );
}

/** They come only when asked for by name (the capture of AllProperties has none). */
function wantsRights(request: XmlElement): boolean {
  return childrenNamed(descend(request, 'FolderShape', 'AdditionalProperties'), 'FieldURI').some((one) => attribute(one, 'FieldURI') === 'folder:EffectiveRights');
}

/** Those of the account that asks; the elements and their order are the schema's. */
function effectiveRights(isReadOnly: boolean): XmlNode {
  const mayWrite = String(!isReadOnly);
  return el(
    't:EffectiveRights',
    {},
    el('t:CreateAssociated', {}, 'false'),
    el('t:CreateContents', {}, mayWrite),
    el('t:CreateHierarchy', {}, 'false'),
    el('t:Delete', {}, mayWrite),
    el('t:Modify', {}, mayWrite),
    el('t:Read', {}, 'true'),
  );
}

/** Extended properties come only when asked for, one by one; AllProperties does not bring them (Exchange's rule). */
function itemNode(item: ScheduleItem, request: XmlElement): XmlNode {
  const shape = child(request, 'ItemShape');
  const isIdOnly = child(shape, 'BaseShape')?.text.trim() === 'IdOnly';
  const additional = child(shape, 'AdditionalProperties');
  const wantsSubject = !isIdOnly || childrenNamed(additional, 'FieldURI').some((one) => attribute(one, 'FieldURI') === 'item:Subject');
  const tags = childrenNamed(additional, 'ExtendedFieldURI').map((one) => Number(attribute(one, 'PropertyTag') ?? Number.NaN));
  return el(
    't:PostItem',
    {},
    el('t:ItemId', { Id: item.id, ChangeKey: item.changeKey }),
    !isIdOnly && el('t:ItemClass', {}, 'IPM.Post'),
    wantsSubject && el('t:Subject', {}, item.subject),
    tags.map((tag) => item.property(tag)),
  );
}

function answer(operation: string, messages: readonly XmlNode[]): EwsAnswer {
  return { body: el(`m:${operation}Response`, { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:ResponseMessages', {}, messages)), source: SOURCE };
}

function success(operation: string, content: XmlNode): XmlNode {
  return el(`m:${operation}ResponseMessage`, { ResponseClass: 'Success' }, el('m:ResponseCode', {}, 'NoError'), content);
}

function failure(operation: string, code: string): XmlNode {
  return el(
    `m:${operation}ResponseMessage`,
    { ResponseClass: 'Error' },
    el('m:MessageText', {}, 'The specified object was not found in the store.'),
    el('m:ResponseCode', {}, code),
    el('m:DescriptiveLinkKey', {}, 0),
    // The schema asks for it in an answer about folders or items, even a failed one.
    operation.startsWith('Get') && el(operation === 'GetItem' ? 'm:Items' : 'm:Folders', {}),
  );
}
