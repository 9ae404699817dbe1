import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express from 'express';
import type { Request, Response, Router } from 'express';
import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { RequestContext, Requester } from '../../core/request-context.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { readXml, XmlError } from '../../platform/xml/read.ts';
import { encodeBridgeFault, encodeFault, EnvelopeFault, EwsFault, schemaFault } from './face/faults.ts';
import type { EncodedFault } from './face/faults.ts';
import { getUserAvailability } from './face/get-user-availability.ts';
import type { EwsOperationFace, EwsServices } from './face/operation.ts';
import { FOLDER_OPERATIONS } from './face/other-operations.ts';
import { requestCharset } from './face/request-charset.ts';
import { decodeEwsRequest, encodeEwsAnswer, encodeEwsPieces } from './face/soap-frame.ts';
import { FACE_PATH } from './names.ts';

/**
 * What Exchange 2013 and later, Outlook, DavMail and a stock Zimbra of type `ews` ask: SOAP 1.1 at /EWS/Exchange.asmx, in any case. Mount it at the
 * root; what is not its own goes on to the next.
 */
export function ewsEndpoint(services: EwsServices): Router {
  const operations = new Map<string, EwsOperationFace>([...FOLDER_OPERATIONS, ['GetUserAvailabilityRequest', getUserAvailability()]]);
  const router = express.Router();
  router.use(async (request, response, next) => {
    if (!FACE_PATH.test(request.path)) {
      next();
      return;
    }
    noteForLog(request, { face: 'ews' });
    try {
      // Before the body is read: it may be large, and the credentials are in the header.
      const requester = await services.signIn.fromRequest(request);
      if (request.method === 'POST') await answer(services, operations, requester, request, response);
      else if (request.method === 'GET' || request.method === 'HEAD') servicePage(requester, request, response);
      else response.status(405).set('Allow', 'GET, HEAD, POST').type('text/plain').send('method not allowed\n');
    } catch (thrown) {
      refuse(thrown, request, response);
    }
  });
  return router;
}

async function answer(services: EwsServices, operations: ReadonlyMap<string, EwsOperationFace>, requester: Requester, request: Request, response: Response): Promise<void> {
  const body = await readBody(request, LIMITS.requestBodyBytes);
  const root = await readXml(body, { charset: requestCharset(request.headers['content-type'], body), maxNodes: LIMITS.requestXmlNodes });
  const { version, header, operation } = decodeEwsRequest(root);
  const run = operations.get(operation.name);
  if (run === undefined) throw new EwsFault('ErrorInvalidRequest', 'The request is invalid.');
  noteForLog(request, { operation: operation.name, client: requester.name });
  let context: RequestContext | undefined;
  const made = (): RequestContext => (context ??= contextFor(request, requester, 'ews'));
  await sendPieces(response, encodeEwsPieces(await run(operation, { services, request, requester, version, header, context: made })));
}

function refuse(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
  if (thrown instanceof XmlError) refuse(schemaFault(thrown.message), request, response);
  else if (thrown instanceof EwsFault || thrown instanceof EnvelopeFault) {
    noteForLog(request, { code: 'INVALID_REQUEST', reason: thrown.code });
    sendFault(response, encodeFault(thrown));
  } else {
    const error = toBridgeError(thrown);
    noteRefusal(request, response, error);
    if (STATUS_OF[error.code] !== 401) {
      sendFault(response, encodeBridgeFault(error));
      return;
    }
    setChallenge(request, response);
    // IIS refuses before EWS is asked: no SOAP.
    response.writeHead(401, { 'Content-Type': 'text/plain', 'Cache-Control': 'private' });
    response.end('Unauthorized\n');
  }
}

/** A large answer becomes bytes piece by piece, and others get their turn in between. */
async function sendPieces(response: Response, pieces: readonly string[]): Promise<void> {
  if (pieces.length === 1) {
    send(response, 200, pieces[0]!);
    return;
  }
  const chunks: Buffer[] = [];
  for (const piece of pieces) {
    chunks.push(Buffer.from(piece));
    await nextTurn();
  }
  response.writeHead(200, headOf(chunks.reduce((sum, one) => sum + one.length, 0)));
  for (const chunk of chunks) response.write(chunk);
  response.end();
}

function sendFault(response: ServerResponse, { status, fault }: EncodedFault): void {
  send(response, status, encodeEwsAnswer(fault));
}

/**
 * By hand: Express would set the charset its own way and make bytes of the text first, which Node then writes apart from the head (a quarter of the
 * whole request's time, measured).
 */
function send(response: ServerResponse, status: number, body: string): void {
  const bytes = Buffer.byteLength(body);
  response.writeHead(status, headOf(bytes));
  // Where every character is one byte (the rule without subjects) the plain copy does.
  response.end(body, bytes === body.length ? 'latin1' : 'utf8');
}

function headOf(bytes: number): Readonly<Record<string, string | number>> {
  return { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': bytes, 'Cache-Control': 'private' };
}

/** What a browser or a client that looks whether anybody is here gets (DavMail signs in by GET). */
function servicePage(requester: Requester, request: Request, response: Response): void {
  noteForLog(request, { operation: 'page', client: requester.name });
  response.status(200).set('Cache-Control', 'private').type('text/html').send('<!DOCTYPE html><title>Exchange Web Services</title><p>You have created a service. Ask it by POST.</p>\n');
}
