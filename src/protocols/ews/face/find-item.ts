import { child } from '../../../platform/xml/element.ts';
import { encodeRootFolder } from './find-folder.ts';
import { folderReferred, isRefusal } from './folder-reference.ts';
import type { EwsOperationFace } from './operation.ts';
import { given, listOf, refused, required, responseOf } from './response-messages.ts';

/** FindItem: every folder is empty, that of the free/busy messages too: nothing of what is pushed is kept, so a Zimbra makes its message anew each time. */
export const findItem: EwsOperationFace = async (request, call) => {
  required(request, 'ItemShape');
  const isGrouped = child(request, 'GroupBy') !== undefined || child(request, 'DistinguishedGroupBy') !== undefined;
  const messages = listOf(request, 'ParentFolderIds').map((reference) => {
    const folder = folderReferred(reference, call);
    return isRefusal(folder) ? refused('FindItem', folder) : given('FindItem', encodeRootFolder(isGrouped ? 't:Groups' : 't:Items', []));
  });
  return responseOf('FindItem', messages);
};
