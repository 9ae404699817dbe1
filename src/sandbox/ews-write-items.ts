import { randomBytes } from 'node:crypto';
import { attribute, child, childrenNamed } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { EwsFault } from './ews-envelope.ts';
import type { EwsAnswer } from './ews-envelope.ts';
import { EwsItemError, readExtendedProperty, readFieldUri } from './ews-extended-property.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import { exFolderId } from './ews-public-folders.ts';
import type { PublicFolderOptions } from './ews-public-folders.ts';
import { changeKeyOf, idOfOwn, subjectOfOwn } from './ews-schedule-items.ts';
import type { PropertyChange, StoredMessage, WriteOperation } from './message-folder.ts';
import { ID } from './written-property.ts';
import type { WrittenProperty } from './written-property.ts';
import type { Refusal } from './written-message.ts';
import { BUSY_MS, refusedByCommand } from './writing-mode.ts';

const SOURCE = 'exchange.md §3.5';

/** The order of the schema, of what a free/busy message may have (Types.xsd, ItemType). */
const POST_ITEM_ORDER = ['ItemClass', 'Subject', 'Sensitivity', 'Body', 'ExtendedProperty'];

/** The operations that change the EX: folder. */
export const WRITE_OPERATIONS: Readonly<Record<string, (request: XmlElement, options: PublicFolderOptions) => EwsAnswer>> = {
  CreateItem(request, options) {
    if (attribute(request, 'MessageDisposition') !== 'SaveOnly') throw invalidSchema('MessageDisposition');
    const [folder, items] = inOrder(request, 'SavedItemFolderId', 'Items');
    return answer('CreateItem', items.children.map((item) => attempt('CreateItem', options, () => {
      if (attribute(folder.children[0], 'Id') !== exFolderId(options)) throw new EwsItemError('ErrorFolderNotFound', 'The specified folder could not be found in the store.');
      if (options.writing === 'denied') throw new EwsItemError('ErrorCreateItemAccessDenied', 'Access is denied. Check credentials and try again.');
      if (item.name !== 'PostItem') throw new EwsItemError('ErrorInvalidItemForOperationCreateItem', 'Operation CreateItem is not supported for this item here.');
      return saved(options, randomBytes(24).toString('base64'), { set: readPostItem(item), remove: [] }, 'CreateItem');
    })));
  },
  UpdateItem(request, options) {
    const resolution = attribute(request, 'ConflictResolution');
    if (!['NeverOverwrite', 'AutoResolve', 'AlwaysOverwrite'].includes(resolution ?? '') || attribute(request, 'MessageDisposition') !== 'SaveOnly') throw invalidSchema('ConflictResolution or MessageDisposition');
    const [changes] = inOrder(request, 'ItemChanges');
    return answer('UpdateItem', changes.children.map((change) => attempt('UpdateItem', options, () => {
      const [id, updates] = inOrder(change, 'ItemId', 'Updates');
      const stored = writtenItem(id, options);
      if (resolution !== 'AlwaysOverwrite' && attribute(id, 'ChangeKey') !== changeKeyOf(stored)) throw new EwsItemError('ErrorIrresolvableConflict', 'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.');
      return saved(options, stored.key, readUpdates(updates), 'UpdateItem');
    })));
  },
  DeleteItem(request, options) {
    if (!['HardDelete', 'SoftDelete', 'MoveToDeletedItems'].includes(attribute(request, 'DeleteType') ?? '')) throw invalidSchema('DeleteType');
    const [ids] = inOrder(request, 'ItemIds');
    return answer('DeleteItem', ids.children.map((id) => attempt('DeleteItem', options, () => {
      options.folder.remove(writtenItem(id, options).key, 'DeleteItem');
      return undefined;
    })));
  },
};

/** Exactly these children, in this order. @throws EwsFault ErrorSchemaValidation */
function inOrder(element: XmlElement, ...names: readonly string[]): readonly [XmlElement, XmlElement] {
  if (element.children.map((one) => one.name).join() !== names.join()) throw invalidSchema(element.name);
  return element.children as readonly [XmlElement, XmlElement];
}

function invalidSchema(where: string): EwsFault {
  return new EwsFault('ErrorSchemaValidation', `The request failed schema validation: ${where}.`);
}

/** @throws EwsItemError when it is not there, or not one that was written from outside */
function writtenItem(id: XmlElement, options: PublicFolderOptions): StoredMessage {
  if (options.writing === 'denied') throw new EwsItemError('ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  const key = attribute(id, 'Id') ?? '';
  const stored = options.writing === 'no-folder' ? undefined : options.folder.find(key);
  if (stored !== undefined) return stored;
  const isOwn = options.calendars.mailboxes().some(({ address }) => idOfOwn(address) === key);
  // Not in any source: nobody writes about the people of this Exchange.
  throw isOwn ? new EwsItemError('ErrorAccessDenied', 'Access is denied. Check credentials and try again.') : new EwsItemError('ErrorItemNotFound', 'The specified object was not found in the store.');
}

function readPostItem(item: XmlElement): readonly WrittenProperty[] {
  const places = item.children.map((one) => POST_ITEM_ORDER.indexOf(one.name));
  if (item.ns !== TYPES_NS || places.some((place, index) => place === -1 || place < (places[index - 1] ?? 0))) throw invalidSchema('PostItem');
  if ((child(item, 'ItemClass')?.text ?? 'IPM.Post') !== 'IPM.Post') throw new EwsItemError('ErrorInvalidPropertySet', 'A free/busy message is of class IPM.Post.');
  return distinct([...subjectProperties(child(item, 'Subject')), ...childrenNamed(item, 'ExtendedProperty').map(readExtendedProperty)]);
}

function readUpdates(updates: XmlElement): PropertyChange {
  const set: WrittenProperty[] = [];
  const remove: number[] = [];
  for (const update of updates.children) {
    const [path, item] = update.children;
    const isRemoval = update.name === 'DeleteItemField' && item === undefined;
    if (!isRemoval && !(update.name === 'SetItemField' && update.children.length === 2)) throw invalidSchema(update.name);
    if (path?.name === 'FieldURI' && attribute(path, 'FieldURI') === 'item:Subject' && !isRemoval) set.push(...subjectProperties(child(item, 'Subject')));
    // Zimbra writes the abstract `Path` here, which the schema refuses (zimbra-measured.md §5).
    else if (path?.name !== 'ExtendedFieldURI') throw invalidSchema(`${update.name} of ${path?.name ?? 'nothing'}`);
    else if (isRemoval) remove.push(readFieldUri(path).id);
    else set.push(readSet(path, item!));
  }
  if (set.length + remove.length === 0) throw invalidSchema('Updates');
  const ids = [...set.map((one) => one.id), ...remove];
  if (new Set(ids).size < ids.length) throw new EwsItemError('ErrorIncorrectUpdatePropertyCount', 'A property is named twice.');
  return { set, remove };
}

function readSet(path: XmlElement, item: XmlElement): WrittenProperty {
  if (!['PostItem', 'Item'].includes(item.name)) throw invalidSchema(`SetItemField with ${item.name}`);
  const [element, ...more] = item.children;
  if (element?.name !== 'ExtendedProperty' || more.length > 0) throw new EwsItemError('ErrorIncorrectUpdatePropertyCount', 'An object within a change description must contain one and only one property to modify.');
  const [named, property] = [readFieldUri(path), readExtendedProperty(element)];
  if (named.id !== property.id || named.kind !== property.kind) throw new EwsItemError('ErrorUpdatePropertyMismatch', 'The property in the change description is another one than its path names.');
  return property;
}

function subjectProperties(subject: XmlElement | undefined): readonly WrittenProperty[] {
  return subject === undefined ? [] : [{ id: ID.subject, kind: 'string', values: [subject.text] }];
}

function distinct(properties: readonly WrittenProperty[]): readonly WrittenProperty[] {
  if (new Set(properties.map((one) => one.id)).size < properties.length) throw new EwsItemError('ErrorInvalidPropertySet', 'A property is named twice.');
  return properties;
}

function saved(options: PublicFolderOptions, key: string, change: PropertyChange, operation: WriteOperation): XmlNode {
  const byCommand = refusedByCommand(options.writing);
  if (change.set.some((one) => one.id === byCommand)) throw valueError([{ id: byCommand!, reason: 'refused by command' }]);
  if (options.writing === 'full') throw new EwsItemError('ErrorQuotaExceeded', 'The mailbox has exceeded its quota.');
  if (options.writing === 'locked') throw new EwsItemError('ErrorItemSave', 'The item save operation did not succeed.');
  const subject = change.set.find((one) => one.id === ID.subject)?.values[0]?.toLowerCase();
  if (options.calendars.mailboxes().some(({ address }) => subjectOfOwn(address).toLowerCase() === subject)) throw new EwsItemError('ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  const stored = options.folder.write(key, change, operation);
  if (!('published' in stored)) throw valueError(stored);
  return el('t:PostItem', {}, el('t:ItemId', { Id: stored.key, ChangeKey: changeKeyOf(stored) }));
}

function valueError(refusals: readonly Refusal[]): EwsItemError {
  const isMissing = refusals.every((one) => one.reason.startsWith('there is no'));
  const reasons = refusals.map((one) => `0x${one.id.toString(16)}: ${one.reason}`).join('; ');
  return new EwsItemError(isMissing ? 'ErrorRequiredPropertyMissing' : 'ErrorInvalidExtendedPropertyValue', `The value of an extended property is invalid: ${reasons}`);
}

/** One item's response message; what fails is stored nowhere and says so. */
function attempt(operation: string, options: PublicFolderOptions, write: () => XmlNode | undefined): XmlNode {
  if (options.writing === 'busy') throw new EwsFault('ErrorServerBusy', 'The server cannot service this request right now. Try again later.', BUSY_MS);
  const hasItems = operation !== 'DeleteItem';
  try {
    const item = write();
    return el(`m:${operation}ResponseMessage`, { ResponseClass: 'Success' }, el('m:ResponseCode', {}, 'NoError'), hasItems && el('m:Items', {}, item), operation === 'UpdateItem' && el('m:ConflictResults', {}, el('t:Count', {}, 0)));
  } catch (error) {
    if (!(error instanceof EwsItemError)) throw error;
    return el(
      `m:${operation}ResponseMessage`,
      { ResponseClass: 'Error' },
      el('m:MessageText', {}, error.message),
      el('m:ResponseCode', {}, error.code),
      el('m:DescriptiveLinkKey', {}, 0),
      hasItems && el('m:Items', {}),
    );
  }
}

function answer(operation: string, messages: readonly XmlNode[]): EwsAnswer {
  if (messages.length === 0) throw invalidSchema(operation);
  return { body: el(`m:${operation}Response`, { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:ResponseMessages', {}, messages)), source: SOURCE, mailboxes: messages.length };
}
