import { childText, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeId, encodeIsEqualTo, encodeParentFolder, onlyResponseMessage } from './folder-id.ts';
import type { EwsId } from './folder-id.ts';
import { messageElement } from './names.ts';

/** Asks for the child folder of that name. Shallow: Exchange allows no deep search in public folders. */
export function encodeFindFolder(parent: EwsId, displayName: string): XmlNode {
  return messageElement(
    'FindFolder',
    { Traversal: 'Shallow' },
    el(
      'm:FolderShape',
      undefined,
      el('t:BaseShape', undefined, 'IdOnly'),
      el('t:AdditionalProperties', undefined, el('t:FieldURI', { FieldURI: 'folder:DisplayName' })),
    ),
    el('m:Restriction', undefined, encodeIsEqualTo('folder:DisplayName', displayName)),
    encodeParentFolder(parent),
  );
}

/**
 * The folder of that name, compared without case; undefined where there is none. grommunio leaves RootFolder out when
 * nothing was found (Zimbra's own provider dies of it). @throws BridgeError
 */
export function decodeFindFolder(body: XmlElement, displayName: string): EwsId | undefined {
  const folders = descend(onlyResponseMessage(body, 'FindFolder'), 'RootFolder', 'Folders')?.children ?? [];
  const found = folders.find((one) => childText(one, 'DisplayName')?.toLowerCase() === displayName.toLowerCase());
  return decodeId(found, 'FolderId');
}
