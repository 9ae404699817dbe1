import { LIMITS } from '../../core/limits.ts';
import { csvColumns } from './csv-columns.ts';
import type { CsvColumns } from './csv-columns.ts';
import { csvFields } from './csv-entry.ts';
import { entryFrom } from './entry-fields.ts';
import type { EntryReader, ReaderSink } from './entry-reader.ts';

const DELIMITERS = [',', ';', '\t'] as const;

/**
 * CSV with a header (RFC 4180), delimited by comma, semicolon or tab, whichever the header has most of; a quoted field may hold line ends. Excel's `sep=;` and
 * PowerShell's `#TYPE` before the header are taken. A row with another number of fields than the header is a mistake.
 */
export class CsvReader implements EntryReader {
  readonly #sink: ReaderSink;
  #delimiter: string | undefined;
  #columns: CsvColumns | undefined;
  #width = 0;
  #isUseless = false;
  /** Of the row that is being read. */
  #fields: string[] = [];
  #rowLine = 0;
  #characters = 0;
  /** The quoted field that goes on over the end of its line. */
  #quoted: string[] | undefined;

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  take(line: string, number: number): void {
    if (this.#isUseless) return;
    if (this.#quoted === undefined) {
      if (line.trim() === '') return;
      if (this.#columns === undefined && this.#preamble(line)) return;
      this.#delimiter ??= delimiterOf(line);
      this.#rowLine = number;
      this.#characters = 0;
    }
    this.#characters += line.length + 1;
    if (this.#characters > LIMITS.galFileRowCharacters) return this.#hopeless(this.#rowLine, `a row has more than ${LIMITS.galFileRowCharacters} characters: is a quote missing?`);
    const mistake = this.#split(line, this.#delimiter!);
    if (mistake !== undefined) return this.#drop(number, mistake);
    if (this.#quoted === undefined) this.#close();
  }

  end(): void {
    if (this.#quoted !== undefined && !this.#isUseless) this.#sink.mistake({ line: this.#rowLine, text: 'the quote that is opened here is not closed: the file is cut off, or still being written' });
    else if (this.#columns === undefined && !this.#isUseless) this.#sink.mistake({ line: 1, text: 'there is no header with the names of the columns' });
  }

  /** What stands before a header without being one. */
  #preamble(line: string): boolean {
    const [, delimiter] = /^"?sep=([,;\t])"?\s*$/i.exec(line) ?? [];
    this.#delimiter = delimiter ?? this.#delimiter;
    return delimiter !== undefined || line.startsWith('#TYPE ');
  }

  /** Adds the fields of a line to the row; what is wrong with it, where something is. */
  #split(line: string, delimiter: string): string | undefined {
    let at = 0;
    for (;;) {
      if (this.#quoted !== undefined || line[at] === '"') {
        if (this.#quoted === undefined) at++;
        const begun = this.#quoted ?? [];
        const close = closingQuote(line, at);
        if (close < 0) {
          begun.push(line.slice(at).replaceAll('""', '"'), '\n');
          this.#quoted = begun;
          return undefined;
        }
        this.#fields.push(begun.join('') + line.slice(at, close).replaceAll('""', '"'));
        this.#quoted = undefined;
        at = close + 1;
        if (at < line.length && line[at] !== delimiter) return 'text stands behind a closing quote';
      } else {
        const next = line.indexOf(delimiter, at);
        const end = next < 0 ? line.length : next;
        this.#fields.push(line.slice(at, end));
        at = end;
      }
      if (this.#fields.length > LIMITS.galFileColumns) return `more than ${LIMITS.galFileColumns} columns`;
      if (at >= line.length) return undefined;
      at++;
    }
  }

  #close(): void {
    const fields = this.#fields;
    this.#fields = [];
    if (this.#columns === undefined) {
      this.#width = fields.length;
      this.#columns = csvColumns(fields);
      if (!this.#columns.hasAddress) this.#hopeless(this.#rowLine, 'the header names no column of addresses: address, mail, EmailAddress, E-mail Address, PrimarySmtpAddress');
      return;
    }
    if (fields.length !== this.#width) return this.#sink.mistake({ line: this.#rowLine, text: `the row has ${fields.length} fields, the header ${this.#width}` });
    const entry = entryFrom(csvFields(this.#columns, fields), () => this.#sink.cut());
    if (entry === undefined) this.#sink.skipped();
    else this.#sink.entry(entry);
  }

  #drop(line: number, text: string): void {
    this.#fields = [];
    this.#quoted = undefined;
    if (this.#columns === undefined) return this.#hopeless(line, text);
    this.#sink.mistake({ line, text });
  }

  /** Nothing that follows can be understood. */
  #hopeless(line: number, text: string): void {
    this.#isUseless = true;
    this.#sink.mistake({ line, text });
  }
}

/** Where the quote is that is not doubled; −1: on another line. */
function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2)) {
    if (line[at + 1] !== '"') return at;
  }
  return -1;
}

function delimiterOf(header: string): string {
  const bare = header.replace(/"(?:[^"]|"")*"/g, '');
  const count = (delimiter: string): number => bare.split(delimiter).length;
  return DELIMITERS.reduce((best, one) => (count(one) > count(best) ? one : best));
}
