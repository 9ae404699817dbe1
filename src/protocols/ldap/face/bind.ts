import { toBridgeError } from '../../../core/errors.ts';
import type { BridgeError } from '../../../core/errors.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { BerReader } from '../ber-read.ts';
import { RESULT } from '../names.ts';
import { usernameOf } from './bind-name.ts';
import { decodeBindRequest } from './bind-request.ts';
import type { Rdn } from './distinguished-name.ts';
import { resultOf } from './result-code.ts';
import type { Result } from './result-message.ts';
import type { LdapSignIn } from './services.ts';

/** Who a connection speaks for after a bind; `requester` is undefined for nobody, which every bind but a good one leads to (RFC 4511 §4.2.1). */
export interface Bound {
  readonly result: Result;
  readonly requester: Requester | undefined;
  readonly error?: BridgeError;
}

export interface BindContext {
  readonly signIn: LdapSignIn;
  readonly baseName: readonly Rdn[];
  readonly address: string;
  /** TLS, or both ends on one machine: nobody on the way reads the password. */
  readonly isConfidential: boolean;
}

/**
 * Signs in with a name and password (RFC 4513 §5.1). Nothing at all is an anonymous bind; a name without a password is refused, because programs take it for a right one; so is a password that
 * others on the way could read.
 *
 * @throws BridgeError INVALID_REQUEST
 */
export async function bind(content: BerReader, { signIn, baseName, address, isConfidential }: BindContext): Promise<Bound> {
  const { version, name, authentication } = decodeBindRequest(content);
  const nobody = (result: Result): Bound => ({ result, requester: undefined });
  if (version !== 3) return nobody({ code: RESULT.protocolError, message: 'LDAP version 3 only' });
  if (authentication.kind === 'other') return nobody({ code: RESULT.authMethodNotSupported, message: 'simple binds only' });
  const { password } = authentication;
  if (password === '') return nobody(name === '' ? { code: RESULT.success } : { code: RESULT.unwillingToPerform, message: 'a bind without a password is no bind' });
  if (!isConfidential) return nobody({ code: RESULT.confidentialityRequired, message: 'passwords over TLS only' });
  try {
    return { result: { code: RESULT.success }, requester: await signIn.withPassword(usernameOf(name, baseName), password, address) };
  } catch (thrown) {
    const error = toBridgeError(thrown);
    return { result: resultOf(error), requester: undefined, error };
  }
}
