import type { SourceEntry } from '../../directory/entry-source.ts';

/** What stands wrong in a file, so that it is not taken for what somebody meant. */
export interface Mistake {
  /** Of the file, from 1. */
  readonly line: number;
  readonly text: string;
}

/** What a reader gives away while it is fed. */
export interface ReaderSink {
  entry(entry: SourceEntry): void;
  mistake(mistake: Mistake): void;
  /** Something that is no entry because it has no address. */
  skipped(): void;
  /** Values of one entry that were longer, or more, than the address book keeps. */
  cut(): void;
}

/** One format: takes a file line by line, without waiting, so that whoever feeds it decides when others have their turn. */
export interface EntryReader {
  /** @param line without its line end */
  take(line: string, number: number): void;
  /** @param hasLineEnd the last line had one; where it had not, the file may have been cut off */
  end(hasLineEnd: boolean): void;
}
