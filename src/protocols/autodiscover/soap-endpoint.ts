import type { Request, RequestHandler, Response } from 'express';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { charsetOf } from '../../platform/http-client/answer-headers.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { XmlError, readXml } from '../../platform/xml/read.ts';
import { decodeEnvelope } from '../soap/envelope.ts';
import type { SoapVersion } from '../soap/envelope.ts';
import type { AutodiscoverServices } from './endpoint.ts';
import { handoutOf } from './handout.ts';
import { SOAP_ENABLED_HEADER, XML_CONTENT_TYPE } from './names.ts';
import { encodeSoapAnswer, encodeSoapFault } from './soap-answer.ts';
import { AutodiscoverFault } from './soap-fault.ts';
import { decodeRequestHeader } from './soap-header.ts';
import { answerOperation } from './soap-operation.ts';

/** `/autodiscover/autodiscover.svc`: SOAP 1.1 as Exchange's clients speak it; 1.2 is answered in 1.2. Without credentials 401 with a fault. */
export function soapHandler(services: AutodiscoverServices): RequestHandler {
  return async (request, response) => {
    noteForLog(request, { face: 'autodiscover', operation: 'soap' });
    response.setHeader(SOAP_ENABLED_HEADER, 'True').setHeader('Cache-Control', 'no-store');
    // Faults before the envelope has been read are SOAP 1.1, as Exchange's are.
    let version: SoapVersion = '1.1';
    try {
      const { signIn, addresses, publicUrl } = services;
      const requester = await signIn.fromRequest(request);
      noteForLog(request, { client: requester.name });
      if (request.method !== 'POST') {
        notPosted(request, response);
        return;
      }
      const body = await readBody(request, LIMITS.requestBodyBytes);
      const envelope = decodeEnvelope(await readXml(body, { charset: charsetOf(request.headers['content-type']), maxNodes: LIMITS.requestXmlNodes }));
      ({ version } = envelope);
      const { versionIsKnown, messageId } = decodeRequestHeader(envelope);
      const { operation, identities, isRefused, notServed, message } = answerOperation(envelope, { requester, addresses, handout: handoutOf(publicUrl()), versionIsKnown });
      noteForLog(request, { operation, mailboxes: identities, ...(isRefused ? { code: 'INVALID_REQUEST' } : {}), ...(notServed === undefined ? {} : { code: 'MAILBOX_UNKNOWN', reason: notServed }) });
      reply(response, 200, version, encodeSoapAnswer(version, messageId, message));
    } catch (thrown) {
      refuse(request, response, version, thrown);
    }
  };
}

/** Exchange shows a page of its service's framework; nobody reads it. */
function notPosted(request: Request, response: Response): void {
  if (request.method === 'GET' || request.method === 'HEAD') response.status(200).type('text/html').send('<!DOCTYPE html><title>Autodiscover</title><p>This is an Autodiscover service. It is asked by POST.\n');
  else response.status(405).set('Allow', 'GET, HEAD, POST').type('text/plain').send('method not allowed\n');
}

function refuse(request: Request, response: Response, version: SoapVersion, thrown: unknown): void {
  const { fault, error } = whatToSay(thrown);
  const status = STATUS_OF[error.code];
  noteRefusal(request, response, error, { reason: fault.code });
  if (status === 401) setChallenge(request, response);
  reply(response, status === 401 || status === 429 ? status : 500, version, encodeSoapFault(version, fault));
}

function whatToSay(thrown: unknown): { readonly fault: Pick<AutodiscoverFault, 'code' | 'message'>; readonly error: BridgeError } {
  if (thrown instanceof AutodiscoverFault) return { fault: thrown, error: new BridgeError(thrown.code === 'ActionNotSupported' ? 'UNSUPPORTED' : 'INVALID_REQUEST', thrown.message, { cause: thrown }) };
  const error = thrown instanceof XmlError ? new BridgeError('INVALID_REQUEST', `the request cannot be read: ${thrown.message.slice(0, 200)}`, { cause: thrown }) : toBridgeError(thrown);
  return { fault: { code: STATUS_OF[error.code] < 500 ? 'Sender' : 'Receiver', message: error.publicMessage }, error };
}

function reply(response: Response, status: number, version: SoapVersion, body: string): void {
  response.status(status).setHeader('Content-Type', version === '1.1' ? XML_CONTENT_TYPE : 'application/soap+xml; charset=utf-8').end(body);
}
