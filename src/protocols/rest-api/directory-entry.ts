import type { DirectoryEntry, EntryDetails, EntryKind } from '../../directory/entry.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { firstRaw } from '../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../platform/http-server/raw-query.ts';

/** Of the details those that a program that shows somebody has use for. */
const SHOWN = ['givenName', 'surname', 'title', 'department', 'company', 'office', 'phone', 'mobile', 'capacity'] as const satisfies readonly (keyof EntryDetails)[];

/** One row of the address book: the contract's five members and no other, except where `details=true` asks for what else is known. */
export interface DirectoryEntryBody extends Pick<EntryDetails, (typeof SHOWN)[number]> {
  readonly address: MailboxAddress;
  readonly name: string;
  /** Name of the system where the mailbox lives; null where nobody knows. */
  readonly home: string | null;
  readonly kind: EntryKind;
  readonly aliases: readonly MailboxAddress[];
}

/** @param withDetails what the directory knows beside the contract's five members */
export function encodeDirectoryEntry(entry: DirectoryEntry, withDetails: boolean): DirectoryEntryBody {
  const { address, name, home = null, kind, aliases } = entry;
  const details = withDetails ? SHOWN.flatMap((key) => (entry[key] === undefined ? [] : [[key, entry[key]] as const])) : [];
  return { address, name, home, kind, aliases, ...Object.fromEntries(details) };
}

/** Whether a question has `details=true`. Programs compare whole bodies with the contract: more is only for who asks. */
export function asksForDetails(parameters: readonly RawParameter[]): boolean {
  return firstRaw(parameters, 'details') === 'true';
}
