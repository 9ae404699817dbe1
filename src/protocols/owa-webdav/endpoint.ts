import express from 'express';
import type { Request, Response, Router } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import type { Requester } from '../../core/request-context.ts';
import type { Directory } from '../../directory/directory.ts';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import { askMailboxes, checkQuestion } from '../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import type { PushedMessages } from '../schedule-plus/pushed-messages.ts';
import { GalAliases } from './face/gal-alias.ts';
import { answerGalCommand, isGalCommand } from './face/gal-commands.ts';
import { isOwn, ownMailbox } from './face/own-mailbox.ts';
import { whoAsks } from './face/who-asks.ts';
import { facePathOf } from './face-path.ts';
import type { FacePath } from './face-path.ts';
import { answerFolder } from './folder-endpoint.ts';
import { commandOf, decodeFreeBusyQuery, encodeFreeBusyResponse } from './free-busy-query.ts';
import { WELCOME_PATH, redirect, sendLogonPage, sendWelcomePage, takeLogon, welcome } from './logon-endpoint.ts';
import type { LogonServices } from './logon-endpoint.ts';
import { takePushedMessage } from './pushed-message.ts';

export interface OwaWebdavServices extends LogonServices {
  readonly source: FreeBusySource;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  /** Whom galfind and gallookup may name to clients without the address book. */
  readonly addresses: ServedAddresses;
  /** The address book, for clients that may see it; absent: none is kept. */
  readonly directory?: Directory | undefined;
  /** Where a Zimbra's own pushes go; absent: there are no messages here (404). */
  readonly pushed?: PushedMessages | undefined;
}

/**
 * What a stock Zimbra takes for Exchange 2003: `GET /public/?cmd=freebusy` with Basic, or with the cookie of a form logon
 * (zimbra-measured.md §2), and the push of a free/busy message (§3), which is heard as news of a change. For DavMail's WebDav mode also what it looks
 * for before it asks: a welcome page, an empty mailbox, galfind. Mount it at the root; what is not its own goes on to the next.
 */
export function owaWebdavEndpoint(services: OwaWebdavServices): Router {
  const router = express.Router();
  const aliases = new GalAliases(services.clock);
  router.use(async (request, response, next) => {
    const path = facePathOf(request.originalUrl);
    const { pushed } = services;
    if (path === undefined || (path.kind === 'message' && pushed === undefined)) {
      next();
      return;
    }
    noteForLog(request, { face: 'owa-webdav', operation: OPERATIONS[path.kind] });
    try {
      if (path.kind === 'public' || path.kind === 'mailbox') await folderOrCommand(services, aliases, path, request, response);
      else if (path.kind === 'welcome') await welcome(services, request, response);
      else if (path.kind === 'logon') await takeLogon(services, path.path, request, response);
      else if (path.kind === 'message') await push(services, pushed!, path, request, response);
      else sendLogonPage(path.path, request, response);
    } catch (thrown) {
      refuse(toBridgeError(thrown), request, response);
    }
  });
  return router;
}

type MessagePath = Extract<FacePath, { readonly kind: 'message' }>;

/** What the log calls a request before more is known of it. */
const OPERATIONS: Readonly<Record<FacePath['kind'], string>> = {
  public: 'query',
  mailbox: 'query',
  welcome: 'welcome',
  logon: 'logon',
  'logon-page': 'logon-page',
  message: 'push',
};

type FolderPath = Extract<FacePath, { readonly kind: 'public' | 'mailbox' }>;

async function folderOrCommand(services: OwaWebdavServices, aliases: GalAliases, path: FolderPath, request: Request, response: Response): Promise<void> {
  const requester = await whoAsks(services.signIn, request);
  const rawQuery = rawQueryOf(request.originalUrl);
  const command = commandOf(rawQuery);
  const takesCommands = path.kind === 'public' || path.below.length === 0;
  if (isRead(request) && takesCommands && command !== undefined) {
    await answerCommand(services, aliases, command, rawQuery, requester, request, response);
    return;
  }
  // Whoever needs no password to ask has no mailbox either; being asked for one, DavMail sends it.
  if (requester.anonymous) throw new BridgeError('AUTH_REQUIRED', 'sign in to open a mailbox');
  noteForLog(request, { client: requester.name });
  const mailbox = ownMailbox(requester);
  if (isRead(request) && path.kind === 'mailbox' && path.user === undefined) redirect(response, WELCOME_PATH);
  else if (isRead(request) && path.kind === 'mailbox' && takesCommands && isOwn(mailbox, path.user)) sendWelcomePage(services, mailbox, request, response);
  else await answerFolder(path, mailbox, services.publicUrl(), request, response);
}

async function answerCommand(services: OwaWebdavServices, aliases: GalAliases, command: string, rawQuery: string, requester: Requester, request: Request, response: Response): Promise<void> {
  if (command === 'freebusy') {
    await query(services, rawQuery, requester, request, response);
  } else if (isGalCommand(command)) {
    noteForLog(request, { operation: command, client: requester.name });
    sendXml(response, 200, await answerGalCommand(command, rawQuery, services, aliases, requester));
  } else {
    throw new BridgeError('UNSUPPORTED', 'no such command');
  }
}

async function query(services: OwaWebdavServices, rawQuery: string, requester: Requester, request: Request, response: Response): Promise<void> {
  const { window, intervalMinutes, addresses } = decodeFreeBusyQuery(rawQuery);
  noteForLog(request, { operation: 'freebusy', mailboxes: addresses.length });
  checkQuestion(addresses.length, window, intervalMinutes);
  const asked = await askMailboxes(services.source, addresses, window, false, contextFor(request, requester, 'owa'));
  const answers = asked.map(({ text, result }) => ({ address: text, freeBusy: 'freeBusy' in result ? result.freeBusy : undefined }));
  sendXml(response, 200, await encodeFreeBusyResponse(answers, window, intervalMinutes, services.workingElsewhereAs));
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
  sendXml(response, 207, body);
}

function sendXml(response: Response, status: 200 | 207, body: string): void {
  response.status(status).set('Cache-Control', 'no-store').type('text/xml').send(body);
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
