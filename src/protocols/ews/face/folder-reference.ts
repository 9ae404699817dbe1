import { attribute, child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { PushedMessages } from '../../schedule-plus/pushed-messages.ts';
import { distinguishedFolder, folderOf } from './distinguished-folders.ts';
import type { Folder } from './distinguished-folders.ts';
import { schemaFault } from './faults.ts';
import type { EwsCall } from './operation.ts';
import { ownMailbox } from './own-mailbox.ts';
import { REFUSAL } from './response-messages.ts';
import type { Refusal } from './response-messages.ts';
import { decodeStoreId } from './store-id.ts';

/**
 * Where this client's free/busy messages are heard; undefined where it sees no public folders: nothing is replicated, or nobody knows for
 * which system it speaks.
 */
export function publicFolders({ services, requester }: EwsCall): PushedMessages | undefined {
  return requester.anonymous ? undefined : services.pushed;
}

/**
 * The folder that a `t:FolderId` or `t:DistinguishedFolderId` names.
 *
 * A folder in anybody else's mailbox looks the same whether there is such a mailbox or not (ErrorNonExistentMailbox). Without public folders their
 * root is ErrorNoPublicFolderReplicaAvailable, what Exchange 2007 and 2010 say where no public folder database answers; ids below it are ErrorFolderNotFound.
 *
 * @throws EwsFault ErrorSchemaValidation where the element is no such reference
 */
export function folderReferred(reference: XmlElement, call: EwsCall): Folder | Refusal {
  const id = attribute(reference, 'Id');
  if (id === undefined) throw schemaFault("The required attribute 'Id' is missing.");
  if (reference.name === 'DistinguishedFolderId') return byName(id, reference, call);
  if (reference.name !== 'FolderId') throw schemaFault('The element is no folder id.');
  const known = decodeStoreId(id);
  if (known === undefined) return REFUSAL.idMalformed;
  const folder = folderOf(known);
  return folder === undefined || (folder.isPublic && publicFolders(call) === undefined) ? REFUSAL.folderNotFound : folder;
}

export function isRefusal(one: object): one is Refusal {
  return 'code' in one;
}

function byName(name: string, reference: XmlElement, call: EwsCall): Folder | Refusal {
  if (!/^[a-z]{1,40}$/.test(name)) throw schemaFault("The 'Id' attribute is invalid.");
  const whose = childText(child(reference, 'Mailbox'), 'EmailAddress')?.toLowerCase().replace(/^smtp:/, '');
  if (whose !== undefined && whose !== ownMailbox(call.requester).toLowerCase()) return REFUSAL.noMailbox;
  const folder = distinguishedFolder(name);
  if (folder === undefined) return REFUSAL.folderNotFound;
  return folder.isPublic && publicFolders(call) === undefined ? REFUSAL.noPublicFolders : folder;
}
