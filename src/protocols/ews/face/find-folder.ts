import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { childrenOf, organisationFolder } from './distinguished-folders.ts';
import type { Folder } from './distinguished-folders.ts';
import { folderReferred, isRefusal } from './folder-reference.ts';
import { decodeFolderShape, encodeFolder } from './folder-shape.ts';
import { decodeNameRestriction } from './name-restriction.ts';
import type { NameRestriction } from './name-restriction.ts';
import type { EwsOperationFace } from './operation.ts';
import { given, listOf, refused, responseOf } from './response-messages.ts';

/**
 * FindFolder: nothing in a mailbox, and the way to the free/busy messages in the public folders (exchange.md §3.5). The answer always has a
 * RootFolder: a stock Zimbra dies without one, and then tries again for ever (ews-server-measured.md).
 */
export const findFolder: EwsOperationFace = async (request, call) => {
  const shape = decodeFolderShape(request);
  const restriction = decodeNameRestriction(request);
  const messages = listOf(request, 'ParentFolderIds').map((reference) => {
    const parent = folderReferred(reference, call);
    if (isRefusal(parent)) return refused('FindFolder', parent);
    const found = childrenNamed(parent, restriction).map((folder) => encodeFolder(folder, shape, call.version));
    return given('FindFolder', encodeRootFolder('t:Folders', found));
  });
  return responseOf('FindFolder', messages);
};

/** `m:RootFolder` with everything there is. */
export function encodeRootFolder(list: string, found: readonly XmlNode[]): XmlNode {
  return el('m:RootFolder', { TotalItemsInView: String(found.length), IncludesLastItemInRange: 'true' }, el(list, undefined, found));
}

function childrenNamed(parent: Folder, restriction: NameRestriction | 'nothing' | undefined): readonly Folder[] {
  if (restriction === 'nothing') return [];
  const fixed = childrenOf(parent).filter(({ displayName }) => restriction?.matches(displayName) ?? true);
  if (restriction === undefined || parent.id.kind !== 'folder' || parent.id.name !== 'schedulefreebusy') return fixed;
  // Zimbra asks for a name that contains its organisation, everybody else for `EX:` and the organisation.
  const folder = organisationFolder(restriction.text.replace(/^EX:/i, ''));
  return folder !== undefined && restriction.matches(folder.displayName) ? [folder] : [];
}
