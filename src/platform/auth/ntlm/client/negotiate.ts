import { FLAG, MESSAGE_TYPE, SIGNATURE } from '../names.ts';

/** What we offer: as Windows does over HTTP. Neither signing, sealing nor a key of our own: nothing of HTTP would use them. */
export const OFFERED =
  FLAG.unicode | FLAG.oem | FLAG.requestTarget | FLAG.ntlm | FLAG.alwaysSign | FLAG.extendedSessionSecurity | FLAG.version | FLAG.bits128 | FLAG.bits56;

/** Windows 10 and NTLM revision 15 ([MS-NLMP] 2.2.2.10); for debugging only, says the specification. */
export const VERSION = Buffer.from([10, 0, 0x61, 0x4a, 0, 0, 0, 15]);

/**
 * NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1), always the same: no domain, no workstation. With the version field, 40 bytes: gss-ntlmssp refuses a shorter one (stack.md).
 */
export function encodeNegotiate(): Buffer {
  const message = Buffer.alloc(40);
  SIGNATURE.copy(message);
  message.writeUInt32LE(MESSAGE_TYPE.negotiate, 8);
  message.writeUInt32LE(OFFERED >>> 0, 12);
  // Both names are empty and "begin" behind the message.
  message.writeUInt32LE(message.length, 20);
  message.writeUInt32LE(message.length, 28);
  VERSION.copy(message, 32);
  return message;
}
