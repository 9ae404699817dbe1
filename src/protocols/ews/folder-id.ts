import { BridgeError } from '../../core/errors.ts';
import { attribute, child, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeResponseMessageError } from './response-message.ts';

/** `Id` of a FolderId or ItemId: opaque, valid at the server that gave it. Folders and readers need no ChangeKey. */
export type EwsId = string;

/** An item as FindItem names it. The ChangeKey says which version was seen; writes want it, though they overwrite. */
export interface ItemId {
  readonly id: EwsId;
  readonly changeKey: string | undefined;
}

/** The Id of the named child (`FolderId`, `ParentFolderId`, `ItemId`), where there is one. */
export function decodeId(element: XmlElement | undefined, name: string): EwsId | undefined {
  const id = attribute(child(element, name), 'Id');
  return id === undefined || id === '' ? undefined : id;
}

/** The ItemId of an item, where it has one. */
export function decodeItemId(item: XmlElement | undefined): ItemId | undefined {
  const id = decodeId(item, 'ItemId');
  return id === undefined ? undefined : { id, changeKey: attribute(child(item, 'ItemId'), 'ChangeKey') };
}

/** `t:ItemId` */
export function encodeItemId({ id, changeKey }: ItemId): XmlNode {
  return el('t:ItemId', { Id: id, ChangeKey: changeKey });
}

/** `m:ParentFolderIds` with one folder in it. */
export function encodeParentFolder(parent: EwsId): XmlNode {
  return el('m:ParentFolderIds', undefined, el('t:FolderId', { Id: parent }));
}

/** `field` (a FieldURI as `folder:DisplayName`) equals `value`; Exchange compares without case here, grommunio with it. */
export function encodeIsEqualTo(field: string, value: string): XmlNode {
  return el(
    't:IsEqualTo',
    undefined,
    el('t:FieldURI', { FieldURI: field }),
    el('t:FieldURIOrConstant', undefined, el('t:Constant', { Value: value })),
  );
}

/**
 * The one response message of an operation that was asked about one thing.
 *
 * @throws BridgeError as its ResponseCode says, or BACKEND_MALFORMED where there is none
 */
export function onlyResponseMessage(body: XmlElement, operation: string): XmlElement {
  const messages = responseMessages(body, operation);
  if (messages.length !== 1) throw new BridgeError('BACKEND_MALFORMED', 'the answer holds no response message');
  const error = decodeResponseMessageError(messages[0]);
  if (error !== undefined) throw error;
  return messages[0]!;
}

/** All response messages of an operation, in the order of what was asked. */
export function responseMessages(body: XmlElement, operation: string): readonly XmlElement[] {
  return descend(body, `${operation}Response`, 'ResponseMessages')?.children ?? [];
}
