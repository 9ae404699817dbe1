import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { basicCredentials } from '../../../platform/auth/basic-credentials.ts';
import type { EwsCall } from './operation.ts';

/**
 * The address of the mailbox that the signed-in client has here: the name it signed in with where that is an address, else the name in the
 * configuration, in a domain that nobody has. Its folders are empty; ConvertId has to say whose they are (DavMail takes it for its user's address).
 */
export function ownMailbox({ request, requester }: EwsCall): string {
  const typed = requester.anonymous || !/^basic /i.test(request.headers.authorization ?? '') ? undefined : basicCredentials(request)?.username;
  return parseMailboxAddress(typed ?? '') ?? parseMailboxAddress(requester.name) ?? `${requester.name.replace(/[^\w.-]+/g, '-')}@bridge.invalid`;
}
