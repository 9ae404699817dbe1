import type { DirectoryEntry, EntryDetails, EntryKind } from '../../directory/entry.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** Of the details those that a program that shows somebody has use for. */
const SHOWN = ['givenName', 'surname', 'title', 'department', 'company', 'office', 'phone', 'mobile', 'capacity'] as const satisfies readonly (keyof EntryDetails)[];

/** One row of the address book; the first five are the contract, the others are there where they are known. */
export interface DirectoryEntryBody extends Pick<EntryDetails, (typeof SHOWN)[number]> {
  readonly address: MailboxAddress;
  readonly name: string;
  /** Name of the system where the mailbox lives; null where nobody knows. */
  readonly home: string | null;
  readonly kind: EntryKind;
  readonly aliases: readonly MailboxAddress[];
}

export function encodeDirectoryEntry(entry: DirectoryEntry): DirectoryEntryBody {
  const { address, name, home = null, kind, aliases } = entry;
  const details = SHOWN.flatMap((key) => (entry[key] === undefined ? [] : [[key, entry[key]] as const]));
  return { address, name, home, kind, aliases, ...Object.fromEntries(details) };
}
