import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import type { Directory } from '../../directory/directory.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { charsetOf } from '../../platform/http-client/answer-headers.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { noteRefusal, placeOf } from '../../platform/http-server/note-refusal.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { checkHops } from './context-header.ts';
import type { AnswerFormat } from './face/answer.ts';
import { fullAllowance } from './face/allowance.ts';
import { createAuthenticator } from './face/authenticate.ts';
import type { Authenticator } from './face/authenticate.ts';
import { answerBatch, decodeBatch, isBatch } from './face/batch-request.ts';
import { FullReadings } from './face/full-readings.ts';
import { member } from './face/member.ts';
import { oneAtATime } from './face/one-at-a-time.ts';
import type { Asking } from './face/operation.ts';
import { readyOperation } from './face/operations.ts';
import { UnreadableMessage, decodeMessage } from './face/soap-message.ts';
import type { SoapMessage } from './face/soap-message.ts';
import { writeAnswer, writeMessage } from './face/write-answer.ts';
import type { WrittenAnswer } from './face/write-answer.ts';
import { encodeFault, faultOf } from './faults.ts';
import type { ZimbraFault } from './faults.ts';
import { REPLY_CACHE_CONTROL, REPLY_CONTENT_TYPE, ZIMBRA_ACCOUNT_NS } from './names.ts';
import { preauthEndpoint } from './preauth-endpoint.ts';

export interface ZimbraSoapServices {
  readonly source: FreeBusySource;
  /** The unified address book; NO_DIRECTORY where none is kept. */
  readonly directory: Directory;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
}

/**
 * The face of a Zimbra server: `POST /service/soap/` with any suffix; the element in the Body says what is asked. XML in SOAP 1.1 and
 * 1.2 and Zimbra's JSON, answered in the request's flavour or the one it wants; `/service/preauth` beside it.
 */
export function zimbraSoapEndpoint(services: ZimbraSoapServices): Router {
  const router = Router({ caseSensitive: true });
  const authenticator = createAuthenticator(services);
  const readings = new FullReadings();
  router.use(preauthEndpoint(services));
  // A GET has no envelope, and gets a fault like any other message without one.
  router.all('/service/soap{/*suffix}', async (request, response) => {
    noteForLog(request, { face: 'zimbra-soap' });
    // Until the envelope says otherwise faults are SOAP 1.2, as Zimbra's are.
    let format: AnswerFormat = '1.2';
    try {
      // The token stands inside the body, so the body comes before authentication; it is bounded, and reading it gives the event loop its turns.
      const body = await readBody(request, LIMITS.requestBodyBytes);
      const message = await decodeMessage(body, charsetOf(request.headers['content-type']));
      format = message.format;
      reply(response, 200, format, writeMessage(format, await answerTo(message, request, response, { authenticator, services, readings })));
    } catch (thrown) {
      refuse(request, response, thrown instanceof UnreadableMessage ? thrown.format : format, thrown);
    }
  });
  return router;
}

async function answerTo(
  { format, header, body }: SoapMessage,
  request: Request,
  response: Response,
  { authenticator, services, readings }: { readonly authenticator: Authenticator; readonly services: ZimbraSoapServices; readonly readings: FullReadings },
): Promise<WrittenAnswer> {
  const [operation] = body.children;
  const requestId = member(operation, 'requestId');
  if (operation?.name === 'AuthRequest' && operation.ns === ZIMBRA_ACCOUNT_NS) {
    noteForLog(request, { operation: 'AuthRequest' });
    return writeAnswer(format, await authenticator.authenticate(operation, request, response), requestId);
  }
  const requester = await authenticator.requesterOf(header, request);
  noteForLog(request, { client: requester.name });
  checkHops(header);
  const reading = readings.of(requester);
  const asking = askingFor(requester, request, services, reading.begin);
  try {
    const call = { format, asking, request, requestId };
    return await (isBatch(operation) ? batch(operation, call) : single(operation, call));
  } finally {
    reading.end();
  }
}

/** Who asks, and how the answer is to look. */
interface SignedInCall {
  readonly format: AnswerFormat;
  readonly asking: Asking;
  readonly request: Request;
  readonly requestId: string | undefined;
}

async function single(operation: XmlElement | undefined, { format, asking, request, requestId }: SignedInCall): Promise<WrittenAnswer> {
  const ready = readyOperation(operation);
  noteForLog(request, { operation: operation!.name, mailboxes: ready.users.length });
  return writeAnswer(format, await ready.run(asking), requestId, asking.allowance);
}

async function batch(operation: XmlElement, { format, asking, request, requestId }: SignedInCall): Promise<WrittenAnswer> {
  const decoded = await decodeBatch(operation);
  noteForLog(request, { operation: 'BatchRequest', mailboxes: decoded.parts.reduce((sum, { ready }) => sum + (ready instanceof BridgeError ? 0 : ready.users.length), 0) });
  const onFault = (error: BridgeError): void => noteForLog(request, { code: error.code, ...(error.code === 'INTERNAL' ? { stack: placeOf(error.cause) } : {}) });
  return answerBatch(decoded, format, asking, onFault, requestId);
}

function askingFor(requester: Requester, request: Request, { source, directory, clock, workingElsewhereAs }: ZimbraSoapServices, mayReadAll: () => boolean): Asking {
  return { source, directory, clock, workingElsewhereAs, ctx: contextFor(request, requester, 'zimbra-soap'), allowance: fullAllowance(), inTurn: oneAtATime(), mayReadAll };
}

function refuse(request: Request, response: Response, format: AnswerFormat, thrown: unknown): void {
  const { fault, error } = whatToSay(thrown);
  noteRefusal(request, response, error, { reason: fault.code });
  reply(response, fault.status, format, encodeFault(format, fault));
}

function whatToSay(thrown: unknown): { readonly fault: ZimbraFault; readonly error: BridgeError } {
  // An empty body, broken XML and broken JSON alike.
  if (thrown instanceof UnreadableMessage) {
    const error = new BridgeError('INVALID_REQUEST', 'the request cannot be read', { cause: thrown });
    return { fault: { code: 'service.PARSE_ERROR', role: 'Sender', reason: `parse error: ${thrown.message.slice(0, 200)}`, status: 500 }, error };
  }
  const error = toBridgeError(thrown);
  return { fault: faultOf(error), error };
}

function reply(response: Response, status: number, format: AnswerFormat, body: string): void {
  response.status(status).set({ 'Content-Type': REPLY_CONTENT_TYPE[format], 'Cache-Control': REPLY_CACHE_CONTROL });
  response.end(body);
}
