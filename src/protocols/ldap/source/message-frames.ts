import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';

/**
 * Cuts what comes from a server into whole LDAP messages (RFC 4511 §5.1: BER, definite lengths), however it was cut into packets. What is longer than
 * LIMITS.ldapEntryBytes is refused by its first octets, before anything of it is kept.
 */
export class MessageFrames {
  #parts: Buffer[] = [];
  #held = 0;
  #needed = 0;

  /** Octets of a message that is not whole yet. */
  get held(): number {
    return this.#held;
  }

  /**
   * The messages that are whole now, each with its tag and length.
   *
   * @throws BridgeError BACKEND_MALFORMED, BACKEND_TOO_LARGE
   */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    // Joined once for a message, not once for a packet: a group of 100,000 members comes in hundreds.
    let bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    for (;;) {
      const length = messageLength(bytes);
      if (length === undefined || bytes.length < length) {
        this.#parts = bytes.length === 0 ? [] : [bytes];
        this.#held = bytes.length;
        this.#needed = length ?? 0;
        return;
      }
      yield bytes.subarray(0, length);
      bytes = bytes.subarray(length);
    }
  }
}

/** Of the message that begins here, its head included; undefined while the head is not whole. */
function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length > 0 && bytes[0] !== SEQUENCE) throw new BridgeError('BACKEND_MALFORMED', 'the directory does not speak LDAP');
  if (bytes.length < 2) return undefined;
  const first = bytes[1]!;
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4) throw new BridgeError('BACKEND_MALFORMED', 'the directory sent a length that LDAP does not have');
  if (bytes.length < 2 + octets) return undefined;
  const length = 2 + octets + bytes.readUIntBE(2, octets);
  if (length > LIMITS.ldapEntryBytes) throw new BridgeError('BACKEND_TOO_LARGE', 'one entry of the directory is too large', { details: { limit: 'ldapEntryBytes', bytes: length } });
  return length;
}

const SEQUENCE = 0x30;
