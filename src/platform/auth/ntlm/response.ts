import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Authenticate, NtlmV2Response } from './authenticate.ts';
import { md4 } from './md4.ts';
import { FLAG } from './names.ts';
import { rc4 } from './rc4.ts';

/** NTOWFv1 ([MS-NLMP] 3.3.1): as good as the password itself; kept in memory only. */
export function ntHash(password: string): Buffer {
  return md4(Buffer.from(password, 'utf16le'));
}

/** NTOWFv2 (3.3.2): the user's name in capitals, the domain as the client sent it. */
export function responseKey(hash: Buffer, username: string, domain: string): Buffer {
  return hmacMd5(hash, Buffer.from(capitals(username) + domain, 'utf16le'));
}

/** NTProofStr (3.3.2), 16 bytes. */
export function proofOf(key: Buffer, serverChallenge: Buffer, blob: Buffer): Buffer {
  return hmacMd5(key, serverChallenge, blob);
}

/** SessionBaseKey, which is NTLMv2's KeyExchangeKey as well (3.3.2, 3.4.5.1). */
export function sessionBaseKey(key: Buffer, proof: Buffer): Buffer {
  return hmacMd5(key, proof);
}

/** Whether the response is the right one to this challenge. Takes as long for a wrong one. */
export function isRightResponse({ proof, blob }: NtlmV2Response, key: Buffer, serverChallenge: Buffer): boolean {
  return timingSafeEqual(proofOf(key, serverChallenge, blob), proof);
}

/**
 * Whether the MIC of a message that announces one is right (3.2.5.1.2); true where none is announced, as by curl and
 * ews-javascript-api. A response to which the announcement was added or from which it was taken is wrong itself.
 */
export function isIntact(message: Authenticate, key: Buffer, negotiate: Buffer, challenge: Buffer): boolean {
  const { response, integrity } = message;
  if (response === undefined || integrity === undefined) return true;
  const exported = exportedSessionKey(message, sessionBaseKey(key, response.proof));
  return exported !== undefined && timingSafeEqual(micOf(exported, negotiate, challenge, integrity.message), integrity.mic);
}

/** The MIC (3.1.5.1.2, 3.2.5.1.2) over the three messages, `authenticate` with zeros in its place. */
export function micOf(exportedKey: Buffer, negotiate: Buffer, challenge: Buffer, authenticate: Buffer): Buffer {
  return hmacMd5(exportedKey, negotiate, challenge, authenticate);
}

/** Undefined where the client claims a key of its own and sends none. A key is sent where one was agreed on: never asked for by us, and taken where a client insists. */
function exportedSessionKey({ flags, encryptedSessionKey }: Authenticate, keyExchangeKey: Buffer): Buffer | undefined {
  if ((flags & FLAG.keyExchange) === 0) return keyExchangeKey;
  if (encryptedSessionKey?.length === 16) return rc4(keyExchangeKey, encryptedSessionKey);
  return (flags & (FLAG.sign | FLAG.seal)) === 0 ? keyExchangeKey : undefined;
}

/** Every UTF-16 unit by itself, as Windows does it: `ß` stays what it is. */
function capitals(text: string): string {
  return Array.from({ length: text.length }, (_, index) => {
    const upper = text[index]!.toUpperCase();
    return upper.length === 1 ? upper : text[index]!;
  }).join('');
}

function hmacMd5(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('md5', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
