import { BridgeError } from '../../../../core/errors.ts';
import { encodeAvPairs } from '../av-pairs.ts';
import type { AvPair } from '../av-pairs.ts';
import { writeField } from '../message.ts';
import { AV, AV_FLAG_MIC, FLAG, MESSAGE_TYPE, SIGNATURE } from '../names.ts';
import { micOf, ntHash, proofOf, responseKey, sessionBaseKey } from '../response.ts';
import type { Challenge } from './challenge.ts';
import type { NtlmAccount } from './account.ts';
import { OFFERED, VERSION } from './negotiate.ts';

/** What an answer is made of beside the account. */
export interface AuthenticateOptions {
  readonly challenge: Challenge;
  /** The message that the challenge answers. */
  readonly negotiate: Buffer;
  /** 8 random bytes. */
  readonly clientChallenge: Buffer;
  /** Our time as a FILETIME, for servers that do not say theirs. */
  readonly time: Buffer;
  /** MsvAvTargetName: `HTTP/host`. */
  readonly targetName: string;
  /** MsvAvChannelBindings, 16 bytes; absent: the connection is none that has any. */
  readonly channelBindings?: Buffer | undefined;
}

const MIC_AT = 72;
const MIC_BYTES = 16;

/**
 * AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3) with an NTLMv2 response (3.3.2). With a MIC where the server says its time (3.1.5.1.2), and then 24 zeros for LM; the
 * target's name and the channel's bindings go to every server that sends TargetInfo.
 *
 * @throws BridgeError BACKEND_AUTH where the server takes no Unicode and the names need it
 */
export function encodeAuthenticate(account: NtlmAccount, options: AuthenticateOptions): Buffer {
  const { challenge, negotiate, clientChallenge } = options;
  const { serverChallenge, timestamp } = challenge;
  const key = responseKey(ntHash(account.password), account.username, account.domain);
  const blob = encodeBlob(timestamp ?? options.time, clientChallenge, answeredTargetInfo(challenge.targetInfo, options));
  const proof = proofOf(key, serverChallenge, blob);
  // LMv2 (3.3.2) is made like the proof, over the client's challenge alone.
  const lm = timestamp === undefined ? Buffer.concat([proofOf(key, serverChallenge, clientChallenge), clientChallenge]) : Buffer.alloc(24);
  const isUnicode = (challenge.flags & FLAG.unicode) !== 0;
  const hasMic = timestamp !== undefined;
  const message = encodeMessage({
    flags: (challenge.flags & (OFFERED | FLAG.targetInfo) & ~(isUnicode ? FLAG.oem : 0)) >>> 0,
    // Domain, user and workstation in the order of their fields follow LM and NT.
    fields: [lm, Buffer.concat([proof, blob]), encodeName(account.domain, isUnicode), encodeName(account.username, isUnicode), Buffer.alloc(0), Buffer.alloc(0)],
    hasMic,
  });
  if (hasMic) micOf(sessionBaseKey(key, proof), negotiate, challenge.message, message).copy(message, MIC_AT);
  return message;
}

/**
 * The server's pairs as the response carries them (3.1.5.1.2): its own, then that there is a MIC (MsvAvFlags), the channel's bindings and the target's name. What the
 * server itself says of these last two is not passed on. Empty where it sends none.
 */
export function answeredTargetInfo(pairs: readonly AvPair[], { targetName, channelBindings, hasMic = pairs.some(({ id }) => id === AV.timestamp) }: Pick<AuthenticateOptions, 'targetName' | 'channelBindings'> & { readonly hasMic?: boolean }): Buffer {
  if (pairs.length === 0) return encodeAvPairs([]);
  const flags = Buffer.alloc(4);
  const said = pairs.find(({ id, value }) => id === AV.flags && value.length === 4)?.value.readUInt32LE(0) ?? 0;
  flags.writeUInt32LE((said | (hasMic ? AV_FLAG_MIC : 0)) >>> 0);
  return encodeAvPairs([
    ...pairs.filter(({ id }) => id !== AV.flags && id !== AV.channelBindings && id !== AV.targetName),
    ...(said === 0 && !hasMic ? [] : [{ id: AV.flags, value: flags }]),
    ...(channelBindings === undefined ? [] : [{ id: AV.channelBindings, value: channelBindings }]),
    { id: AV.targetName, value: Buffer.from(targetName, 'utf16le') },
  ]);
}

/** `temp` of 3.3.2. */
function encodeBlob(time: Buffer, clientChallenge: Buffer, targetInfo: Buffer): Buffer {
  return Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]), time, clientChallenge, Buffer.alloc(4), targetInfo, Buffer.alloc(4)]);
}

function encodeName(name: string, isUnicode: boolean): Buffer {
  if (isUnicode) return Buffer.from(name, 'utf16le');
  // Which code page the server has is nowhere said.
  if (/^[\x20-\x7e]*$/.test(name)) return Buffer.from(name, 'latin1');
  throw new BridgeError('BACKEND_AUTH', 'the calendar system takes no such user name', { details: { reason: 'NTLM without Unicode', hint: 'the server takes ASCII only in NTLM: use an account whose name has no other characters' } });
}

function encodeMessage({ flags, fields, hasMic }: { readonly flags: number; readonly fields: readonly Buffer[]; readonly hasMic: boolean }): Buffer {
  const fixed = Buffer.alloc(hasMic ? MIC_AT + MIC_BYTES : MIC_AT);
  SIGNATURE.copy(fixed);
  fixed.writeUInt32LE(MESSAGE_TYPE.authenticate, 8);
  let offset = fixed.length;
  for (const [index, field] of fields.entries()) {
    writeField(fixed, 12 + 8 * index, field.length, offset);
    offset += field.length;
  }
  fixed.writeUInt32LE(flags, 60);
  if ((flags & FLAG.version) !== 0) VERSION.copy(fixed, 64);
  return Buffer.concat([fixed, ...fields]);
}
