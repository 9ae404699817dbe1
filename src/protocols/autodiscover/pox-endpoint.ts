import type { Request, RequestHandler, Response } from 'express';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import { charsetOf } from '../../platform/http-client/answer-headers.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { XmlError, readXml } from '../../platform/xml/read.ts';
import type { AutodiscoverServices } from './endpoint.ts';
import { handoutOf } from './handout.ts';
import { decodeLegacyDn } from './legacy-dn.ts';
import { SOAP_ENABLED_HEADER, XML_CONTENT_TYPE } from './names.ts';
import { PoxError, encodePoxError } from './pox-error.ts';
import type { PoxErrorCode } from './pox-error.ts';
import { decodePoxRequest } from './pox-request.ts';
import { encodePoxResponse } from './pox-response.ts';
import { notServed, servedPerson } from './served-person.ts';

/**
 * `/autodiscover/autodiscover.xml`. Who has signed in is answered with 200 whatever is wrong, as Exchange does; a GET is a bad request (600). Who has not gets
 * 401, a GET over plain http too: the redirect that Outlook looks for there would tell anybody where we are, and is the reverse proxy's to give (README).
 */
export function poxHandler(services: AutodiscoverServices): RequestHandler {
  return async (request, response) => {
    noteForLog(request, { face: 'autodiscover', operation: 'pox' });
    response.setHeader(SOAP_ENABLED_HEADER, 'True').setHeader('Cache-Control', 'no-store');
    let requester: Requester;
    try {
      requester = await services.signIn.fromRequest(request);
    } catch (thrown) {
      refuseStranger(request, response, toBridgeError(thrown));
      return;
    }
    noteForLog(request, { client: requester.name });
    try {
      reply(response, await answer(services, requester, request));
    } catch (thrown) {
      const { code, error } = whatToSay(thrown);
      noteRefusal(request, response, error, { reason: String(code) });
      reply(response, encodePoxError(code, handoutOf(services.publicUrl()), services.clock.now()));
    }
  };
}

async function answer({ addresses, publicUrl }: AutodiscoverServices, requester: Requester, request: Request): Promise<string> {
  if (request.method !== 'POST') throw new PoxError(600);
  const body = await readBody(request, LIMITS.requestBodyBytes);
  const subject = decodePoxRequest(await readXml(body, { charset: charsetOf(request.headers['content-type']), maxNodes: LIMITS.requestXmlNodes }));
  noteForLog(request, { mailboxes: 1 });
  const address = 'address' in subject ? subject.address : (decodeLegacyDn(subject.legacyDn) ?? '');
  const person = servedPerson(address, addresses, requester);
  if (person === undefined) {
    noteForLog(request, { reason: notServed(address, requester) });
    throw new PoxError(500);
  }
  return encodePoxResponse(person, handoutOf(publicUrl()));
}

function whatToSay(thrown: unknown): { readonly code: PoxErrorCode; readonly error: BridgeError } {
  if (thrown instanceof PoxError) return { code: thrown.code, error: new BridgeError(CODE_OF[thrown.code], thrown.message, { cause: thrown }) };
  if (thrown instanceof XmlError) return { code: 600, error: new BridgeError('INVALID_REQUEST', 'the request cannot be read', { cause: thrown }) };
  const error = toBridgeError(thrown);
  return { code: STATUS_OF[error.code] < 500 ? 600 : 603, error };
}

const CODE_OF = { 500: 'MAILBOX_UNKNOWN', 600: 'INVALID_REQUEST', 601: 'UNSUPPORTED', 603: 'INTERNAL' } as const;

function refuseStranger(request: Request, response: Response, error: BridgeError): void {
  const status = STATUS_OF[error.code];
  noteRefusal(request, response, error);
  if (status === 401) setChallenge(request, response);
  response.status(status).type('text/plain').send(`${error.publicMessage}\n`);
}

function reply(response: Response, body: string): void {
  response.status(200).setHeader('Content-Type', XML_CONTENT_TYPE).end(body);
}
