import { childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { responseMessages } from '../../protocols/ews/folder-id.ts';
import { decodeItemProperties } from '../../protocols/ews/item-properties.ts';
import { decodeResponseMessageError } from '../../protocols/ews/response-message.ts';
import { isFreeBusy } from './found-message.ts';
import type { Found, FoundMessage } from './found-message.ts';

/** The operations that carry free/busy messages, by the name of their element. Anything else has none, and is no mistake. */
export function messagesOfOperation(operation: XmlElement): readonly Found[] {
  if (operation.name === 'CreateItem') return itemsOf(operation, 'EWS CreateItem', false);
  if (operation.name === 'UpdateItem') return itemsOf(operation, 'EWS UpdateItem', true);
  if (operation.name !== 'GetItemResponse') return [];
  const kind = 'EWS GetItem answer';
  return responseMessages({ ...operation, children: [operation] }, 'GetItem').flatMap((message): readonly Found[] => {
    const error = decodeResponseMessageError(message);
    if (error !== undefined) return [{ kind, problem: `no message: ${childText(message, 'ResponseCode') ?? 'no response code'}` }];
    const items = itemsOf(message, kind, false);
    return items.length === 0 ? [{ kind, problem: 'no message: the item has no property of one' }] : items;
  });
}

function itemsOf(element: XmlElement, kind: FoundMessage['kind'], isPartial: boolean): readonly FoundMessage[] {
  return decodeItemProperties(element)
    .map(({ properties, removed }) => ({ kind, properties, removed: new Set(removed), isPartial }))
    .filter(isFreeBusy);
}
