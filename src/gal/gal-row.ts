import type { DirectoryEntry } from '../directory/entry.ts';
import type { SourceEntry } from '../directory/entry-source.ts';

/** What one directory says of a row. */
export interface GalRecord {
  /** Label of the source. */
  readonly source: string;
  /** Name of the system where the source's mailboxes live. */
  readonly home: string | undefined;
  readonly entry: SourceEntry;
}

/** A row of the address book with what it is made of, for those who administer it. */
export interface GalRow {
  readonly entry: DirectoryEntry;
  readonly isHidden: boolean;
  readonly records: readonly GalRecord[];
}
