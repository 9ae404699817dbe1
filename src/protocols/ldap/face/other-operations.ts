import type { BerReader } from '../ber-read.ts';
import { OPERATION, RESULT, WHO_AM_I, contextTag } from '../names.ts';
import { bindNameOf } from './bind-name.ts';
import type { Answer, OperationContext } from './operation.ts';

/** Requests and the tags of their responses. What is in none of both (unbind, abandon) has no response. */
export const RESPONSE_OF: ReadonlyMap<number, number> = new Map([
  [OPERATION.bindRequest, OPERATION.bindResponse],
  [OPERATION.searchRequest, OPERATION.searchResultDone],
  [OPERATION.modifyRequest, OPERATION.modifyResponse],
  [OPERATION.addRequest, OPERATION.addResponse],
  [OPERATION.delRequest, OPERATION.delResponse],
  [OPERATION.modDnRequest, OPERATION.modDnResponse],
  [OPERATION.compareRequest, OPERATION.compareResponse],
  [OPERATION.extendedRequest, OPERATION.extendedResponse],
]);

/** For the log. */
export const NAME_OF: ReadonlyMap<number, string> = new Map([
  [OPERATION.bindRequest, 'bind'],
  [OPERATION.searchRequest, 'search'],
  [OPERATION.modifyRequest, 'modify'],
  [OPERATION.addRequest, 'add'],
  [OPERATION.delRequest, 'delete'],
  [OPERATION.modDnRequest, 'modify dn'],
  [OPERATION.compareRequest, 'compare'],
  [OPERATION.extendedRequest, 'extended'],
]);

/** Of everything that would change something. */
export const READ_ONLY: Answer = { code: RESULT.unwillingToPerform, message: 'this address book is read only' };

/** RFC 4511 §4.12: the name of an extended request. @throws BridgeError INVALID_REQUEST */
export function extendedNameOf(content: BerReader): string {
  return content.expect(contextTag(0, false)).text() ?? '';
}

/** Extended requests but StartTLS, which is the connection's own. */
export function extended(name: string, { view }: OperationContext): Answer {
  if (name !== WHO_AM_I) return { code: RESULT.protocolError, message: 'no such extended operation here' };
  const username = view?.requester.username ?? view?.requester.name;
  return { code: RESULT.success, responseValue: view === undefined || username === undefined ? '' : `dn:${bindNameOf(username, view.base)}` };
}

/** The id of the operation that is to be abandoned (§4.11): the content of the request itself. @throws BridgeError INVALID_REQUEST */
export function abandonedId(content: BerReader): number {
  return content.integer();
}

