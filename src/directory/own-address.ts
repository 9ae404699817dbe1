import type { Requester } from '../core/request-context.ts';
import { parseMailboxAddress } from './smtp-address.ts';
import type { MailboxAddress } from './smtp-address.ts';

/** The address by which a client is known: its user name where that is one, else its name; undefined where neither is. */
export function ownAddress({ name, username }: Requester): MailboxAddress | undefined {
  return parseMailboxAddress(username ?? '') ?? parseMailboxAddress(name);
}
