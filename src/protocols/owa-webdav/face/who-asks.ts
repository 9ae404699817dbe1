import type { IncomingMessage } from 'node:http';
import { toBridgeError } from '../../../core/errors.ts';
import type { Requester } from '../../../core/request-context.ts';
import { basicCredentials } from '../../../platform/auth/basic-credentials.ts';
import type { SignIn } from '../../../platform/auth/sign-in.ts';
import { STATUS_OF } from '../../../platform/http-server/status-of.ts';
import { decodeSessionCookie } from '../session-cookie.ts';

/** Who signed in, and by which user name, where that is known (NTLM's is not). */
export interface Asker {
  readonly requester: Requester;
  readonly username: string | undefined;
}

/**
 * By the request's credentials, or, where it has none, by the cookie of a form logon.
 *
 * @throws BridgeError as SignIn
 */
export async function whoAsks(signIn: SignIn, request: IncomingMessage): Promise<Asker> {
  const { authorization, cookie } = request.headers;
  const session = authorization === undefined ? decodeSessionCookie(cookie) : undefined;
  if (session !== undefined) return { requester: await signIn.fromToken(session.token, 'owa-cookie', request), username: session.username };
  const requester = await signIn.fromRequest(request);
  return { requester, username: /^basic /i.test(authorization ?? '') ? basicCredentials(request)?.username : undefined };
}

/**
 * By the cookie alone; undefined where there is none that is good.
 *
 * @throws BridgeError as SignIn, but for what would be 401
 */
export async function whoHoldsCookie(signIn: SignIn, request: IncomingMessage): Promise<Asker | undefined> {
  const session = decodeSessionCookie(request.headers.cookie);
  if (session === undefined) return undefined;
  try {
    return { requester: await signIn.fromToken(session.token, 'owa-cookie', request), username: session.username };
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (STATUS_OF[error.code] !== 401) throw error;
    return undefined;
  }
}
