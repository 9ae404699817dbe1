import type { Requester } from '../../../core/request-context.ts';
import { ownAddress } from '../../../directory/own-address.ts';

/**
 * The address of the mailbox that the signed-in client has here: its user name where that is an address, else its name, else one made
 * of it in a domain that nobody has. Its folders are empty; ConvertId has to say whose they are (DavMail takes it for its user's address).
 */
export function ownMailbox(requester: Requester): string {
  return ownAddress(requester) ?? `${requester.name.replace(/[^\w.-]+/g, '-')}@bridge.invalid`;
}
