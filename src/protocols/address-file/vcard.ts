import { LIMITS } from '../../core/limits.ts';
import { entryFrom } from './entry-fields.ts';
import type { EntryReader, ReaderSink } from './entry-reader.ts';
import { vcardFields } from './vcard-entry.ts';
import { readVcardLine } from './vcard-line.ts';
import type { VcardLine } from './vcard-line.ts';

/** Nothing of these is kept; a photograph is skipped as it comes, without being put together. */
const SKIPPED = /^(?:[A-Za-z0-9-]+\.)?(?:PHOTO|LOGO|SOUND|KEY|NOTE)[;:]/i;

/** vCards 3.0 (RFC 2426) and 4.0 (RFC 6350), one after the other. 2.1 is refused: its soft line breaks and character sets are another format. */
export class VcardReader implements EntryReader {
  readonly #sink: ReaderSink;
  #parts: string[] = [];
  #partsLine = 0;
  #isSkipping = false;
  /** Undefined: between cards. */
  #card: VcardLine[] | undefined;
  #cardLine = 0;
  #characters = 0;
  #isBroken = false;

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  take(line: string, number: number): void {
    if (/^[ \t]/.test(line) && (this.#parts.length > 0 || this.#isSkipping)) {
      if (this.#isSkipping) return;
      this.#characters += line.length;
      if (this.#characters <= LIMITS.galFileEntryCharacters) this.#parts.push(line.slice(1));
      return;
    }
    this.#flush();
    this.#isSkipping = SKIPPED.test(line);
    if (this.#isSkipping || line.trim() === '') return;
    this.#parts = [line];
    this.#partsLine = number;
    this.#characters += line.length;
  }

  end(): void {
    this.#flush();
    if (this.#card !== undefined && !this.#isBroken) this.#wrong(this.#cardLine, 'the card that begins here has no END:VCARD: the file is cut off, or still being written');
  }

  /** The unfolded line is whole. */
  #flush(): void {
    if (this.#parts.length === 0) return;
    const text = this.#parts.join('');
    this.#parts = [];
    if (this.#characters > LIMITS.galFileEntryCharacters) return this.#wrong(this.#partsLine, `a card has more than ${LIMITS.galFileEntryCharacters} characters`);
    // No field of ours is that long: somebody's picture under a name of his own.
    if (text.length > LIMITS.galFileLineCharacters) return this.#sink.cut();
    const line = readVcardLine(text);
    if (line === undefined) return this.#wrong(this.#partsLine, 'this is no line of a vCard: name, colon, value');
    const isOfCard = /^VCARD\s*$/i.test(line.value);
    if (line.name === 'BEGIN' && isOfCard) return this.#begin();
    if (line.name === 'END' && isOfCard) return this.#close();
    if (this.#card === undefined) return this.#wrong(this.#partsLine, 'this stands outside of any card');
    if (line.name === 'VERSION' && !/^[34]\.0\s*$/.test(line.value)) return this.#wrong(this.#partsLine, 'only vCard 3.0 and 4.0 are read: export it as one of these');
    if (line.parameters.get('ENCODING')?.some((one) => /^quoted-printable$/i.test(one)) === true) return this.#wrong(this.#partsLine, 'quoted-printable is of vCard 2.1; only 3.0 and 4.0 are read');
    if (this.#card.length >= LIMITS.galFileCardLines) return this.#wrong(this.#partsLine, `a card has more than ${LIMITS.galFileCardLines} lines`);
    if (!this.#isBroken) this.#card.push(line);
  }

  #begin(): void {
    if (this.#card !== undefined && !this.#isBroken) this.#sink.mistake({ line: this.#partsLine, text: 'a card begins before the one before it has ended' });
    this.#card = [];
    this.#cardLine = this.#partsLine;
    this.#characters = 0;
    this.#isBroken = false;
  }

  #close(): void {
    const card = this.#card;
    const isBroken = this.#isBroken;
    this.#card = undefined;
    this.#characters = 0;
    this.#isBroken = false;
    if (isBroken) return;
    if (card === undefined) return this.#sink.mistake({ line: this.#partsLine, text: 'a card ends that has not begun' });
    if (!card.some(({ name }) => name === 'VERSION')) return this.#sink.mistake({ line: this.#cardLine, text: 'the card has no VERSION' });
    const entry = entryFrom(vcardFields(card), () => this.#sink.cut());
    if (entry === undefined) this.#sink.skipped();
    else this.#sink.entry(entry);
  }

  /** One mistake a card: what follows from it says nothing new. */
  #wrong(line: number, text: string): void {
    if (!this.#isBroken) this.#sink.mistake({ line, text });
    this.#isBroken = true;
  }
}
