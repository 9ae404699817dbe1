import { BridgeError } from '../../core/errors.ts';
import { attribute, child, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ZIMBRA_ACCOUNT_NS, ZIMBRA_ADMIN_NS } from './names.ts';

/** AuthRequest by account name and password (zimbra.md §1.3). */
export interface AuthRequest {
  readonly account: string;
  readonly password: string;
}

/** @throws BridgeError INVALID_REQUEST for other ways of signing in (by id, preauth, a token), which are not supported */
export function decodeAuthRequest(request: XmlElement): AuthRequest {
  const account = child(request, 'account');
  const password = child(request, 'password');
  if (account === undefined || password === undefined) throw new BridgeError('INVALID_REQUEST', 'account and password are required');
  const by = attribute(account, 'by') ?? 'name';
  if (by !== 'name') throw new BridgeError('INVALID_REQUEST', 'the account must be given by name');
  // A password may begin or end with a blank.
  return { account: account.text.trim(), password: password.text };
}

export function encodeAuthRequest({ account, password }: AuthRequest): XmlNode {
  return el(
    'AuthRequest',
    // A token secured against cross-site requests would want a second token beside it with every call.
    { xmlns: ZIMBRA_ACCOUNT_NS, csrfTokenSecured: '0' },
    el('account', { by: 'name' }, account),
    el('password', undefined, password),
  );
}

/** An administrator's sign-in: other namespace, other shape, the same answer (zimbra.md §1.3). */
export function encodeAdminAuthRequest({ account, password }: AuthRequest): XmlNode {
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

export function encodeAuthResponse({ authToken, lifetimeMs }: AuthResponse): XmlNode {
  return el('AuthResponse', { xmlns: ZIMBRA_ACCOUNT_NS }, el('authToken', undefined, authToken), el('lifetime', undefined, lifetimeMs));
}
