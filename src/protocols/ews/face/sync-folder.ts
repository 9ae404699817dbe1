import { child, childText } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import { distinguishedFolder } from './distinguished-folders.ts';
import { folderReferred, isRefusal } from './folder-reference.ts';
import { schemaFault } from './faults.ts';
import type { EwsOperationFace } from './operation.ts';
import { given, REFUSAL, refused, required, responseOf } from './response-messages.ts';
import { encodeStoreId } from './store-id.ts';

/** SyncFolderHierarchy: no folder below any other ever comes or goes. Without a SyncFolderId the mailbox as a whole is meant. */
export const syncFolderHierarchy: EwsOperationFace = syncOf('SyncFolderHierarchy', 'FolderShape', 'IncludesLastFolderInRange');

/** SyncFolderItems: no folder ever holds anything. */
export const syncFolderItems: EwsOperationFace = syncOf('SyncFolderItems', 'ItemShape', 'IncludesLastItemInRange');

/** The SyncState names operation and folder and nothing else, so it holds for ever; one that is not of this folder and operation is refused, as Exchange does. */
function syncOf(operation: string, shape: string, includesLast: string): EwsOperationFace {
  return async (request, call) => {
    required(request, shape);
    const most = childText(request, 'MaxChangesReturned');
    // MaxSyncChangesReturnedType of the schema.
    if (most !== undefined && !(/^\d{1,3}$/.test(most) && Number(most) >= 1 && Number(most) <= 512)) throw schemaFault("The 'MaxChangesReturned' element is invalid.");
    const reference = (operation === 'SyncFolderItems' ? required(request, 'SyncFolderId') : child(request, 'SyncFolderId'))?.children[0];
    const folder = reference === undefined ? distinguishedFolder('root')! : folderReferred(reference, call);
    if (isRefusal(folder)) return responseOf(operation, [refused(operation, folder)]);
    const state = Buffer.from(`${operation} ${encodeStoreId(folder.id)}`).toString('base64');
    const known = childText(request, 'SyncState') ?? '';
    if (known !== '' && known !== state) return responseOf(operation, [refused(operation, REFUSAL.syncState)]);
    return responseOf(operation, [given(operation, el('m:SyncState', undefined, state), el(`m:${includesLast}`, undefined, 'true'), el('m:Changes'))]);
  };
}
