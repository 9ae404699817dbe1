import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { SourceEntry } from '../../directory/entry-source.ts';
import type { Mistake } from './entry-reader.ts';
import { formatOf, readerFor } from './file-format.ts';
import type { FileFormat } from './file-format.ts';
import { beginningOf, encodingOf, feedLines } from './file-text.ts';
import type { FileEncoding } from './file-text.ts';

/** All that a file says. */
export interface FileEntries {
  readonly format: FileFormat;
  readonly encoding: FileEncoding;
  /** In the file's order, every id once: a second one is `…#2`. */
  readonly entries: readonly SourceEntry[];
  /** The first few; where there is one, the entries are not all that the file should hold. */
  readonly mistakes: readonly Mistake[];
  /** What has no address. */
  readonly skipped: number;
  /** Values longer, or more, than the address book keeps. */
  readonly cut: number;
}

/**
 * Reads the entries of a file's bytes, others having their turn. It stops when it has found enough mistakes to name.
 *
 * @param path for the ending of its name
 * @throws BridgeError BACKEND_MALFORMED for an empty file: whoever writes one begins so; BACKEND_TOO_LARGE; the signal's reason where it fires
 */
export async function readEntries(path: string, bytes: Buffer, signal: AbortSignal): Promise<FileEntries> {
  if (bytes.length === 0) throw new BridgeError('BACKEND_MALFORMED', 'the file is empty: it is cut off, or still being written', { temporary: true });
  const encoding = encodingOf(bytes);
  const format = formatOf(path, beginningOf(bytes, encoding));
  const entries: SourceEntry[] = [];
  const mistakes: Mistake[] = [];
  const numbers = new Map<string, number>();
  let skipped = 0;
  let cut = 0;
  const reader = readerFor(format, {
    entry: (entry) => {
      if (entries.length >= LIMITS.galEntries) throw new BridgeError('BACKEND_TOO_LARGE', `the file has more than ${LIMITS.galEntries} entries`);
      entries.push(withOwnId(entry, numbers));
    },
    mistake: (mistake) => void mistakes.push(mistake),
    skipped: () => void skipped++,
    cut: () => void cut++,
  });
  const pace = new Pace(LIMITS.galFileCharactersPerTurn);
  for (const characters of feedLines(bytes, encoding, reader)) {
    if (mistakes.length >= LIMITS.galFileMistakes) break;
    signal.throwIfAborted();
    if (pace.spend(characters)) await pace.turn();
  }
  return { format, encoding, entries, mistakes: mistakes.slice(0, LIMITS.galFileMistakes), skipped, cut };
}

/** The number is tried until it is free: a file may hold `a`, `a` and `a#2`. */
function withOwnId(entry: SourceEntry, numbers: Map<string, number>): SourceEntry {
  const seen = numbers.get(entry.id);
  if (seen === undefined) {
    numbers.set(entry.id, 1);
    return entry;
  }
  let number = seen + 1;
  while (numbers.has(`${entry.id}#${number}`)) number++;
  numbers.set(entry.id, number);
  numbers.set(`${entry.id}#${number}`, 1);
  return { ...entry, id: `${entry.id}#${number}` };
}
