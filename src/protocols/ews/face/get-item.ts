import { attribute } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { EwsOperationFace } from './operation.ts';
import { listOf, REFUSAL, refused, required, responseOf } from './response-messages.ts';
import { decodeStoreId } from './store-id.ts';

/** GetItem: there is no item anywhere, a message that was pushed a moment ago included. */
export const getItem: EwsOperationFace = async (request) => {
  required(request, 'ItemShape');
  const messages = listOf(request, 'ItemIds').map((reference) => {
    const isOurs = decodeStoreId(attribute(reference, 'Id') ?? '') !== undefined;
    return refused('GetItem', isOurs ? REFUSAL.itemNotFound : REFUSAL.idMalformed, el('m:Items'));
  });
  return responseOf('GetItem', messages);
};
