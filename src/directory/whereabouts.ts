import type { EntryKind } from './entry.ts';
import type { MailboxAddress } from './smtp-address.ts';

/** Where the directories say that a mailbox is. */
export interface Whereabout {
  /** As its home knows it: the mailbox's primary address; of a contact the address that it stands for. */
  readonly address: MailboxAddress;
  readonly kind: EntryKind;
  /** Undefined: known, but its home is not (a contact): the domain decides, without `notIn`. */
  readonly home: string | undefined;
  /** Systems whose directory says that the mailbox is somewhere else. */
  readonly notIn: readonly string[];
  /** Systems whose directories each say that it is there; then `home` is undefined, and no domain decides. Absent: they do not contradict each other. */
  readonly claimedBy?: readonly string[];
}

/** A group's mailboxes, groups within it expanded, each once. */
export interface ExpandedGroup {
  readonly members: readonly MailboxAddress[];
  /** There are more than were asked for. */
  readonly isTooLarge: boolean;
  /** Members that no directory resolves to an address. */
  readonly unknown: number;
}

/**
 * PORT. Who lives where, for the bridge itself: hidden ones too, and nobody's rights. It answers from memory.
 */
export interface Whereabouts {
  /** By primary address, alias, or one of these with `+…` in the local part; undefined: no directory knows it. */
  find(address: MailboxAddress): Whereabout | undefined;
  /** The mailboxes of a group; undefined for what is no group. @param most where there are more, it stops there */
  expand(group: MailboxAddress, most: number): ExpandedGroup | undefined;
  /** What the directory of an Exchange says is the mailbox's (or its contact's) legacyExchangeDN there. */
  legacyExchangeDn(mailbox: MailboxAddress, system: string): string | undefined;
  /** Primary address of the mailbox with this legacyExchangeDN, present or former, without regard to case. */
  mailboxOfDn(legacyExchangeDn: string): MailboxAddress | undefined;
}

/** Where no address book is kept. */
export const NO_WHEREABOUTS: Whereabouts = { find: () => undefined, expand: () => undefined, legacyExchangeDn: () => undefined, mailboxOfDn: () => undefined };
