import { BridgeError } from '../../core/errors.ts';
import { childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { isSuccess, statusIn } from './message-property.ts';
import type { PropertyRefusal } from './proppatch-response.ts';

/**
 * Reads the 207 of a DELETE, with which a server says that something was not deleted (RFC 4918 §9.6.1). Empty: all is gone; what was
 * not there counts as gone.
 *
 * @throws BridgeError BACKEND_MALFORMED when it is no multistatus or a status cannot be read
 */
export function decodeDeleteResponse(root: XmlElement): readonly PropertyRefusal[] {
  const responses = childrenNamed(root, 'response');
  if (root.name !== 'multistatus' || responses.length === 0) throw malformed();
  const statuses = responses.flatMap((response) => [response, ...childrenNamed(response, 'propstat')].flatMap((one) => statusIn(one) ?? []));
  if (statuses.length === 0 || statuses.includes(0)) throw malformed();
  return statuses.filter((status) => !isSuccess(status) && status !== 404 && status !== 410).map((status) => ({ property: undefined, status }));
}

function malformed(): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'the answer does not say whether the message was removed', { details: { status: 207 } });
}
