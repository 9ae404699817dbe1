import { createHash } from 'node:crypto';
import { domainOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ContactDifference } from '../../gal/contact-difference.ts';
import { aliasesOf } from '../setup/addresses.ts';

/** rangeUpper of `cn` and of `mailNickname` in Active Directory. */
const NAME_CHARACTERS = 64;

/**
 * What new contacts are called inside Exchange, by address: aliases as exchange-setup gives them; one that an entry there already has gets its domain
 * appended. The same for the same directories.
 */
export function newAliases({ add, takenAliases }: ContactDifference): ReadonlyMap<MailboxAddress, string> {
  const addresses = add.map(({ entry }) => entry.address);
  return new Map([...aliasesOf(addresses)].map(([address, alias]) => [address, shortened(takenAliases.has(alias.toLowerCase()) ? `${alias}-${domainOf(address)}` : alias)] as const));
}

/** The common name of a contact: its address, which nobody else has. */
export function commonName(address: MailboxAddress): string {
  return shortened(address);
}

/** What is too long ends in a few digits of its hash, so that two long ones stay apart. */
function shortened(text: string): string {
  if (text.length <= NAME_CHARACTERS) return text;
  return `${text.slice(0, NAME_CHARACTERS - 9).replace(/[\ud800-\udbff]$/, '')}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}
