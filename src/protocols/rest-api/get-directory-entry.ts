import type { DirectoryEntry } from '../../directory/entry.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { encodeDirectoryEntry } from './directory-entry.ts';
import type { DirectoryEntryBody } from './directory-entry.ts';

/** The body of GET /api/v1/directory/{address}. */
export interface SingleEntryBody extends DirectoryEntryBody {
  /** Of a group, with `details=true`: addresses of those whom the address book knows and shows. */
  readonly members?: readonly MailboxAddress[];
}

/** @param members of a group, where details are asked for; undefined for whatever else */
export function encodeSingleEntry(entry: DirectoryEntry, withDetails: boolean, members: readonly DirectoryEntry[] | undefined): SingleEntryBody {
  return { ...encodeDirectoryEntry(entry, withDetails), ...(members === undefined ? {} : { members: members.map(({ address }) => address) }) };
}
