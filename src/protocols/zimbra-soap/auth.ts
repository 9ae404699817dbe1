import { BridgeError } from '../../core/errors.ts';
import { attribute, child, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { Preauth } from '../../platform/auth/sign-in.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import type { Answer } from './face/answer.ts';
import { flag, member } from './face/member.ts';
import { ZIMBRA_ACCOUNT_NS, ZIMBRA_ADMIN_NS } from './names.ts';

/** By account name and password (zimbra.md §1.3). */
export interface PasswordAuth {
  readonly account: string;
  readonly password: string;
}

/** What an AuthRequest brings: one of the three ways of signing in that we know. */
export type AuthRequest = (
  | ({ readonly by: 'password' } & PasswordAuth)
  | { readonly by: 'preauth'; readonly preauth: Preauth }
  | {
      readonly by: 'token';
      readonly token: string;
      /** `verifyAccount`: whose token it must be. */
      readonly account?: string;
    }
) & {
  /** The cookie is to outlive the browser. */
  readonly persistCookie: boolean;
};

/**
 * Reads an AuthRequest. `virtualHost` is ignored: a client's name is what the configuration says, with or without a domain.
 * A token is looked at before all else, as Zimbra does (Auth.java).
 *
 * @throws BridgeError INVALID_REQUEST for other ways of signing in (by id, with a second factor)
 */
export function decodeAuthRequest(request: XmlElement): AuthRequest {
  const persistCookie = flag(request, 'persistAuthTokenCookie');
  const token = member(request, 'authToken');
  const accountText = member(request, 'account');
  if (token !== undefined) {
    const verifies = flag(child(request, 'authToken'), 'verifyAccount');
    if (verifies && accountText === undefined) throw new BridgeError('INVALID_REQUEST', 'missing required element: account');
    return { by: 'token', token: token.trim(), persistCookie, ...(verifies ? { account: accountText!.trim() } : {}) };
  }
  if (accountText === undefined) throw new BridgeError('INVALID_REQUEST', 'missing required element: account');
  const by = attribute(child(request, 'account'), 'by') ?? 'name';
  if (by !== 'name') throw new BridgeError('INVALID_REQUEST', 'the account must be given by name');
  const account = accountText.trim();
  // A password may begin or end with a blank.
  const password = member(request, 'password');
  if (password !== undefined) return { by: 'password', account, password, persistCookie };
  const preauth = child(request, 'preauth');
  if (preauth === undefined) throw new BridgeError('INVALID_REQUEST', 'must specify password');
  const timestamp = member(preauth, 'timestamp') ?? '';
  const expires = member(preauth, 'expires') ?? '0';
  for (const [name, text] of [['timestamp', timestamp], ['expires', expires]] as const) {
    if (!/^\d{1,15}$/.test(text)) throw new BridgeError('INVALID_REQUEST', `invalid value for attribute: ${name}`);
  }
  return { by: 'preauth', preauth: { account, by, timestamp, expires, digest: preauth.text.trim() }, persistCookie };
}

export function encodeAuthRequest({ account, password }: PasswordAuth): XmlNode {
  return el(
    'AuthRequest',
    // A token secured against cross-site requests would want a second token beside it with every call.
    { xmlns: ZIMBRA_ACCOUNT_NS, csrfTokenSecured: '0' },
    el('account', { by: 'name' }, account),
    el('password', undefined, password),
  );
}

/** An administrator's sign-in: other namespace, other shape, the same answer (zimbra.md §1.3). */
export function encodeAdminAuthRequest({ account, password }: PasswordAuth): XmlNode {
  return el('AuthRequest', { xmlns: ZIMBRA_ADMIN_NS }, el('name', undefined, account), el('password', undefined, password));
}

export interface AuthResponse {
  readonly authToken: string;
  /** Milliseconds from now. */
  readonly lifetimeMs: number;
}

/** @throws BridgeError BACKEND_AUTH where the server wants a second factor, BACKEND_MALFORMED where there is no token or no lifetime */
export function decodeAuthResponse(response: XmlElement | undefined): AuthResponse {
  const secondFactor = childText(response, 'twoFactorAuthRequired')?.toLowerCase();
  if (secondFactor === '1' || secondFactor === 'true') {
    throw new BridgeError('BACKEND_AUTH', 'the calendar system wants a second factor: give the service account none');
  }
  const authToken = childText(response, 'authToken') ?? '';
  const lifetime = childText(response, 'lifetime') ?? '';
  if (response?.name !== 'AuthResponse' || authToken === '' || !/^\d{1,15}$/.test(lifetime)) {
    throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer the sign-in with a token');
  }
  return { authToken, lifetimeMs: Number(lifetime) };
}

/** No `skin` (there is no web client) and no `csrfToken` (nothing here changes anything): as a Zimbra without that check. */
export function authAnswer({ authToken, lifetimeMs }: AuthResponse): Answer {
  return {
    name: 'AuthResponse',
    ns: ZIMBRA_ACCOUNT_NS,
    parts: [
      { name: 'authToken', text: authToken },
      { name: 'lifetime', text: lifetimeMs, once: 'member' },
    ],
  };
}
