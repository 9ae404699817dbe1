import type { IncomingMessage, ServerResponse } from 'node:http';
import { scopeOf } from './request-scope.ts';

/** What every face offers where sign-in has not said anything else. No charset: what a stock Zimbra 8 (commons-httpclient 3) makes of one nobody has seen. */
export const BASIC_CHALLENGE = 'Basic realm="freebusy-bridge"';

/** For OAuth 2 bearer tokens; with what was wrong with the one that was sent (RFC 6750 §3). @param description of printable ASCII without quotes */
export function bearerChallenge(description?: string): string {
  const bare = 'Bearer realm="freebusy-bridge"';
  return description === undefined ? bare : `${bare}, error="invalid_token", error_description="${description}"`;
}

/** Sets `WWW-Authenticate` of a 401: what sign-in found this request may be asked for, else Basic. */
export function setChallenge(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('WWW-Authenticate', [...(scopeOf(request).challenges ?? [BASIC_CHALLENGE])]);
}
