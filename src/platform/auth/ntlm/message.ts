import { BridgeError } from '../../../core/errors.ts';
import { MESSAGE_TYPE, SIGNATURE } from './names.ts';

/** What cannot be read as the message it should be; the client is told no more than of a wrong password. */
export function unreadable(): BridgeError {
  return new BridgeError('AUTH_FAILED', 'the credentials cannot be read');
}

/** Which message it is; undefined where it is none. Reads nothing but the first twelve bytes. */
export function messageTypeOf(message: Buffer): keyof typeof MESSAGE_TYPE | undefined {
  if (message.length < 12 || !message.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  const type = message.readUInt32LE(8);
  return (Object.keys(MESSAGE_TYPE) as (keyof typeof MESSAGE_TYPE)[]).find((name) => MESSAGE_TYPE[name] === type);
}

/**
 * The bytes to which the eight bytes at `at` point (length, allocated, offset: [MS-NLMP] 2.2). Its offset is of no meaning
 * where the length is 0. `payloadAt`: where the fixed part ends; nothing points into that.
 *
 * @throws BridgeError AUTH_FAILED where it points outside the message
 */
export function readField(message: Buffer, at: number, payloadAt: number): Buffer {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (length === 0) return Buffer.alloc(0);
  if (offset < payloadAt || offset + length > message.length) throw unreadable();
  return message.subarray(offset, offset + length);
}

/** Writes length, allocated length and offset at `at`. */
export function writeField(message: Buffer, at: number, length: number, offset: number): void {
  message.writeUInt16LE(length, at);
  message.writeUInt16LE(length, at + 2);
  message.writeUInt32LE(offset, at + 4);
}
