import type { Dispatcher } from 'undici';
import { BridgeError } from '../../core/errors.ts';
import type { ErrorDetails } from '../../core/errors.ts';
import { challengesOf, schemesOf } from './authenticate-challenges.ts';
import type { Authentication } from './authentication.ts';

const REFUSED = 'the calendar system refuses the sign-in of the bridge';

/** A sign-in that came to nothing, in words that an administrator can act on. */
export function signInRefused(hint: string, details: ErrorDetails = {}, options: { readonly temporary?: boolean; readonly cause?: unknown } = {}): BridgeError {
  return new BridgeError('BACKEND_AUTH', REFUSED, { ...options, details: { status: 401, ...details, hint } });
}

/** Why a 401 came, as far as the answer tells, when everything had been said that this kind of sign-in says. */
export function refusalOf(authentication: Authentication | undefined, headers: Dispatcher.ResponseData['headers']): BridgeError {
  const offered = challengesOf(headers['www-authenticate']);
  const offers = schemesOf(offered);
  const has = (scheme: string): boolean => offered.some((one) => one.scheme === scheme);
  switch (authentication?.kind) {
    case undefined:
      return signInRefused('the server wants a sign-in: set username and password', { offers });
    case 'basic':
      if (has('basic') || offered.length === 0) return signInRefused('wrong user name or password, or a locked account', { offers });
      return signInRefused(`the server does not offer Basic: ${has('ntlm') || has('negotiate') ? 'set auth: ntlm, or switch Basic on' : has('bearer') ? 'set auth: oauth, or switch Basic on' : 'switch it on'}`, { offers, isUnjudged: true });
    case 'ntlm':
      return signInRefused('wrong user name or password, a locked account, or Extended Protection behind a proxy that ends TLS', { offers });
    case 'bearer':
      return bearerRefusal(offers, [headers['x-ms-diagnostics'] ?? ''].flat().join(' '), offered.find(({ scheme }) => scheme === 'bearer')?.parameters ?? {}, has('bearer') || offered.length === 0);
  }
}

function bearerRefusal(offers: string, diagnostics: string, parameters: Readonly<Record<string, string>>, offersBearer: boolean): BridgeError {
  if (!offersBearer) return signInRefused('the server takes no tokens (OAuth): set it up there (Set-AuthServer, Set-OrganizationConfig -OAuth2ClientProfileEnabled), or set auth: ntlm or basic', { offers });
  // Of Exchange's own words only the category, of the standard's only the code: both are names.
  const category = /error_category="?([a-z_]{1,40})\b/.exec(diagnostics)?.[1] ?? /^[a-z_]{1,40}$/.exec(parameters['error'] ?? '')?.[0];
  const hint = 'the server takes no such token: check scope, the permissions of the application (full_access_as_app, or an RBAC role), and the clocks';
  return signInRefused(hint, { offers, ...(category === undefined ? {} : { reason: category }) });
}
