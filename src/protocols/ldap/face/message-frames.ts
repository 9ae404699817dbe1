import { BridgeError } from '../../../core/errors.ts';
import { BER, berHeader } from '../ber-read.ts';

/** The longest header of a message: tag, and a length in four octets after its own. */
const HEADER_BYTES = 6;

/**
 * Cuts what comes over a connection into messages. The room for one is taken when its length is known and allowed, so that a client that sends single octets costs
 * no more than any other.
 */
export class MessageFrames {
  readonly #head = Buffer.alloc(HEADER_BYTES);
  #headBytes = 0;
  #message: Buffer | undefined;
  #filled = 0;

  /** Part of a message has come. */
  get isWithinMessage(): boolean {
    return this.#headBytes > 0;
  }

  /**
   * Takes from `chunk` up to the end of one message.
   *
   * @param most octets a message may have, with its header
   * @returns how much was taken, and the message where it is whole now
   * @throws BridgeError INVALID_REQUEST for what begins no LDAPMessage, BODY_TOO_LARGE beyond `most`; the connection cannot be read on after that
   */
  take(chunk: Buffer, most: number): { readonly taken: number; readonly message?: Buffer } {
    let taken = 0;
    while (this.#message === undefined) {
      if (taken === chunk.length) return { taken };
      this.#head[this.#headBytes++] = chunk[taken++]!;
      if (this.#head[0] !== BER.sequence) throw new BridgeError('INVALID_REQUEST', 'what came is no LDAP message');
      const header = berHeader(this.#head.subarray(0, this.#headBytes));
      if (header === undefined) continue;
      const length = header.headerBytes + header.contentBytes;
      if (length > most) throw new BridgeError('BODY_TOO_LARGE', `a message may have ${most} octets here`);
      this.#message = Buffer.allocUnsafe(length);
      this.#head.copy(this.#message, 0, 0, header.headerBytes);
      this.#filled = header.headerBytes;
    }
    const part = Math.min(this.#message.length - this.#filled, chunk.length - taken);
    chunk.copy(this.#message, this.#filled, taken, taken + part);
    this.#filled += part;
    taken += part;
    if (this.#filled < this.#message.length) return { taken };
    const message = this.#message;
    this.#message = undefined;
    this.#headBytes = 0;
    return { taken, message };
  }
}
