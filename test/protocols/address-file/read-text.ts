import { readEntries } from '../../../src/protocols/address-file/read-entries.ts';
import type { FileEntries } from '../../../src/protocols/address-file/read-entries.ts';

/** Reads a text as if it stood in a file of this name. */
export function readText(name: string, text: string | Buffer): Promise<FileEntries> {
  return readEntries(name, typeof text === 'string' ? Buffer.from(text) : text, new AbortController().signal);
}

/** `line: text` of every mistake. */
export async function mistakesOf(name: string, text: string | Buffer): Promise<readonly string[]> {
  return (await readText(name, text)).mistakes.map(({ line, text: words }) => `${line}: ${words}`);
}
