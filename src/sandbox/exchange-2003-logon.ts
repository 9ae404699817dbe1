import { randomBytes } from 'node:crypto';
import { LIMITS } from '../core/limits.ts';
import { percentDecoded } from './raw-query.ts';
import type { Credentials } from './stand-in-credentials.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'exchange.md §2.6';
/** Where each generation has its form, and where it takes it. */
const PLACES = {
  '2003': { dll: '/exchweb/bin/auth/owaauth.dll', page: '/exchweb/bin/auth/owalogon.asp' },
  '2007': { dll: '/owa/auth/owaauth.dll', page: '/owa/auth/logon.aspx' },
} as const;

export type FormGeneration = keyof typeof PLACES;

/** What a wrong password gets: a 302 to the logon page with reason=2, or, as seen on 2003, a 302 to the destination with cookies that are worth nothing. */
export type WrongPassword = 'logon-page' | 'worthless-cookies';

export interface FormLogonOptions {
  /** Default: 2003. A 2007 wants its cookie PBack, and renews cadata with every answer. */
  readonly generation?: FormGeneration | undefined;
  readonly wrongPassword?: WrongPassword | undefined;
}

/** Whose session it is, and the headers that its answer brings along. */
export interface LetIn extends Credentials {
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

export interface FormLogon {
  /** The logon page, the logon itself, or what somebody without a valid cookie gets; the credentials of who is let in. */
  answer(request: StandInRequest): StandInAnswer | LetIn;
  expireAll(): void;
}

/** Forms-based authentication of Exchange 2003 and 2007: a bad password is a 302 too, told apart only by where it leads (exchange.md §2.6). */
export function createFormLogon(isKnown: (given: Credentials) => boolean, { generation = '2003', wrongPassword = 'logon-page' }: FormLogonOptions = {}): FormLogon {
  const { dll, page } = PLACES[generation];
  /** By sessionid; every cadata that was given out is good. */
  const sessions = new Map<string, { readonly cadata: Set<string>; readonly credentials: Credentials }>();
  const newCadata = (): string => randomBytes(24).toString('base64url');

  const logOn = (request: StandInRequest): StandInAnswer => {
    // The last line of a form has no line end, but Zimbra's 8.8.12 library adds none either way: trim for hand-made requests.
    const fields = new Map(request.body.toString('utf8').trim().split('&').map((part) => {
      const [name = '', ...value] = part.split('=');
      return [name, percentDecoded(value.join('=').replaceAll('+', ' '))] as const;
    }));
    const destination = fields.get('destination') ?? '/';
    const credentials = { username: fields.get('username') ?? '', password: fields.get('password') ?? '' };
    if (generation === '2007' && !/(?:^|;\s*)PBack=0(?:;|$)/.test(request.headers.cookie ?? '')) return toLogonPage(page, destination, 0);
    const sessionId = randomBytes(16).toString('hex');
    const cadata = newCadata();
    if (!isKnown(credentials)) {
      if (wrongPassword === 'logon-page') return toLogonPage(page, destination, 2);
      return { status: 302, headers: { Location: destination, 'Set-Cookie': [`sessionid=${sessionId}; path=/`, `cadata="${cadata}"; path=/`] }, source: SOURCE };
    }
    if (sessions.size >= LIMITS.standInSessions) sessions.delete(sessions.keys().next().value!);
    sessions.set(sessionId, { cadata: new Set([cadata]), credentials });
    return { status: 302, headers: { Location: destination, 'Set-Cookie': [`sessionid=${sessionId}; path=/`, `cadata="${cadata}"; path=/`] }, source: SOURCE };
  };

  return {
    answer(request) {
      const path = request.path.toLowerCase();
      if (path === dll && request.method === 'POST') return logOn(request);
      if (path === page) {
        return { status: 200, headers: { 'Content-Type': 'text/html' }, body: `<html><body><form action="${dll}" method="POST"></form></body></html>`, source: SOURCE };
      }
      const cookies = new Map((request.headers.cookie ?? '').split(/;\s*/).map((one) => {
        const [name = '', ...value] = one.split('=');
        return [name, value.join('=').replaceAll('"', '')] as const;
      }));
      const session = sessions.get(cookies.get('sessionid') ?? '');
      if (session?.cadata.has(cookies.get('cadata') ?? '') === true) {
        if (generation === '2003') return { ...session.credentials, headers: {} };
        const renewed = newCadata();
        if (session.cadata.size < LIMITS.standInSessions) session.cadata.add(renewed);
        else return { ...session.credentials, headers: {} };
        return { ...session.credentials, headers: { 'Set-Cookie': [`cadata="${renewed}"; path=/; HttpOnly`] } };
      }
      if (request.method === 'GET') return toLogonPage(page, `${request.path}?${request.query}`, 0);
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

function toLogonPage(page: string, url: string, reason: number): StandInAnswer {
  return { status: 302, headers: { Location: `${page}?url=${encodeURIComponent(url)}&reason=${reason}` }, source: SOURCE };
}
