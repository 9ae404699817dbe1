import { LIMITS } from '../../core/limits.ts';
import type { EntryReader, ReaderSink } from './entry-reader.ts';
import { entryFrom } from './entry-fields.ts';
import { ldifFields } from './ldif-entry.ts';
import { decodedText } from './ldif-value.ts';
import type { LdifValue } from './ldif-value.ts';

interface Attribute {
  readonly name: string;
  readonly value: LdifValue;
}

/**
 * LDIF content (RFC 2849): comments, folded lines, `version: 1`, base64; what ldapsearch (also without -L), slapcat and ldifde write. Changes (`changetype`,
 * `control`) and values by URL (`:<`) are mistakes: a file of the address book says what is there.
 */
export class LdifReader implements EntryReader {
  readonly #sink: ReaderSink;
  #parts: string[] = [];
  #partsLine = 0;
  #isComment = false;
  #record: Attribute[] = [];
  #recordLine = 0;
  #characters = 0;
  #isBroken = false;

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  take(line: string, number: number): void {
    if (line.startsWith(' ')) {
      // A comment may be folded, too.
      if (this.#isComment) return;
      if (this.#parts.length === 0) return this.#wrong(number, 'a line is continued where none stands before it');
      this.#characters += line.length;
      if (this.#characters <= LIMITS.galFileEntryCharacters) this.#parts.push(line.slice(1));
      return;
    }
    this.#flush();
    this.#isComment = line.startsWith('#');
    if (this.#isComment) return;
    if (line === '') return this.#close();
    this.#parts = [line];
    this.#partsLine = number;
    this.#characters += line.length;
  }

  end(hasLineEnd: boolean): void {
    // Every line ends with a line end (RFC 2849, attrval-spec); one that does not was not written to its end.
    const isOpen = this.#parts.length > 0 || this.#record.length > 0 || this.#isComment;
    if (!hasLineEnd && isOpen) this.#wrong(this.#partsLine, 'the file ends in the middle of a line: it is cut off, or still being written');
    this.#flush();
    this.#close();
  }

  /** The unfolded line is whole. */
  #flush(): void {
    if (this.#parts.length === 0) return;
    const line = this.#parts.join('');
    const number = this.#partsLine;
    this.#parts = [];
    if (this.#record.length === 0) this.#recordLine = number;
    if (this.#characters > LIMITS.galFileEntryCharacters) return this.#wrong(number, `an entry has more than ${LIMITS.galFileEntryCharacters} characters`);
    const attribute = attributeOf(line);
    if (typeof attribute === 'string') return this.#wrong(number, attribute);
    if (attribute.name === 'version' && this.#record.length === 0) return attribute.value.text === '1' ? undefined : this.#wrong(number, 'only version 1 of LDIF is known');
    this.#record.push(attribute);
  }

  /** The entry is whole. */
  #close(): void {
    const record = this.#record;
    const isBroken = this.#isBroken;
    this.#record = [];
    this.#characters = 0;
    this.#isBroken = false;
    if (record.length === 0 || isBroken) return;
    const [first, ...rest] = record;
    if (first!.name !== 'dn') return this.#withoutDn(record);
    const dn = decodedText(first!.value);
    if (dn === undefined || dn === '') return this.#sink.mistake({ line: this.#recordLine, text: dn === undefined ? 'the dn is no UTF-8' : 'the dn is empty' });
    const attributes = new Map<string, LdifValue[]>();
    for (const { name, value } of rest) {
      const values = attributes.get(name);
      if (values === undefined) attributes.set(name, [value]);
      else values.push(value);
    }
    const entry = entryFrom(ldifFields({ dn, attributes }), () => this.#sink.cut());
    if (entry === undefined) this.#sink.skipped();
    else this.#sink.entry(entry);
  }

  /** What ldapsearch adds behind and between its entries is no entry, but a search that did not end well is no list of everybody. */
  #withoutDn(record: readonly Attribute[]): void {
    const names = new Set(record.map(({ name }) => name));
    const result = record.find(({ name }) => name === 'result')?.value.text;
    if ([...names].every((name) => name === 'ref')) return;
    if (!names.has('search') || result === undefined) return this.#sink.mistake({ line: this.#recordLine, text: 'an entry begins with its dn' });
    if (!/^0\b/.test(result)) this.#sink.mistake({ line: this.#recordLine, text: `the search of which this is the answer did not end well: ${result.slice(0, 100)}` });
  }

  #wrong(line: number, text: string): void {
    this.#isBroken = true;
    this.#sink.mistake({ line, text });
  }
}

/** A line taken apart, or what is wrong with it. RFC 2849, attrval-spec. */
function attributeOf(line: string): Attribute | string {
  const [, name = '', mark = '', rest = ''] = /^([A-Za-z0-9][A-Za-z0-9.-]*(?:;[A-Za-z0-9-]+)*):([:<]?) *(.*)$/s.exec(line) ?? [];
  if (name === '') return 'this is no line of LDIF: attribute, colon, value';
  if (mark === '<') return 'values by URL are not fetched';
  const lower = name.toLowerCase();
  if (lower === 'changetype' || lower === 'control') return `${lower}: this file holds changes, not entries`;
  if (mark === ':' && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(rest.trimEnd())) return 'the value is no base64';
  return { name: lower, value: mark === ':' ? { text: rest.trimEnd(), isBase64: true } : { text: rest, isBase64: false } };
}
