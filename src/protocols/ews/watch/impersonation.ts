import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { RequestManner } from '../connection.ts';
import { encodeImpersonation } from '../impersonation.ts';
import type { RequestServerVersion } from '../names.ts';
import type { EwsLane } from '../servers/knowledge.ts';

/**
 * As the owner of the mailbox, and led to the server that has it (2013 and later).
 *
 * @param at where its subscription was made; absent: anywhere
 */
export function asOwnerOf(mailbox: MailboxAddress, version?: RequestServerVersion, at?: EwsLane): RequestManner {
  return {
    blocks: [encodeImpersonation(mailbox)],
    headers: { 'x-anchormailbox': mailbox },
    ...(version === undefined ? {} : { version }),
    ...(at === undefined ? {} : { at }),
  };
}
