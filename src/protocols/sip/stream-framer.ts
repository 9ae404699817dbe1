import { LIMITS } from '../../core/limits.ts';
import type { SipMessage } from './message.ts';
import { END_OF_HEAD, endOfHead, readHead, SipSyntaxError } from './read-message.ts';
import type { SipHead } from './read-message.ts';

const FIRST_BYTES = 4_096;
const CR = 0x0d;
const LF = 0x0a;

/** Cuts a stream into messages by Content-Length (RFC 3261 §18.3); empty lines between them (§7.5, RFC 5626 §4.4.1) are passed over. One for a connection: after an error there is no next message. */
export class StreamFramer {
  #held = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  /** Up to here no end of a head was found. */
  #searched = 0;
  #head: { readonly head: SipHead; readonly bodyAt: number; readonly end: number } | undefined;

  /** What is complete with this piece. @throws SipSyntaxError for what is no SIP, has no Content-Length, or is too large */
  push(chunk: Uint8Array): readonly SipMessage[] {
    const messages: SipMessage[] = [];
    // Piece by piece, so that what is held stays bounded whatever a chunk's size.
    for (let at = 0; at < chunk.length; at += LIMITS.sipHeadBytes) {
      this.#hold(chunk.subarray(at, at + LIMITS.sipHeadBytes));
      for (let message = this.#next(); message !== undefined; message = this.#next()) messages.push(message);
    }
    return messages;
  }

  #next(): SipMessage | undefined {
    if (this.#head === undefined && !this.#findHead()) return undefined;
    const { head, bodyAt, end } = this.#head!;
    if (this.#length < end) return undefined;
    const message = head.withBody(Buffer.from(this.#held.subarray(bodyAt, end)));
    this.#drop(end);
    this.#head = undefined;
    return message;
  }

  #findHead(): boolean {
    let blank = 0;
    while (blank < this.#length && (this.#held[blank] === CR || this.#held[blank] === LF)) blank++;
    if (blank > 0) this.#drop(blank);
    const end = endOfHead(this.#held.subarray(0, this.#length), this.#searched);
    if (end < 0) {
      if (this.#length > LIMITS.sipHeadBytes) throw new SipSyntaxError('the head does not end');
      this.#searched = Math.max(0, this.#length - END_OF_HEAD.length + 1);
      return false;
    }
    const head = readHead(this.#held.subarray(0, end));
    if (head.contentLength === undefined) throw new SipSyntaxError('no Content-Length on a stream');
    const bodyAt = end + END_OF_HEAD.length;
    if (bodyAt + head.contentLength > LIMITS.sipMessageBytes) throw new SipSyntaxError('the message is too large');
    this.#head = { head, bodyAt, end: bodyAt + head.contentLength };
    return true;
  }

  #hold(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    this.#held.set(piece, this.#length);
    this.#length = needed;
  }

  #drop(count: number): void {
    this.#held.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#searched = 0;
    if (this.#length === 0 && this.#held.length > FIRST_BYTES) this.#held = Buffer.allocUnsafe(FIRST_BYTES);
  }
}
