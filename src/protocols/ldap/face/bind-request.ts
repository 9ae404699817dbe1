import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { BER } from '../ber-read.ts';
import type { BerReader } from '../ber-read.ts';
import { contextTag } from '../names.ts';

/** RFC 4511 §4.2 */
export interface BindRequest {
  readonly version: number;
  readonly name: string;
  /** `other`: SASL, or what no specification has. */
  readonly authentication: { readonly kind: 'simple'; readonly password: string } | { readonly kind: 'other' };
}

/** @throws BridgeError INVALID_REQUEST */
export function decodeBindRequest(content: BerReader): BindRequest {
  const version = content.expect(BER.integer).integer();
  const name = content.expect(BER.octetString).text();
  const { tag, content: value } = content.element();
  if (tag !== contextTag(0, false)) return { version, name: name ?? '', authentication: { kind: 'other' } };
  const password = value.text();
  if (name === undefined || password === undefined) throw new BridgeError('INVALID_REQUEST', 'a name or password that is no UTF-8');
  if (name.length > LIMITS.credentialCharacters || password.length > LIMITS.credentialCharacters) throw new BridgeError('INVALID_REQUEST', 'a name or password too long to be one');
  return { version, name, authentication: { kind: 'simple', password } };
}
