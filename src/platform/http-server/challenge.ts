import type { IncomingMessage, ServerResponse } from 'node:http';
import { scopeOf } from './request-scope.ts';

/** What every face offers where sign-in has not said anything else. No charset: what a stock Zimbra 8 (commons-httpclient 3) makes of one nobody has seen. */
export const BASIC_CHALLENGE = 'Basic realm="freebusy-bridge"';

/** Sets `WWW-Authenticate` of a 401: what sign-in found this request may be asked for, else Basic. */
export function setChallenge(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('WWW-Authenticate', [...(scopeOf(request).challenges ?? [BASIC_CHALLENGE])]);
}
