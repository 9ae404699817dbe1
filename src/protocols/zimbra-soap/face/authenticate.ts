import type { IncomingMessage, ServerResponse } from 'node:http';
import { BridgeError } from '../../../core/errors.ts';
import type { Clock } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { SignIn } from '../../../platform/auth/sign-in.ts';
import { noteForLog } from '../../../platform/http-server/request-scope.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { authAnswer, decodeAuthRequest } from '../auth.ts';
import type { AuthRequest } from '../auth.ts';
import { decodeRequestHeader } from '../context-header.ts';
import type { Answer } from './answer.ts';
import { issueToken, preauthLifetime, setTokenCookie, tokenCookie } from './token-cookie.ts';
import type { IssuedToken } from './token-cookie.ts';

/** Signs clients in: by an AuthRequest, and by what every other request carries. */
export interface Authenticator {
  /** Answers an AuthRequest, setting the cookie. @throws BridgeError */
  authenticate(operation: XmlElement, request: IncomingMessage, response: ServerResponse): Promise<Answer>;
  /**
   * Token in the context header, else the cookie, else HTTP Basic, else an anonymous client. A token that was sent must be good: to
   * Zimbra a malformed one counts as none and the question goes on anonymously (zimbra.md §1.5); here it is a fault.
   */
  requesterOf(header: XmlElement | undefined, request: IncomingMessage): Promise<Requester>;
}

export function createAuthenticator({ signIn, clock }: { readonly signIn: SignIn; readonly clock: Clock }): Authenticator {
  const signedIn = async (asked: AuthRequest, request: IncomingMessage): Promise<{ readonly requester: Requester; readonly issued: IssuedToken }> => {
    switch (asked.by) {
      case 'password': {
        const requester = await signIn.withPassword(asked.account, asked.password, request);
        return { requester, issued: issueToken(signIn, requester, LIMITS.zimbraTokenMs) };
      }
      case 'preauth': {
        const requester = await signIn.withPreauth(asked.preauth, request);
        const lifetimeMs = preauthLifetime(asked.preauth.expires, clock.now());
        if (lifetimeMs === undefined) throw new BridgeError('AUTH_FAILED', 'the preauth has expired');
        return { requester, issued: issueToken(signIn, requester, lifetimeMs) };
      }
      case 'token': {
        const requester = await byToken(asked.token, request);
        if (asked.account !== undefined && requester.username?.toLowerCase() !== asked.account.toLowerCase()) throw noToken();
        // The same one, as Zimbra does: one that was stolen must not prolong itself.
        return { requester, issued: { authToken: asked.token, lifetimeMs: Math.max(0, signIn.expiryOf(asked.token) - clock.now()) } };
      }
    }
  };

  const byToken = async (token: string, request: IncomingMessage): Promise<Requester> => {
    try {
      return await signIn.fromToken(token, 'zimbra-token', request);
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'AUTH_FAILED') throw noToken(error);
      throw error;
    }
  };

  return {
    async authenticate(operation, request, response) {
      const asked = decodeAuthRequest(operation);
      const { requester, issued } = await signedIn(asked, request);
      noteForLog(request, { client: requester.name });
      setTokenCookie(request, response, issued, asked.persistCookie);
      return authAnswer(issued);
    },
    async requesterOf(header, request) {
      const { authToken, hasJwtToken } = decodeRequestHeader(header);
      const token = authToken ?? (hasJwtToken ? '' : tokenCookie(request));
      return token === undefined ? signIn.fromRequest(request) : byToken(token, request);
    },
  };
}

function noToken(cause?: unknown): BridgeError {
  return new BridgeError('AUTH_REQUIRED', 'no valid authtoken present', { cause });
}
