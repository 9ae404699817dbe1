import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from './smtp-address.ts';

/** What a row of the address book is. `contact`: somebody of whom no mailbox is known to any directory. */
export const ENTRY_KINDS = ['person', 'room', 'equipment', 'group', 'contact'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** What is said of somebody beside name and address; each absent where it is not known, never empty. */
export interface EntryDetails {
  readonly givenName?: string;
  readonly surname?: string;
  readonly initials?: string;
  /** Exchange's alias (mailNickname), Zimbra's nickname. */
  readonly nickname?: string;
  /** How the name is read aloud (furigana): searched like the name. */
  readonly phoneticName?: string;
  readonly title?: string;
  readonly department?: string;
  readonly company?: string;
  readonly office?: string;
  readonly phone?: string;
  readonly mobile?: string;
  readonly fax?: string;
  readonly street?: string;
  readonly city?: string;
  readonly state?: string;
  readonly postalCode?: string;
  readonly country?: string;
  /** Seats of a room, digits. */
  readonly capacity?: string;
}

/** The keys of EntryDetails, in one order for everybody. */
export const ENTRY_DETAILS = [
  'givenName',
  'surname',
  'initials',
  'nickname',
  'phoneticName',
  'title',
  'department',
  'company',
  'office',
  'phone',
  'mobile',
  'fax',
  'street',
  'city',
  'state',
  'postalCode',
  'country',
  'capacity',
] as const satisfies readonly (keyof EntryDetails)[];

/** One row of the unified address book, as the faces may show it: never a hidden one. */
export interface DirectoryEntry extends EntryDetails {
  /** 32 hexadecimal digits; the same as long as its mailbox stays where it is, whatever it is called. */
  readonly id: string;
  /** Primary. */
  readonly address: MailboxAddress;
  /** Never empty: the address where no name is known. */
  readonly name: string;
  readonly kind: EntryKind;
  /** Name of the system where the mailbox lives; undefined where nobody knows. */
  readonly home: string | undefined;
  /** Without the primary one, each once, sorted. */
  readonly aliases: readonly MailboxAddress[];
  /** When this row last became other than it was, to the millisecond; not when a directory says that it was edited. */
  readonly modifiedAt: Instant;
  /** When it was first seen. */
  readonly createdAt: Instant;
}
