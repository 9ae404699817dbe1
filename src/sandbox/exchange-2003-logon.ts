import { randomBytes } from 'node:crypto';
import { LIMITS } from '../core/limits.ts';
import { percentDecoded } from './raw-query.ts';
import type { Credentials } from './stand-in-credentials.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'exchange.md §2.6';
const LOGON_DLL = '/exchweb/bin/auth/owaauth.dll';
const LOGON_PAGE = '/exchweb/bin/auth/owalogon.asp';

export interface FormLogon {
  /** The logon page, the logon itself, or what somebody without a valid cookie gets; the credentials of who is let in. */
  answer(request: StandInRequest): StandInAnswer | Credentials;
  expireAll(): void;
}

/** Forms-based authentication of Exchange 2003: a bad password is a 302 too, told apart only by where it leads (exchange.md §2.6). */
export function createFormLogon(isKnown: (given: Credentials) => boolean): FormLogon {
  /** By sessionid. */
  const sessions = new Map<string, { readonly cadata: string; readonly credentials: Credentials }>();

  const logOn = (request: StandInRequest): StandInAnswer => {
    // The last line of a form has no line end, but Zimbra's 8.8.12 library adds none either way: trim for hand-made requests.
    const fields = new Map(request.body.toString('utf8').trim().split('&').map((part) => {
      const [name = '', ...value] = part.split('=');
      return [name, percentDecoded(value.join('=').replaceAll('+', ' '))] as const;
    }));
    const destination = fields.get('destination') ?? '/';
    const credentials = { username: fields.get('username') ?? '', password: fields.get('password') ?? '' };
    if (!isKnown(credentials)) {
      return toLogonPage(destination, 2);
    }
    const sessionId = randomBytes(16).toString('hex');
    const cadata = randomBytes(24).toString('base64url');
    if (sessions.size >= LIMITS.standInSessions) sessions.delete(sessions.keys().next().value!);
    sessions.set(sessionId, { cadata, credentials });
    return { status: 302, headers: { Location: destination, 'Set-Cookie': [`sessionid=${sessionId}; path=/`, `cadata="${cadata}"; path=/`] }, source: SOURCE };
  };

  return {
    answer(request) {
      const path = request.path.toLowerCase();
      if (path === LOGON_DLL && request.method === 'POST') return logOn(request);
      if (path === LOGON_PAGE) {
        return { status: 200, headers: { 'Content-Type': 'text/html' }, body: `<html><body><form action="${LOGON_DLL}" method="POST"></form></body></html>`, source: SOURCE };
      }
      const cookies = new Map((request.headers.cookie ?? '').split(/;\s*/).map((one) => {
        const [name = '', ...value] = one.split('=');
        return [name, value.join('=').replaceAll('"', '')] as const;
      }));
      const session = sessions.get(cookies.get('sessionid') ?? '');
      if (session !== undefined && session.cadata === cookies.get('cadata')) return session.credentials;
      if (request.method === 'GET') return toLogonPage(`${request.path}?${request.query}`, 0);
      return {
        status: 440,
        headers: { Connection: 'close', 'Content-Type': 'text/html', 'Set-Cookie': ['sessionid=; path=/; expires=Thu, 01-Jan-1970 00:00:00 GMT', 'cadata=; path=/; expires=Thu, 01-Jan-1970 00:00:00 GMT'] },
        body: '<html><body>440 Login Timeout</body></html>',
        source: SOURCE,
      };
    },
    expireAll: () => sessions.clear(),
  };
}

function toLogonPage(url: string, reason: number): StandInAnswer {
  return { status: 302, headers: { Location: `${LOGON_PAGE}?url=${encodeURIComponent(url)}&reason=${reason}` }, source: SOURCE };
}
