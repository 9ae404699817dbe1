import { el } from '../../../platform/xml/write.ts';
import { folderReferred, isRefusal } from './folder-reference.ts';
import { decodeFolderShape, encodeFolder } from './folder-shape.ts';
import type { EwsOperationFace } from './operation.ts';
import { given, listOf, refused, responseOf } from './response-messages.ts';

/** GetFolder: the fixed folders of a mailbox, all of them empty, and the public folders down to the free/busy messages. */
export const getFolder: EwsOperationFace = async (request, call) => {
  const shape = decodeFolderShape(request);
  const messages = listOf(request, 'FolderIds').map((reference) => {
    const folder = folderReferred(reference, call);
    if (isRefusal(folder)) return refused('GetFolder', folder, el('m:Folders'));
    return given('GetFolder', el('m:Folders', undefined, encodeFolder(folder, shape, call.version)));
  });
  return responseOf('GetFolder', messages);
};
