import { extname } from 'node:path';
import { CsvReader } from './csv.ts';
import type { EntryReader, ReaderSink } from './entry-reader.ts';
import { LdifReader } from './ldif.ts';
import { VcardReader } from './vcard.ts';

export type FileFormat = 'LDIF' | 'vCard' | 'CSV';

const BY_EXTENSION: Readonly<Record<string, FileFormat>> = { '.ldif': 'LDIF', '.ldf': 'LDIF', '.vcf': 'vCard', '.vcard': 'vCard', '.csv': 'CSV', '.tsv': 'CSV' };

/** By the ending of its name, else by how it begins. */
export function formatOf(path: string, beginning: string): FileFormat {
  const known = BY_EXTENSION[extname(path).toLowerCase()];
  if (known !== undefined) return known;
  const first = beginning.split(/\r?\n/).find((line) => line.trim() !== '' && !/^#(?!TYPE )|^ /.test(line)) ?? '';
  if (/^BEGIN:VCARD\s*$/i.test(first)) return 'vCard';
  return /^(?:version: *1\s*$|dn::? *)/i.test(first) ? 'LDIF' : 'CSV';
}

const READERS: Readonly<Record<FileFormat, new (sink: ReaderSink) => EntryReader>> = { LDIF: LdifReader, vCard: VcardReader, CSV: CsvReader };

export function readerFor(format: FileFormat, sink: ReaderSink): EntryReader {
  return new READERS[format](sink);
}
