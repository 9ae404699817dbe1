import type { IncomingMessage } from 'node:http';
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import { askMailboxes, checkQuestion } from '../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { charsetOf } from '../../platform/http-client/answer-headers.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { XmlError, readXml } from '../../platform/xml/read.ts';
import { el, writeXml, xml, xmlDocument } from '../../platform/xml/write.ts';
import { ENVELOPE_NS, decodeEnvelope, encodeEnvelope } from '../soap/envelope.ts';
import type { SoapEnvelope, SoapVersion } from '../soap/envelope.ts';
import { decodeAuthRequest, encodeAuthResponse } from './auth.ts';
import { decodeRequestHeader } from './context-header.ts';
import { encodeFault, faultOf } from './faults.ts';
import type { ZimbraFault } from './faults.ts';
import { decodeGetFreeBusyRequest } from './get-free-busy-request.ts';
import { REPLY_CACHE_CONTROL, REPLY_CONTENT_TYPE, TOKEN_COOKIE, ZIMBRA_ACCOUNT_NS, ZIMBRA_MAIL_NS, ZIMBRA_NS } from './names.ts';
import { encodeGetFreeBusyResponse } from './write-get-free-busy-response.ts';

export interface ZimbraSoapServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
}

/**
 * The face of a Zimbra server: `POST /service/soap/` with any suffix; the element in the Body says what is asked. AuthRequest and
 * GetFreeBusyRequest, XML in SOAP 1.1 and 1.2, answered in the request's flavour.
 */
export function zimbraSoapEndpoint(services: ZimbraSoapServices): Router {
  const router = Router({ caseSensitive: true });
  // A GET has no envelope, and gets a fault like any other message without one.
  router.all('/service/soap{/*suffix}', async (request, response) => {
    noteForLog(request, { face: 'zimbra-soap' });
    // Until the envelope says otherwise faults are SOAP 1.2, as Zimbra's are.
    let version: SoapVersion = '1.2';
    try {
      const envelope = await readEnvelope(request);
      version = envelope.version;
      const answer = await answerTo(envelope, request, response, services);
      reply(response, 200, answer);
    } catch (thrown) {
      refuse(request, response, version, thrown);
    }
  });
  return router;
}

/**
 * The token stands inside the body, so the body comes before authentication; it is bounded, and reading it gives the event loop
 * its turns.
 */
async function readEnvelope(request: Request): Promise<SoapEnvelope> {
  const body = await readBody(request, LIMITS.requestBodyBytes);
  return decodeEnvelope(await readXml(body, { charset: charsetOf(request.headers['content-type']), maxNodes: LIMITS.requestXmlNodes }));
}

async function answerTo(envelope: SoapEnvelope, request: Request, response: Response, services: ZimbraSoapServices): Promise<string> {
  const [operation] = envelope.body.children;
  if (operation?.name === 'AuthRequest' && operation.ns === ZIMBRA_ACCOUNT_NS) {
    noteForLog(request, { operation: 'AuthRequest' });
    return authenticate(operation, envelope.version, request, response, services);
  }
  const requester = await requesterOf(envelope, request, services.signIn);
  if (operation?.name === 'GetFreeBusyRequest' && operation.ns === ZIMBRA_MAIL_NS) {
    noteForLog(request, { operation: 'GetFreeBusyRequest', client: requester.name });
    return getFreeBusy(operation, envelope.version, requester, request, services);
  }
  throw new BridgeError('UNSUPPORTED', `unknown document: ${operation?.name.slice(0, 100) ?? 'nothing'}`);
}

async function authenticate(
  operation: XmlElement,
  version: SoapVersion,
  request: Request,
  response: Response,
  { signIn }: ZimbraSoapServices,
): Promise<string> {
  const { account, password } = decodeAuthRequest(operation);
  const requester = await signIn.withPassword(account, password, request);
  noteForLog(request, { client: requester.name });
  const lifetimeMs = LIMITS.zimbraTokenMs;
  const authToken = signIn.issueToken(requester, 'zimbra-token', lifetimeMs);
  response.append('Set-Cookie', `${TOKEN_COOKIE}=${authToken}; Path=/; HttpOnly${request.secure ? '; Secure' : ''}`);
  const header = el('context', { xmlns: ZIMBRA_NS });
  return writeXml(encodeEnvelope(version, { header: [header], body: [encodeAuthResponse({ authToken, lifetimeMs })] }));
}

async function getFreeBusy(operation: XmlElement, version: SoapVersion, requester: Requester, request: Request, services: ZimbraSoapServices): Promise<string> {
  const { window, ids } = decodeGetFreeBusyRequest(operation);
  noteForLog(request, { mailboxes: ids.length });
  checkQuestion(ids.length, window);
  // Zimbra does not trim: " a@x" names nobody (zimbra.md §2.1).
  const askable = ids.filter((id) => id === id.trim());
  const asked = await askMailboxes(services.source, askable, window, requester.detail === 'details', contextFor(request, requester));
  const answers = new Map(asked.map(({ text, result }) => [text, 'freeBusy' in result ? result.freeBusy : undefined]));
  const users = ids.map((id) => ({ id, freeBusy: answers.get(id) }));
  const body = await encodeGetFreeBusyResponse(users, window, services.workingElsewhereAs);
  return xmlDocument(
    xml`<soap:Envelope xmlns:soap="${ENVELOPE_NS[version]}"><soap:Header><context xmlns="${ZIMBRA_NS}"/></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`,
  );
}

/**
 * Token in the context header, else the cookie, else HTTP Basic, else an anonymous client. A token that was sent must be good: to
 * Zimbra a malformed one counts as none and the question goes on anonymously (zimbra.md §1.5); here it is a fault.
 */
async function requesterOf(envelope: SoapEnvelope, request: Request, signIn: SignIn): Promise<Requester> {
  const { authToken, hasJwtToken } = decodeRequestHeader(envelope.header);
  const token = authToken ?? (hasJwtToken ? '' : tokenCookie(request));
  if (token === undefined) return signIn.fromRequest(request);
  try {
    return await signIn.fromToken(token, 'zimbra-token', request);
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'AUTH_FAILED') throw new BridgeError('AUTH_REQUIRED', 'no valid authtoken present', { cause: error });
    throw error;
  }
}

function tokenCookie(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${TOKEN_COOKIE}=`));
  const value = found?.slice(TOKEN_COOKIE.length + 1).replace(/^"(.*)"$/, '$1');
  return value === '' ? undefined : value;
}

function refuse(request: Request, response: Response, version: SoapVersion, thrown: unknown): void {
  const { fault, error } = whatToSay(thrown);
  noteRefusal(request, response, error, { reason: fault.code });
  // What is left of a body that was refused is not worth reading.
  if (!request.complete) response.setHeader('Connection', 'close');
  reply(response, fault.status, encodeFault(version, fault));
}

function whatToSay(thrown: unknown): { readonly fault: ZimbraFault; readonly error: BridgeError } {
  // An empty body, JSON (which a later version will read) and broken XML alike.
  if (thrown instanceof XmlError) {
    const error = new BridgeError('INVALID_REQUEST', 'the request cannot be read', { cause: thrown });
    return { fault: { code: 'service.PARSE_ERROR', role: 'Sender', reason: `parse error: ${thrown.message.slice(0, 200)}`, status: 500 }, error };
  }
  const error = toBridgeError(thrown);
  return { fault: faultOf(error), error };
}

function reply(response: Response, status: number, body: string): void {
  response.status(status).set({ 'Content-Type': REPLY_CONTENT_TYPE, 'Cache-Control': REPLY_CACHE_CONTROL });
  response.end(body);
}
