import { domainOf } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { SystemConfig } from './config.ts';

/** Every system that may have the mailbox: where several list a domain, the configuration alone does not decide. */
export function homesOf(address: MailboxAddress, systems: readonly SystemConfig[]): readonly SystemConfig[] {
  const exact = systems.filter(({ mailboxes }) => mailboxes.includes(address));
  return exact.length > 0 ? exact : systems.filter(({ domains }) => domains.includes(domainOf(address)));
}
