import type { IncomingMessage } from 'node:http';
import { toBridgeError } from '../../../core/errors.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { SignIn } from '../../../platform/auth/sign-in.ts';
import { STATUS_OF } from '../../../platform/http-server/status-of.ts';
import { decodeSessionCookie } from '../session-cookie.ts';

/**
 * By the request's credentials, or, where it has none, by the cookie of a form logon.
 *
 * @throws BridgeError as SignIn
 */
export async function whoAsks(signIn: SignIn, request: IncomingMessage): Promise<Requester> {
  const { authorization, cookie } = request.headers;
  const token = authorization === undefined ? decodeSessionCookie(cookie) : undefined;
  return token === undefined ? signIn.fromRequest(request) : signIn.fromToken(token, 'owa-cookie', request);
}

/**
 * By the cookie alone; undefined where there is none that is good.
 *
 * @throws BridgeError as SignIn, but for what would be 401
 */
export async function whoHoldsCookie(signIn: SignIn, request: IncomingMessage): Promise<Requester | undefined> {
  const token = decodeSessionCookie(request.headers.cookie);
  if (token === undefined) return undefined;
  try {
    return await signIn.fromToken(token, 'owa-cookie', request);
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (STATUS_OF[error.code] !== 401) throw error;
    return undefined;
  }
}
