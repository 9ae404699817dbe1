import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMITS } from '../../../core/limits.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { SignIn } from '../../../platform/auth/sign-in.ts';
import { cookieNamed } from '../../../platform/http-server/cookie.ts';
import { scopeOf } from '../../../platform/http-server/request-scope.ts';
import { TOKEN_COOKIE } from '../names.ts';

/** A token, and how long it is good for. */
export interface IssuedToken {
  readonly authToken: string;
  readonly lifetimeMs: number;
}

/** Makes a token; `lifetimeMs` is shorter than usual where a preauth says so. */
export function issueToken(signIn: SignIn, requester: Requester, lifetimeMs: number): IssuedToken {
  return { authToken: signIn.issueToken(requester, 'zimbra-token', lifetimeMs), lifetimeMs };
}

/**
 * Sets a token as cookie, which alone authenticates SOAP (zimbra.md §1.3).
 *
 * @param persists the cookie outlives the browser
 */
export function setTokenCookie(request: IncomingMessage, response: ServerResponse, { authToken, lifetimeMs }: IssuedToken, persists = false): void {
  const age = persists ? `; Max-Age=${Math.floor(lifetimeMs / 1000)}` : '';
  response.appendHeader('Set-Cookie', `${TOKEN_COOKIE}=${authToken}; Path=/; HttpOnly${scopeOf(request).secure ? '; Secure' : ''}${age}`);
}

/** How long the token of somebody with a preauth is good: until it says, and no longer than any other. Undefined: not any more. */
export function preauthLifetime(expires: string, now: number): number | undefined {
  if (Number(expires) === 0) return LIMITS.zimbraTokenMs;
  const left = Number(expires) - now;
  return left > 0 ? Math.min(left, LIMITS.zimbraTokenMs) : undefined;
}

/** The token in the request's cookie. */
export function tokenCookie(request: IncomingMessage): string | undefined {
  const value = cookieNamed(TOKEN_COOKIE, request.headers.cookie);
  return value === '' ? undefined : value;
}
