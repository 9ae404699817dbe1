import type { EntryKind } from '../directory/entry.ts';

/** What the words of the address book know of an entry. */
export interface SearchRow {
  /** Display name. */
  readonly name: string;
  /** All texts whose words count: display name, given name, surname, nickname, the name as it is read aloud. */
  readonly names: readonly string[];
  /** The primary one first; lower case. */
  readonly addresses: readonly string[];
  readonly kind: EntryKind;
  /** Name of the system where the mailbox lives. */
  readonly home: string | undefined;
}
