import { isUtf8 } from 'node:buffer';
import { BridgeError } from '../../core/errors.ts';

/** One element: its tag octet, and the reader of its content. */
export interface BerElement {
  readonly tag: number;
  readonly content: BerReader;
}

export const BER = { boolean: 0x01, integer: 0x02, octetString: 0x04, enumerated: 0x0a, sequence: 0x30, set: 0x31 } as const;

/**
 * Reads BER as RFC 4511 §5.1 restricts it: definite lengths only, tags of one octet, octet strings in one piece. Nothing is copied, no length is believed beyond
 * the bytes that are there, and nothing recurses by itself.
 *
 * Every method throws BridgeError INVALID_REQUEST where the bytes are no such thing.
 */
export class BerReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next element's tag, without reading it; undefined at the end. */
  get nextTag(): number | undefined {
    return this.isAtEnd ? undefined : this.#bytes[this.#at];
  }

  /** The next element, whatever it is. */
  element(): BerElement {
    const header = berHeader(this.#bytes.subarray(this.#at, this.#end));
    if (header === undefined) throw malformed('an element breaks off');
    const start = this.#at + header.headerBytes;
    const end = start + header.contentBytes;
    if (end > this.#end) throw malformed('an element is longer than what holds it');
    this.#at = end;
    return { tag: header.tag, content: new BerReader(this.#bytes, start, end) };
  }

  /** The content of the next element, which must have this tag. */
  expect(tag: number): BerReader {
    if (this.nextTag !== tag) throw malformed('another element was expected');
    return this.element().content;
  }

  /** The content of the next element if it has this tag. */
  optional(tag: number): BerReader | undefined {
    return this.nextTag === tag ? this.element().content : undefined;
  }

  /** Whatever is left of this content, as it stands. */
  bytes(): Buffer {
    const rest = this.#bytes.subarray(this.#at, this.#end);
    this.#at = this.#end;
    return rest;
  }

  /** This content as UTF-8; undefined where it is none. */
  text(): string | undefined {
    const bytes = this.bytes();
    return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  }

  /** This content as an integer of at most four octets; all that LDAP has (maxInt is 2³¹ − 1). */
  integer(): number {
    const bytes = this.bytes();
    if (bytes.length === 0 || bytes.length > 4) throw malformed('an integer has no or too many octets');
    return bytes.readIntBE(0, bytes.length);
  }

  boolean(): boolean {
    const bytes = this.bytes();
    if (bytes.length !== 1) throw malformed('a boolean has not one octet');
    return bytes[0] !== 0;
  }
}

export interface BerHeader {
  readonly tag: number;
  readonly headerBytes: number;
  readonly contentBytes: number;
}

/**
 * Tag and length at the beginning of `bytes`; undefined where they are not whole yet.
 *
 * @throws BridgeError INVALID_REQUEST for tags of several octets, indefinite lengths, and lengths in more than four octets
 */
export function berHeader(bytes: Buffer): BerHeader | undefined {
  const [tag, first] = bytes;
  if (tag === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag of several octets');
  if (first === undefined) return undefined;
  if (first < 0x80) return { tag, headerBytes: 2, contentBytes: first };
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4) throw malformed('an indefinite length, or one of more than four octets');
  if (bytes.length < 2 + octets) return undefined;
  return { tag, headerBytes: 2 + octets, contentBytes: bytes.readUIntBE(2, octets) };
}

function malformed(reason: string): BridgeError {
  return new BridgeError('INVALID_REQUEST', `not to be read as LDAP: ${reason}`);
}
