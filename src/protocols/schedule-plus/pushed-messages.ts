import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** Where it goes that somebody's calendar has changed. Nothing else of a message that a Zimbra pushes by itself is believed. */
export interface PushedMessages {
  /** Whose message a legacyExchangeDN is, among the mailboxes of the system `from`; undefined: nobody's there. Compared without case. */
  mailboxOf(legacyExchangeDn: string, from: string): MailboxAddress | undefined | Promise<MailboxAddress | undefined>;
  /** Resolves when the change is stored. @throws BridgeError STORE_UNAVAILABLE */
  changed(mailbox: MailboxAddress, from: string): Promise<void>;
}

/** Whose message it is by the names it carries, the first that is known counts; undefined: of no mailbox that `from` may speak about. */
export async function ownerOfMessage(pushed: PushedMessages, names: readonly (string | undefined)[], from: string): Promise<MailboxAddress | undefined> {
  for (const name of names) {
    const isUsable = name !== undefined && name !== '' && name.length <= LIMITS.legacyExchangeDnCharacters;
    const mailbox = isUsable ? await pushed.mailboxOf(name, from) : undefined;
    if (mailbox !== undefined) return mailbox;
  }
  return undefined;
}
