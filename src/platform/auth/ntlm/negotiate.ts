import { messageTypeOf, readField, unreadable } from './message.ts';
import { FLAG } from './names.ts';

/** NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1): what a client offers. The names it may add are nobody's proof of anything and are not read. */
export interface Negotiate {
  readonly flags: number;
}

const DOMAIN_SUPPLIED = 0x1000;
const WORKSTATION_SUPPLIED = 0x2000;

/**
 * The message of 16 (the oldest clients), 32 or 40 bytes and its two names.
 *
 * @throws BridgeError AUTH_FAILED for another message, a name outside it, or a client that has neither Unicode nor OEM (3.2.5.1.1)
 */
export function decodeNegotiate(message: Buffer): Negotiate {
  if (messageTypeOf(message) !== 'negotiate' || message.length < 16) throw unreadable();
  const flags = message.readUInt32LE(12);
  if ((flags & (FLAG.unicode | FLAG.oem)) === 0) throw unreadable();
  for (const [flag, at] of [[DOMAIN_SUPPLIED, 16], [WORKSTATION_SUPPLIED, 24]] as const) {
    if ((flags & flag) === 0) continue;
    if (message.length < at + 8) throw unreadable();
    readField(message, at, 32);
  }
  return { flags };
}
