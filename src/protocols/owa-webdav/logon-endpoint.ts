import type { Request, Response } from 'express';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { noteForLog, scopeOf } from '../../platform/http-server/request-scope.ts';
import { mailboxPath, ownMailbox } from './face/own-mailbox.ts';
import type { OwnMailbox } from './face/own-mailbox.ts';
import { encodeWelcomePage } from './face/welcome-page.ts';
import { whoHoldsCookie } from './face/who-asks.ts';
import { decodeLogonForm, encodeLogonPage, logonPageLocation, safeDestination } from './form-logon.ts';
import { LOGON_PATHS } from './names.ts';
import { encodeSessionCookie } from './session-cookie.ts';

/** What the way in needs. */
export interface LogonServices {
  readonly signIn: SignIn;
  /** Without a slash at its end. */
  readonly publicUrl: () => string;
}

/** Where browsers and DavMail begin. */
export const WELCOME_PATH = '/owa/';

/** A posted form: a cookie and its destination, or back to the page. */
export async function takeLogon({ signIn }: LogonServices, path: string, request: Request, response: Response): Promise<void> {
  if (request.method !== 'POST') {
    redirect(response, logonPageLocation(path, safeDestination(''), 'none'));
    return;
  }
  const body = await readBody(request, LIMITS.requestBodyBytes);
  try {
    const form = decodeLogonForm(body, request.headers['content-type']);
    const requester = await signIn.withPassword(form.username, form.password, request);
    const token = signIn.issueToken(requester, 'owa-cookie', LIMITS.logonCookieMs);
    noteForLog(request, { client: requester.name });
    response.setHeader('Set-Cookie', encodeSessionCookie(token, scopeOf(request).secure));
    redirect(response, form.destination);
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (error.code !== 'AUTH_FAILED') throw error;
    // As Exchange does it. Zimbra takes any status below 400 for success and finds out by the 401 that follows.
    noteForLog(request, { code: error.code });
    redirect(response, logonPageLocation(path, safeDestination(''), 'wrong-credentials'));
  }
}

/** The page with the form. */
export function sendLogonPage(path: string, request: Request, response: Response): void {
  sendPage(response, encodeLogonPage(path, rawQueryOf(request.originalUrl)));
}

/**
 * `/owa` takes the cookie of a form logon and nothing else, as Exchange 2007 with Basic on `/exchange`. DavMail needs it so: in WebDav mode 6.0.1 knows
 * where it is only after a form, and falls over a null where Basic was enough.
 */
export async function welcome(services: LogonServices, request: Request, response: Response): Promise<void> {
  const requester = await whoHoldsCookie(services.signIn, request);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    if (requester === undefined) throw new BridgeError('AUTH_REQUIRED', 'sign in first');
    response.status(405).set('Allow', 'GET, HEAD').type('text/plain').send('method not allowed\n');
  } else if (requester === undefined) {
    redirect(response, logonPageLocation(LOGON_PATHS[1], WELCOME_PATH, 'none'));
  } else {
    noteForLog(request, { client: requester.name });
    sendWelcomePage(services, ownMailbox(requester), request, response);
  }
}

/** The page for who has signed in. */
export function sendWelcomePage({ publicUrl }: LogonServices, mailbox: OwnMailbox, request: Request, response: Response): void {
  noteForLog(request, { operation: 'welcome' });
  sendPage(response, encodeWelcomePage(publicUrl() + mailboxPath(mailbox)));
}

/** 302 to a path below our own root. */
export function redirect(response: Response, location: string): void {
  // Not response.redirect(): it rewrites the location. An entity is always sent (httpclient 4 in Zimbra trips over none).
  response.status(302).set('Location', location).set('Cache-Control', 'no-store').type('text/plain').send('moved\n');
}

function sendPage(response: Response, page: string): void {
  response
    .status(200)
    .set('Cache-Control', 'no-store')
    .set('Content-Security-Policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
    .type('text/html')
    .send(page);
}
