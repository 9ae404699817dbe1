import { BridgeError } from '../../../core/errors.ts';
import { childrenNamed } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { statusIn } from '../message-property.ts';
import { DAV } from '../names.ts';
import { isSubscriptionId } from './subscription.ts';

/**
 * Reads the 207 of a POLL, a renewal or an UNSUBSCRIBE: the status of every id in it (exchange.md §2.7). Ids stand in `li` elements or as text with commas. An id that stands there twice has fired where one says so.
 *
 * @throws BridgeError BACKEND_MALFORMED for another document, and where a status cannot be read
 */
export function decodeSubscriptionStatuses(root: XmlElement): ReadonlyMap<string, number> {
  if (root.name !== 'multistatus' || root.ns !== DAV) throw new BridgeError('BACKEND_MALFORMED', 'the answer is none about subscriptions');
  const statuses = new Map<string, number>();
  for (const response of childrenNamed(root, 'response')) {
    const holders = [response, ...childrenNamed(response, 'propstat')];
    for (const holder of holders) {
      const ids = idsBelow(holder === response ? childrenNamed(response, 'subscriptionID') : childrenNamed(holder, 'prop').flatMap((prop) => childrenNamed(prop, 'subscriptionID')));
      if (ids.length === 0) continue;
      const status = statusIn(holder) ?? statusIn(response) ?? 0;
      if (status === 0) throw new BridgeError('BACKEND_MALFORMED', 'a status of the answer cannot be read');
      for (const id of ids) if (statuses.get(id) !== FIRED) statuses.set(id, status);
    }
  }
  return statuses;
}

/** POLL: something has happened. Renewal, UNSUBSCRIBE: done. */
export const FIRED = 200;
/** POLL: nothing has happened. */
export const QUIET = 204;

function idsBelow(elements: readonly XmlElement[]): readonly string[] {
  return elements.flatMap((element) => [element.text, ...childrenNamed(element, 'li').map((one) => one.text)]).flatMap((text) => text.split(',').map((part) => part.trim()).filter(isSubscriptionId));
}
