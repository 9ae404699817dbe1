import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { decodeCreateItem, encodeCreateItem } from './create-item.ts';
import { decodeDeleteItem, encodeDeleteItem } from './delete-item.ts';
import { decodeFindItem, encodeFindItem } from './find-item.ts';
import type { EwsId, ItemId } from './folder-id.ts';
import type { EwsCall } from './public-folder.ts';
import { decodeUpdateItem, encodeUpdateItem } from './update-item.ts';

/** All messages of that subject in the folder, compared without case; normally one or none. @throws BridgeError */
export async function findMessages(call: EwsCall, folder: EwsId, subject: string): Promise<readonly ItemId[]> {
  const found = decodeFindItem(await call('FindItem', encodeFindItem(folder, [subject])));
  return found.get(subject.toUpperCase()) ?? [];
}

/**
 * Creates the message, or replaces the first of those found; the others go, or readers would see one or the other.
 *
 * @throws BridgeError unless every property was accepted and every other message is gone
 */
export async function writeMessage(call: EwsCall, folder: EwsId, found: readonly ItemId[], message: EncodedMessage): Promise<void> {
  const [first, ...others] = found;
  if (first === undefined) return decodeCreateItem(await call('CreateItem', encodeCreateItem(folder, message)));
  decodeUpdateItem(await call('UpdateItem', encodeUpdateItem(first, message)));
  await deleteMessages(call, others);
}

/** Deletes these messages, without a request where there are none. @throws BridgeError unless all are gone */
export async function deleteMessages(call: EwsCall, found: readonly ItemId[]): Promise<void> {
  if (found.length > 0) decodeDeleteItem(await call('DeleteItem', encodeDeleteItem(found)), found.length);
}
