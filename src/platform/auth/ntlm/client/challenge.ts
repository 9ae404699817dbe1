import { BridgeError } from '../../../../core/errors.ts';
import { LIMITS } from '../../../../core/limits.ts';
import { decodeAvPairs } from '../av-pairs.ts';
import type { AvPair } from '../av-pairs.ts';
import { messageTypeOf, readField } from '../message.ts';
import { AV, FLAG } from '../names.ts';

/** CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2) as its server sent it. */
export interface Challenge {
  /** The whole message; the MIC is made over it. */
  readonly message: Buffer;
  readonly flags: number;
  /** 8 bytes. */
  readonly serverChallenge: Buffer;
  /** In its order; empty where it sends none. */
  readonly targetInfo: readonly AvPair[];
  /** MsvAvTimestamp, a FILETIME of 8 bytes; undefined where it sends none. */
  readonly timestamp: Buffer | undefined;
}

/** Servers before Windows 2000 end here. */
const LEAST_BYTES = 32;
/** With the fields of TargetInfo. */
const WITH_INFO_BYTES = 48;

/** @throws BridgeError BACKEND_AUTH for another message, one that breaks off, points outside itself, or takes neither Unicode nor OEM names */
export function decodeChallenge(message: Buffer): Challenge {
  try {
    if (message.length > LIMITS.ntlmServerMessageBytes || messageTypeOf(message) !== 'challenge' || message.length < LEAST_BYTES) throw hostile();
    const flags = message.readUInt32LE(20);
    if ((flags & (FLAG.unicode | FLAG.oem)) === 0) throw hostile();
    readField(message, 12, LEAST_BYTES);
    const targetInfo = (flags & FLAG.targetInfo) === 0 ? [] : decodeTargetInfo(message);
    const timestamp = targetInfo.find(({ id }) => id === AV.timestamp)?.value;
    if (timestamp !== undefined && timestamp.length !== 8) throw hostile();
    return { message, flags, serverChallenge: message.subarray(24, 32), targetInfo, timestamp };
  } catch (error) {
    throw hostile(error);
  }
}

function decodeTargetInfo(message: Buffer): readonly AvPair[] {
  if (message.length < WITH_INFO_BYTES) throw hostile();
  const bytes = readField(message, 40, WITH_INFO_BYTES);
  return bytes.length === 0 ? [] : decodeAvPairs(bytes);
}

function hostile(cause?: unknown): BridgeError {
  return new BridgeError('BACKEND_AUTH', 'the sign-in of the calendar system cannot be read', {
    cause,
    details: { reason: 'NTLM challenge', hint: 'the server sends an NTLM challenge that cannot be read: ask it with `curl --ntlm -v`, and look for a proxy in between' },
  });
}
