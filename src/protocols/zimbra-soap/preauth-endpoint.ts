import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { rawParameters, rawQueryOf } from '../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../platform/http-server/raw-query.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { decodePreauthForm } from './face/preauth-form.ts';
import { issueToken, preauthLifetime, setTokenCookie } from './face/token-cookie.ts';
import { PREAUTH_PATH, REPLY_CACHE_CONTROL } from './names.ts';

/**
 * `GET /service/preauth?account=…&by=name&timestamp=…&expires=…&preauth=…[&redirectURL=/…]`, or the same posted: where a portal sends a
 * user whom it knows (zimbra.md §1.4). Answered with the token's cookie and a redirect.
 *
 * What stands in the query is no password: a signature over the moment, good for five minutes. A token or a password in a query is
 * never read, and of the query nothing is logged.
 */
export function preauthEndpoint({ signIn, clock }: { readonly signIn: SignIn; readonly clock: Clock }): Router {
  const router = Router({ caseSensitive: true });
  const answer = async (request: Request, response: Response): Promise<void> => {
    noteForLog(request, { face: 'zimbra-soap', operation: 'preauth' });
    try {
      const { preauth, destination } = decodePreauthForm(await parametersOf(request));
      const requester = await signIn.withPreauth(preauth, request);
      noteForLog(request, { client: requester.name });
      const lifetimeMs = preauthLifetime(preauth.expires, clock.now());
      if (lifetimeMs === undefined) throw new BridgeError('AUTH_FAILED', 'the preauth has expired');
      setTokenCookie(request, response, issueToken(signIn, requester, lifetimeMs));
      response.status(302).set({ Location: destination, 'Cache-Control': REPLY_CACHE_CONTROL, 'Referrer-Policy': 'no-referrer' }).end();
    } catch (thrown) {
      refuse(request, response, toBridgeError(thrown));
    }
  };
  router.get(PREAUTH_PATH, answer);
  router.post(PREAUTH_PATH, answer);
  // Else Express would tell anybody who asks for OPTIONS which methods there are.
  router.all(PREAUTH_PATH, async (request, response) => {
    noteForLog(request, { face: 'zimbra-soap', operation: 'preauth' });
    try {
      const requester = await signIn.fromRequest(request);
      noteForLog(request, { client: requester.name });
      response.status(request.method === 'OPTIONS' ? 204 : 405).set('Allow', 'GET, HEAD, POST').end();
    } catch (thrown) {
      refuse(request, response, toBridgeError(thrown));
    }
  });
  return router;
}

async function parametersOf(request: Request): Promise<readonly RawParameter[]> {
  const query = rawParameters(rawQueryOf(request.url));
  if (request.method !== 'POST') return query;
  const body = await readBody(request, LIMITS.requestHeaderBytes);
  return [...rawParameters(body.toString('latin1')), ...query];
}

/** Zimbra says 400 to everything; here what is missing or wrong is 401 as everywhere (configuration.md). */
function refuse(request: Request, response: Response, error: BridgeError): void {
  noteRefusal(request, response, error);
  const status = STATUS_OF[error.code];
  if (status === 401) setChallenge(request, response);
  response.status(status).set('Cache-Control', REPLY_CACHE_CONTROL).type('text/plain').send(`${error.publicMessage}\n`);
}
