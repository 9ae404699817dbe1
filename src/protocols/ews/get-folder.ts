import { BridgeError } from '../../core/errors.ts';
import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeId, onlyResponseMessage } from './folder-id.ts';
import type { EwsId } from './folder-id.ts';
import { messageElement } from './names.ts';

/**
 * Asks for `publicfoldersroot`, which is IPM_SUBTREE; what we want lies beside it. AllProperties, as Zimbra asks: the smaller
 * shapes leave ParentFolderId out.
 */
export function encodeGetPublicFoldersRoot(): XmlNode {
  return messageElement(
    'GetFolder',
    {},
    el('m:FolderShape', undefined, el('t:BaseShape', undefined, 'AllProperties')),
    el('m:FolderIds', undefined, el('t:DistinguishedFolderId', { Id: 'publicfoldersroot' })),
  );
}

/** The folder above `publicfoldersroot`: the root of the public folder tree. @throws BridgeError */
export function decodeGetFolderParent(body: XmlElement): EwsId {
  const folder = child(onlyResponseMessage(body, 'GetFolder'), 'Folders')?.children[0];
  const parent = decodeId(folder, 'ParentFolderId');
  if (parent === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer does not name the public folder root');
  return parent;
}
