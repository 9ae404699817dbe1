import { child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { onlyResponseMessage } from '../folder-id.ts';
import { messageElement } from '../names.ts';

/** GetFolder for the calendar of whoever is impersonated, with its name only. */
export function encodeGetCalendarFolder(): XmlNode {
  return messageElement(
    'GetFolder',
    {},
    el('m:FolderShape', undefined, el('t:BaseShape', undefined, 'IdOnly'), el('t:AdditionalProperties', undefined, el('t:FieldURI', { FieldURI: 'folder:DisplayName' }))),
    el('m:FolderIds', undefined, el('t:DistinguishedFolderId', { Id: 'calendar' })),
  );
}

/** Its display name, in whatever language; undefined where the server does not say. @throws BridgeError */
export function decodeCalendarFolder(body: XmlElement): string | undefined {
  const folder = child(onlyResponseMessage(body, 'GetFolder'), 'Folders')?.children[0];
  return childText(folder, 'DisplayName')?.slice(0, LONGEST_NAME);
}

const LONGEST_NAME = 255;
