import { createHash } from 'node:crypto';
import express from 'express';
import type { Request, Response, Router } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import { spelledAddress } from '../../directory/smtp-address.ts';
import { askMailboxes, unknownMailbox } from '../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { cookieNamed } from '../../platform/http-server/cookie.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { encodeBusyEvents } from '../icalendar/write-busy-events.ts';
import { encodeFreeBusyDocument } from '../icalendar/write-free-busy.ts';
import { facePathOf } from './face-path.ts';
import type { FacePath } from './face-path.ts';
import { asksForFreeBusy, decodeFaceQuestion } from './face-question.ts';
import type { FaceQuestion } from './face-question.ts';
import { faceUrl } from './face-url.ts';
import { CONTENT_TYPE, TOKEN_COOKIE } from './names.ts';

export interface IfbServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  /** Without a trailing slash. */
  readonly publicUrl: () => string;
}

/**
 * One mailbox's free/busy as iCalendar, under Zimbra's addresses and one for Outlook's Internet Free/Busy. What is unknown is an error or a marked stretch, never an empty VFREEBUSY. Mount it
 * at the root; what is not its own goes on to the next.
 */
export function ifbEndpoint(services: IfbServices): Router {
  const router = express.Router();
  router.use(async (request, response, next) => {
    const path = facePathOf(request.originalUrl);
    if (path === undefined || (path.form === 'home' && !asksForFreeBusy(rawQueryOf(request.originalUrl)))) {
      next();
      return;
    }
    noteForLog(request, { face: 'ifb', operation: path.form });
    try {
      await answer(services, path, request, response);
    } catch (thrown) {
      refuse(toBridgeError(thrown), request, response);
    }
  });
  return router;
}

async function answer(services: IfbServices, path: FacePath, request: Request, response: Response): Promise<void> {
  const { source, signIn, clock, workingElsewhereAs, publicUrl } = services;
  const requester = await whoAsks(signIn, request);
  noteForLog(request, { client: requester.name });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.status(405).set('Allow', 'GET, HEAD').set('Cache-Control', 'no-store').type('text/plain').send('method not allowed\n');
    return;
  }
  const question = decodeFaceQuestion(path, rawQueryOf(request.originalUrl), clock.now());
  noteForLog(request, { mailboxes: 1 });
  const [asked] = await askMailboxes(source, [question.address], question.window, false, contextFor(request, requester, path.form === 'freebusy' ? 'ifb' : 'zimbra-rest'));
  const { result } = asked!;
  if ('error' in result) throw result.error;
  if (isAllUnknown(result.freeBusy)) throw new BridgeError('NO_DATA', 'nothing is known about this mailbox');
  const body = await encode(question, result.freeBusy, clock, workingElsewhereAs, publicUrl());
  response.status(200).set('Cache-Control', 'no-store').set('Content-Type', CONTENT_TYPE).send(body);
}

/** A cookie counts where there are no credentials in the header; a token in the query never does. */
async function whoAsks(signIn: SignIn, request: Request): Promise<Requester> {
  const token = request.headers.authorization === undefined ? cookieNamed(TOKEN_COOKIE, request.headers.cookie) : undefined;
  return token === undefined ? signIn.fromRequest(request) : signIn.fromToken(token, 'zimbra-token', request);
}

function encode(question: FaceQuestion, freeBusy: FreeBusy, clock: Clock, workingElsewhereAs: WorkingElsewhereAs, publicUrl: string): Promise<string> {
  const stamp = clock.now();
  // The same for every answer about this mailbox, so that a later one replaces it.
  const uid = createHash('sha256').update(freeBusy.mailbox).digest('hex').slice(0, 32);
  if (question.as === 'event') return encodeBusyEvents({ freeBusy, uid: `tmp_${uid}`, stamp }, workingElsewhereAs);
  const organizer = spelledAddress(question.address);
  return encodeFreeBusyDocument({ method: 'PUBLISH', freeBusy, organizer, uid, stamp, url: faceUrl(publicUrl, question) }, workingElsewhereAs);
}

/** Nothing but one unknown stretch: a good answer with a hole in it looks otherwise. */
function isAllUnknown({ busy, window }: FreeBusy): boolean {
  const [only] = busy;
  return only?.busyType === 'no-data' && only.start === window.start && only.end === window.end;
}

function refuse(error: BridgeError, request: Request, response: Response): void {
  // No data that may be there in a minute is no reason to take the mailbox for nobody's.
  const status = error.code === 'NO_DATA' && error.temporary ? 503 : STATUS_OF[error.code];
  noteRefusal(request, response, error);
  if (status === 401) setChallenge(request, response);
  if (status === 503 && !response.hasHeader('Retry-After')) response.setHeader('Retry-After', String(LIMITS.retryAfterMs / 1_000));
  // Unknown, hidden, refused and without data look the same.
  const message = status === 404 ? unknownMailbox().publicMessage : error.publicMessage;
  response.status(status).set('Cache-Control', 'no-store').type('text/plain').send(`${message}\n`);
}
