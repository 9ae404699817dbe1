import { domainOf, localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** An account as the API wants it: `user` is the escaped node of its JID. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** The account whose JID is the mail address (XEP-0106 where the local part has what a JID may not have: `o'neil` is `o\27neil`). */
export function accountOf(mailbox: MailboxAddress): Account {
  return { user: escapeNode(localPartOf(mailbox)), host: domainOf(mailbox) };
}

export function bareJid({ user, host }: Account): string {
  return `${user}@${host}`;
}

/** XEP-0106 §4.1 to 4.3: ten characters, the backslash only before what would read as an escape. */
function escapeNode(local: string): string {
  return local.replace(/\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)|[ "&'/:<>@]/g, (character) => `\\${character.charCodeAt(0).toString(16)}`);
}
