import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { BER, BerReader } from '../ber-read.ts';
import { contextTag } from '../names.ts';

/** RFC 4511 §4.1.11 */
export interface RequestControl {
  readonly type: string;
  readonly isCritical: boolean;
  readonly value: Buffer | undefined;
}

/** RFC 4511 §4.1.1 */
export interface RequestMessage {
  /** 1 to 2³¹ − 1. */
  readonly id: number;
  /** Tag of the protocol operation. */
  readonly operation: number;
  /** What is in it, not read yet. */
  readonly content: BerReader;
  /** Not read yet: their mistakes are those of their operation. */
  readonly controls: BerReader | undefined;
}

const MOST_ID = 2 ** 31 - 1;

/**
 * Reads the envelope of a request: whole message in, operation and controls still as they came.
 *
 * @throws BridgeError INVALID_REQUEST where it is none; nobody can be answered then but by a notice of disconnection
 */
export function decodeRequestMessage(bytes: Buffer): RequestMessage {
  const message = new BerReader(bytes).expect(BER.sequence);
  const id = message.expect(BER.integer).integer();
  // 0 is for unsolicited notifications, which are the server's.
  if (id < 1 || id > MOST_ID) throw new BridgeError('INVALID_REQUEST', 'no message has this id');
  const { tag, content } = message.element();
  // What else may follow is for later versions of the protocol (§4: extensibility).
  return { id, operation: tag, content, controls: message.optional(contextTag(0, true)) };
}

/** @throws BridgeError INVALID_REQUEST */
export function decodeControls(controls: BerReader | undefined): readonly RequestControl[] {
  const found: RequestControl[] = [];
  while (controls !== undefined && !controls.isAtEnd) {
    if (found.length === LIMITS.ldapControls) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.ldapControls} controls`);
    const control = controls.expect(BER.sequence);
    const type = control.expect(BER.octetString).text() ?? '';
    const isCritical = control.optional(BER.boolean)?.boolean() ?? false;
    found.push({ type, isCritical, value: control.optional(BER.octetString)?.bytes() });
  }
  return found;
}
