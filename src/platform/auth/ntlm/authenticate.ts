import { decodeAvPairs } from './av-pairs.ts';
import { decodeFiletime } from './filetime.ts';
import { messageTypeOf, readField, unreadable } from './message.ts';
import { AV, AV_FLAG_MIC, FLAG } from './names.ts';

/** AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3) as far as it proves who sends it. Nothing in it is proven yet. */
export interface Authenticate {
  readonly flags: number;
  /** As sent: `User`, or `User@domain` with an empty domain. */
  readonly username: string;
  readonly domain: string;
  /** Undefined: LM or NTLMv1 alone, or nobody (anonymous). */
  readonly response?: NtlmV2Response | undefined;
  /** RC4 of the key that the client chose; undefined where it sends none. */
  readonly encryptedSessionKey?: Buffer | undefined;
  /** The MIC, and the whole message with zeros in its place; undefined where the response says that there is none. */
  readonly integrity?: { readonly mic: Buffer; readonly message: Buffer } | undefined;
}

/** NTLMv2_RESPONSE ([MS-NLMP] 2.2.2.8). */
export interface NtlmV2Response {
  /** NTProofStr, 16 bytes. */
  readonly proof: Buffer;
  /** `temp` of 3.3.2: everything that the proof is made over beside the server's challenge. */
  readonly blob: Buffer;
  /** Epoch ms by the client's clock, or by ours where it took our time over. */
  readonly timestamp: number;
  readonly hasMic: boolean;
}

/** Up to the flags; older clients send no version and no MIC. */
const FIXED_BYTES = 64;
const MIC_AT = 72;
const MIC_BYTES = 16;
/** NTLMv1 and LM responses are 24 bytes; proof, fixed part and MsvAvEOL of NTLMv2 are 48. */
const V1_BYTES = 24;
const LEAST_V2_BYTES = 48;

/** @throws BridgeError AUTH_FAILED for another message, and one that points outside itself or breaks off */
export function decodeAuthenticate(message: Buffer): Authenticate {
  if (messageTypeOf(message) !== 'authenticate' || message.length < FIXED_BYTES) throw unreadable();
  const [, nt, domain, user, , sessionKey] = [12, 20, 28, 36, 44, 52].map((at) => readField(message, at, FIXED_BYTES)) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
  const flags = message.readUInt32LE(60);
  const isUnicode = (flags & FLAG.unicode) !== 0;
  const response = (flags & FLAG.anonymous) !== 0 || nt.length <= V1_BYTES ? undefined : decodeResponse(nt);
  return {
    flags,
    username: decodeText(user, isUnicode),
    domain: decodeText(domain, isUnicode),
    response,
    encryptedSessionKey: sessionKey.length === 0 ? undefined : sessionKey,
    integrity: response?.hasMic === true ? decodeIntegrity(message) : undefined,
  };
}

function decodeResponse(nt: Buffer): NtlmV2Response {
  const blob = nt.subarray(16);
  if (nt.length < LEAST_V2_BYTES || blob[0] !== 1 || blob[1] !== 1) throw unreadable();
  const hasMic = decodeAvPairs(blob.subarray(28)).some(({ id, value }) => id === AV.flags && value.length === 4 && (value.readUInt32LE(0) & AV_FLAG_MIC) !== 0);
  return { proof: nt.subarray(0, 16), blob, timestamp: decodeFiletime(blob, 8), hasMic };
}

function decodeIntegrity(message: Buffer): { mic: Buffer; message: Buffer } {
  // Whoever announces a MIC has a place for it: a field that begins before its end would be checked with zeros in it.
  for (const at of [12, 20, 28, 36, 44, 52]) readField(message, at, MIC_AT + MIC_BYTES);
  const blank = Buffer.from(message);
  blank.fill(0, MIC_AT, MIC_AT + MIC_BYTES);
  return { mic: message.subarray(MIC_AT, MIC_AT + MIC_BYTES), message: blank };
}

/** OEM is whatever code page the client has: byte by byte is what curl's own hash is made of. */
function decodeText(bytes: Buffer, isUnicode: boolean): string {
  if (isUnicode && bytes.length % 2 !== 0) throw unreadable();
  return bytes.toString(isUnicode ? 'utf16le' : 'latin1');
}
