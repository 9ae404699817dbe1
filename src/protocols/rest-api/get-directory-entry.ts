import type { DirectoryEntry } from '../../directory/entry.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { encodeDirectoryEntry } from './directory-entry.ts';
import type { DirectoryEntryBody } from './directory-entry.ts';

/** The body of GET /api/v1/directory/{address}. */
export interface SingleEntryBody extends DirectoryEntryBody {
  /** Of a group: addresses of those whom the address book knows and shows. */
  readonly members?: readonly MailboxAddress[];
}

/** @param members of a group; nothing is said of them for whatever else */
export function encodeSingleEntry(entry: DirectoryEntry, members: readonly DirectoryEntry[]): SingleEntryBody {
  return { ...encodeDirectoryEntry(entry), ...(entry.kind === 'group' ? { members: members.map(({ address }) => address) } : {}) };
}
