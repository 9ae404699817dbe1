import express from 'express';
import type { Request, Response, Router } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import { askMailboxes, checkQuestion } from '../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { contextFor, noteForLog, scopeOf } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { facePathOf } from './face-path.ts';
import type { FacePath } from './face-path.ts';
import { decodeLogonForm, encodeLogonPage, logonPageLocation, safeDestination } from './form-logon.ts';
import { commandOf, decodeFreeBusyQuery, encodeFreeBusyResponse } from './free-busy-query.ts';
import { takePushedMessage } from './pushed-message.ts';
import type { PushedMessages } from '../schedule-plus/pushed-messages.ts';
import { decodeSessionCookie, encodeSessionCookie } from './session-cookie.ts';

export interface OwaWebdavServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  /** Whom galfind and gallookup may name. */
  readonly addresses: ServedAddresses;
  /** Where a Zimbra's own pushes go; absent: there are no messages here (404). */
  readonly pushed?: PushedMessages | undefined;
}

/**
 * What a stock Zimbra takes for Exchange 2003: `GET /public/?cmd=freebusy` with Basic, or with the cookie of a form logon
 * (zimbra-measured.md §2), and the push of a free/busy message (§3), which is heard as news of a change. Mount it at the root; what is not its own goes on to the next.
 */
export function owaWebdavEndpoint(services: OwaWebdavServices): Router {
  const router = express.Router();
  router.use(async (request, response, next) => {
    const path = facePathOf(request.originalUrl);
    const { pushed } = services;
    if (path === undefined || (path.kind === 'message' && pushed === undefined)) {
      next();
      return;
    }
    noteForLog(request, { face: 'owa-webdav', operation: path.kind === 'message' ? 'push' : path.kind });
    try {
      if (path.kind === 'query') await query(services, request, response);
      else if (path.kind === 'logon') await logon(services, path.path, request, response);
      else if (path.kind === 'message') await push(services, pushed!, path, request, response);
      else logonPage(path.path, request, response);
    } catch (thrown) {
      refuse(toBridgeError(thrown), request, response);
    }
  });
  return router;
}

type MessagePath = Extract<FacePath, { readonly kind: 'message' }>;

async function query(services: OwaWebdavServices, request: Request, response: Response): Promise<void> {
  const requester = await whoAsks(services.signIn, request);
  if (!isRead(request)) {
    notAllowed(response, 'GET, HEAD');
    return;
  }
  const rawQuery = rawQueryOf(request.originalUrl);
  const command = commandOf(rawQuery);
  if (command === undefined) throw new BridgeError('NOT_FOUND', 'there is nothing here but commands');
  if (command !== 'freebusy') throw new BridgeError('UNSUPPORTED', 'no such command');
  const { window, intervalMinutes, addresses } = decodeFreeBusyQuery(rawQuery);
  noteForLog(request, { operation: 'freebusy', mailboxes: addresses.length });
  checkQuestion(addresses.length, window, intervalMinutes);
  const asked = await askMailboxes(services.source, addresses, window, false, contextFor(request, requester));
  const answers = asked.map(({ text, result }) => ({ address: text, freeBusy: 'freeBusy' in result ? result.freeBusy : undefined }));
  const body = await encodeFreeBusyResponse(answers, window, intervalMinutes, services.workingElsewhereAs);
  response.status(200).set('Cache-Control', 'no-store').type('text/xml').send(body);
}

/** PROPPATCH, or POST with the same body: what Zimbra 8.8.15 sends, because its HTTP library ignores the name of the method. */
async function push(services: OwaWebdavServices, pushed: PushedMessages, path: MessagePath, request: Request, response: Response): Promise<void> {
  const requester = await whoAsks(services.signIn, request);
  // Zimbra sends its credentials only when it is asked for them.
  if (requester.anonymous) throw new BridgeError('AUTH_REQUIRED', 'sign in to tell of a change');
  noteForLog(request, { client: requester.name });
  if (request.method !== 'PROPPATCH' && request.method !== 'POST') {
    notAllowed(response, 'PROPPATCH, POST');
    return;
  }
  const body = await takePushedMessage(pushed, path, requester, request);
  response.status(207).set('Cache-Control', 'no-store').type('text/xml').send(body);
}

/** A cookie counts where there are no credentials in the header. */
async function whoAsks(signIn: SignIn, request: Request): Promise<Requester> {
  const token = request.headers.authorization === undefined ? decodeSessionCookie(request.headers.cookie) : undefined;
  return token === undefined ? signIn.fromRequest(request) : signIn.fromToken(token, 'owa-cookie', request);
}

async function logon(services: OwaWebdavServices, path: string, request: Request, response: Response): Promise<void> {
  if (request.method !== 'POST') {
    redirect(response, logonPageLocation(path, safeDestination(''), 'none'));
    return;
  }
  const body = await readBody(request, LIMITS.requestBodyBytes);
  try {
    const form = decodeLogonForm(body, request.headers['content-type']);
    const requester = await services.signIn.withPassword(form.username, form.password, request);
    const token = services.signIn.issueToken(requester, 'owa-cookie', LIMITS.logonCookieMs);
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

function logonPage(path: string, request: Request, response: Response): void {
  response
    .status(200)
    .set('Cache-Control', 'no-store')
    .set('Content-Security-Policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
    .type('text/html')
    .send(encodeLogonPage(path, rawQueryOf(request.originalUrl)));
}

function redirect(response: Response, location: string): void {
  // Not response.redirect(): it rewrites the location. An entity is always sent (httpclient 4 in Zimbra trips over none).
  response.status(302).set('Location', location).set('Cache-Control', 'no-store').type('text/plain').send('moved\n');
}

function notAllowed(response: Response, allow: string): void {
  response.status(405).set('Allow', allow).type('text/plain').send('method not allowed\n');
}

function refuse(error: BridgeError, request: Request, response: Response): void {
  const status = STATUS_OF[error.code];
  noteRefusal(request, response, error);
  if (status === 401) setChallenge(request, response);
  response.status(status).type('text/plain').send(`${error.publicMessage}\n`);
}

function isRead(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}
