import { BER } from './ber-read.ts';

/**
 * Writes BER with definite lengths in as few octets as they take (RFC 4511 §5.1), into one growing buffer: an answer of a hundred entries has ten thousand elements.
 *
 *     const inner = writer.open(0x30);
 *     writer.text(BER.octetString, 'cn');
 *     writer.close(inner);
 */
export class BerWriter {
  #bytes: Buffer;
  #at = 0;

  /** @param room octets to begin with */
  constructor(room = 512) {
    this.#bytes = Buffer.allocUnsafe(room);
  }

  /** Begins an element that holds what is written until `close`; gives what `close` wants. */
  open(tag: number): number {
    this.#reserve(2);
    this.#bytes[this.#at] = tag;
    this.#at += 2;
    return this.#at;
  }

  close(start: number): void {
    const length = this.#at - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    const octets = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4;
    this.#reserve(octets);
    this.#bytes.copyWithin(start + octets, start, this.#at);
    this.#bytes[start - 1] = 0x80 | octets;
    this.#bytes.writeUIntBE(length, start, octets);
    this.#at += octets;
  }

  /** An element whose content is this text in UTF-8. */
  text(tag: number, text: string): void {
    const start = this.open(tag);
    // UTF-8 takes at most three octets for a UTF-16 unit.
    this.#reserve(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
    this.close(start);
  }

  octets(tag: number, content: Uint8Array): void {
    const start = this.open(tag);
    this.raw(content);
    this.close(start);
  }

  /** An integer or enumerated: −2³¹ to 2³¹ − 1. */
  integer(tag: number, value: number): void {
    const start = this.open(tag);
    const octets = value >= -0x80 && value < 0x80 ? 1 : value >= -0x8000 && value < 0x8000 ? 2 : value >= -0x80_0000 && value < 0x80_0000 ? 3 : 4;
    this.#reserve(octets);
    this.#bytes.writeIntBE(value, this.#at, octets);
    this.#at += octets;
    this.close(start);
  }

  boolean(value: boolean): void {
    this.octets(BER.boolean, Uint8Array.of(value ? 0xff : 0));
  }

  /** Elements that were written elsewhere. */
  raw(elements: Uint8Array): void {
    this.#reserve(elements.length);
    this.#bytes.set(elements, this.#at);
    this.#at += elements.length;
  }

  /** All that was written; the writer is not to be used any more. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(octets: number): void {
    const needed = this.#at + octets;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
