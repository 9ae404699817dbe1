import { BridgeError } from '../../../core/errors.ts';

/**
 * Cuts a stream of bytes into the SOAP envelopes that stand in it one after another (presence.md §B.2). Holds no more than `maxBytes`, however the bytes
 * come, and looks at each of them a bounded number of times. The end of an envelope is its end tag; where that stands inside another thing (CDATA), the piece
 * is no XML, and its reader says so.
 */
export class EnvelopeSplitter {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(FIRST_BYTES);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the envelopes that are whole now, in order. @throws BridgeError BACKEND_TOO_LARGE where one has no end within `maxBytes` */
  push(chunk: Uint8Array): readonly Buffer[] {
    const envelopes: Buffer[] = [];
    // A chunk may bring the end of a large envelope and much of the next: each is measured by itself.
    for (let at = 0; at < chunk.length; at += FIRST_BYTES) this.#take(chunk.subarray(at, at + FIRST_BYTES), envelopes);
    return envelopes;
  }

  /** Whether the stream ended between two envelopes. */
  get isBetween(): boolean {
    return this.#buffer.subarray(0, this.#length).toString('latin1').trim() === '';
  }

  #take(part: Uint8Array, envelopes: Buffer[]): void {
    const searchFrom = Math.max(0, this.#length - LONGEST_END_TAG);
    this.#append(part);
    const text = this.#buffer.toString('latin1', searchFrom, this.#length);
    let start = 0;
    END_TAG.lastIndex = 0;
    for (let hit = END_TAG.exec(text); hit !== null; hit = END_TAG.exec(text)) {
      const end = searchFrom + hit.index + hit[0].length;
      envelopes.push(trimmedStart(Buffer.from(this.#buffer.subarray(start, end))));
      start = end;
    }
    this.#buffer.copyWithin(0, start, this.#length);
    this.#length -= start;
    if (this.#length > this.#maxBytes || envelopes.some((one) => one.length > this.#maxBytes)) {
      throw new BridgeError('BACKEND_TOO_LARGE', 'an envelope of the stream is too large', { details: { limitBytes: this.#maxBytes } });
    }
  }

  #append(part: Uint8Array): void {
    if (this.#length + part.length > this.#buffer.length) {
      const larger = Buffer.alloc((this.#length + part.length) * 2);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#length);
    this.#length += part.length;
  }
}

const FIRST_BYTES = 16_384;
/** A prefix of at most 20 letters, and a little space before the `>`. */
const END_TAG = /<\/(?:[A-Za-z_][\w.-]{0,19}:)?Envelope[ \t\r\n]{0,20}>/g;
const LONGEST_END_TAG = 64;

/** An XML declaration must be the first thing of a document. */
function trimmedStart(envelope: Buffer): Buffer {
  let at = 0;
  while (at < envelope.length && (envelope[at]! === 0x20 || (envelope[at]! >= 0x09 && envelope[at]! <= 0x0d))) at += 1;
  return envelope.subarray(at);
}
