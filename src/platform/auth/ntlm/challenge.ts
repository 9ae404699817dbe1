import { encodeAvPairs } from './av-pairs.ts';
import { encodeFiletime } from './filetime.ts';
import { writeField } from './message.ts';
import { AV, FLAG, MESSAGE_TYPE, SIGNATURE } from './names.ts';
import type { Negotiate } from './negotiate.ts';

/** What we call ourselves: a NetBIOS name has 15 characters at most. Never what a client calls us. */
const NAME = 'FREEBUSY-BRIDGE';

/** Taken over from what the client offers. Signing, sealing and a key of its own are not: nothing of ours would use them. */
const TAKEN = FLAG.alwaysSign | FLAG.extendedSessionSecurity | FLAG.version | FLAG.bits128 | FLAG.bits56;

/** Told whether asked for or not, as Windows does: Apache's HttpClient 4.5 asks for no target and falls back to NTLMv1 where it gets none. */
const GIVEN = FLAG.requestTarget | FLAG.targetTypeServer | FLAG.targetInfo | FLAG.ntlm;

/** Windows Server 2008 R2 and NTLM revision 15: a number that every client knows ([MS-NLMP] 2.2.2.10). */
const VERSION = Buffer.from([6, 1, 0xb1, 0x1d, 0, 0, 0, 15]);

const FIXED_BYTES = 56;

/**
 * CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2) for a client that offered this. With TargetInfo, so that curl and
 * ews-javascript-api answer in NTLMv2, and with the time `now` (epoch ms) in it, so that Windows adds a MIC.
 *
 * @param serverChallenge 8 random bytes
 */
export function encodeChallenge({ flags: offered }: Negotiate, serverChallenge: Buffer, now: number): Buffer {
  const isUnicode = (offered & FLAG.unicode) !== 0;
  const taken = offered & TAKEN;
  const target = Buffer.from(NAME, isUnicode ? 'utf16le' : 'latin1');
  const name = Buffer.from(NAME, 'utf16le');
  const info = encodeAvPairs([
    { id: AV.nbDomainName, value: name },
    { id: AV.nbComputerName, value: name },
    { id: AV.timestamp, value: encodeFiletime(now) },
  ]);
  const fixed = Buffer.alloc(FIXED_BYTES);
  SIGNATURE.copy(fixed);
  fixed.writeUInt32LE(MESSAGE_TYPE.challenge, 8);
  writeField(fixed, 12, target.length, FIXED_BYTES);
  fixed.writeUInt32LE((taken | GIVEN | (isUnicode ? FLAG.unicode : FLAG.oem)) >>> 0, 20);
  serverChallenge.copy(fixed, 24);
  writeField(fixed, 40, info.length, FIXED_BYTES + target.length);
  if ((taken & FLAG.version) !== 0) VERSION.copy(fixed, 48);
  return Buffer.concat([fixed, target, info]);
}
