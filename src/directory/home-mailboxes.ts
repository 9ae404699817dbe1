import { domainOf } from './smtp-address.ts';
import type { MailboxAddress } from './smtp-address.ts';

/** Whose mailboxes a system has, as it is configured. */
export interface HomeMailboxes {
  /** Lower case. */
  readonly domains: readonly string[];
  readonly mailboxes: readonly MailboxAddress[];
}

/** Whether an address that a system's directory calls a mailbox is one of the system itself: a directory also lists those of others. */
export function isAtHome(address: MailboxAddress, { domains, mailboxes }: HomeMailboxes): boolean {
  return domains.includes(domainOf(address)) || mailboxes.includes(address);
}
