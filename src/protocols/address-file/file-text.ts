import { isUtf8 } from 'node:buffer';
import { LIMITS } from '../../core/limits.ts';
import type { EntryReader } from './entry-reader.ts';

/** How the octets of a file become text. Windows-1252 is a guess: whatever is no UTF-8 can be read so. */
export type FileEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** By its byte order mark, else UTF-8 where it is that: what Excel and Outlook write as CSV is not. Holds the event loop for 20 ms with the largest file. */
export function encodingOf(bytes: Buffer): FileEncoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return isUtf8(bytes) ? 'utf-8' : 'windows-1252';
}

/** The beginning of a file as text, to look what it is. */
export function beginningOf(bytes: Buffer, encoding: FileEncoding): string {
  return new TextDecoder(encoding).decode(bytes.subarray(0, 4_096), { stream: true });
}

/** A step of feeding: how many characters it was. */
type Fed = number;

/**
 * Feeds a reader with the lines of a file, a part at every step, so that the caller can give others their turn. LF and CRLF end a line; a byte order mark is
 * none of it. A line beyond the bound for an entry is handed over cut there: the reader refuses what long anyway.
 */
export function* feedLines(bytes: Buffer, encoding: FileEncoding, reader: EntryReader): Generator<Fed, void> {
  const decoder = new TextDecoder(encoding);
  const step = LIMITS.galFileCharactersPerTurn;
  let open = '';
  let number = 0;
  const takeLine = (line: string): void => reader.take(line.endsWith('\r') ? line.slice(0, -1) : line, ++number);
  for (let at = 0; at < bytes.length; at += step) {
    const isLast = at + step >= bytes.length;
    const text = decoder.decode(bytes.subarray(at, at + step), { stream: !isLast });
    let begin = 0;
    for (let feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', begin)) {
      takeLine(open === '' ? text.slice(begin, feed) : open + text.slice(begin, feed));
      open = '';
      begin = feed + 1;
    }
    if (open.length <= LIMITS.galFileEntryCharacters) open += text.slice(begin);
    yield text.length;
  }
  if (open !== '') takeLine(open);
  reader.end(open === '');
}
