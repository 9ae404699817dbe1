import express from 'express';
import type { Request, Response, Router } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import { askMailboxes } from '../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { XmlError, readXml } from '../../platform/xml/read.ts';
import { decodeFreeBusyRequest } from '../icalendar/free-busy-request.ts';
import { ICALENDAR_MEDIA_TYPE } from '../icalendar/names.ts';
import { encodeFreeBusyDocument } from '../icalendar/write-free-busy.ts';
import { callerOf } from './caller.ts';
import type { Caller } from './caller.ts';
import { depthOf } from './depth.ts';
import { answersOf, isUnknown } from './free-busy-answer.ts';
import { encodeMultiStatus } from './multi-status.ts';
import type { ResourceAnswer } from './multi-status.ts';
import { DAV_FEATURES, DAV_NS, DAV_XML, qualified } from './names.ts';
import { PRIVILEGE_FOR, allowedMethods } from './methods.ts';
import { brokenPrecondition, encodePreconditionBody, neededPrivilege, preconditionOf } from './precondition.ts';
import { propertiesOf } from './properties.ts';
import { ALL_PROPERTIES, decodePropertyQuestion } from './property-question.ts';
import type { PropertyQuestion } from './property-question.ts';
import { REPORTS_OF } from './report-names.ts';
import type { ReportName } from './report-names.ts';
import { decodeTimeRange, encodeSearchProperties, isSearchedFor, multigetAnswers } from './reports.ts';
import { REQUEST_STATUS_OF } from './request-status.ts';
import { CONTEXT_PATH, childrenOf, hrefOf, isOurs, isWellKnown, resourceAt } from './resources.ts';
import type { ResourceKind } from './resources.ts';
import { completeScheduleRequest, mailboxTextOf } from './schedule-request.ts';
import { encodeScheduleResponse } from './schedule-response.ts';

export interface CaldavServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  /** Our address, for the calendar user address of a client whose user name is none. */
  readonly publicUrl: () => string;
}

/** One request on its way, after sign-in. */
interface Visit {
  readonly request: Request;
  readonly response: Response;
  readonly requester: Requester;
  readonly caller: Caller;
}

/**
 * CalDAV as far as a client needs it to ask when somebody is busy: discovery (RFC 6764, RFC 4791), the scheduling outbox (RFC 6638 §5), and one
 * calendar that holds nothing, because clients take an account in by its calendars. Nothing can be written. Mount it at the root; what is not its own goes on to the next.
 */
export function caldavEndpoint(services: CaldavServices): Router {
  const router = express.Router();
  router.use(async (request, response, next) => {
    if (!isOurs(request.originalUrl, request.method)) {
      next();
      return;
    }
    noteForLog(request, { face: 'caldav', operation: request.method.toLowerCase() });
    try {
      const requester = await services.signIn.fromRequest(request);
      noteForLog(request, { client: requester.name });
      const visit: Visit = { request, response, requester, caller: callerOf(requester, services.publicUrl()) };
      response.set('Cache-Control', 'no-store').set('DAV', DAV_FEATURES);
      if (isWellKnown(request.originalUrl)) redirect(response);
      else await answer(services, visit);
    } catch (thrown) {
      refuse(toBridgeError(thrown), request, response);
    }
  });
  return router;
}
/** RFC 6764 §5. 307, because on 301 python-requests and curl ask again with their method and without their question. */
function redirect(response: Response): void {
  response.status(307).set('Location', CONTEXT_PATH).type('text/plain').send('moved\n');
}

async function answer(services: CaldavServices, visit: Visit): Promise<void> {
  const { request, response, caller } = visit;
  const { method } = request;
  const kind = resourceAt(request.originalUrl, caller.name);
  const privilege = PRIVILEGE_FOR.get(method);
  if (privilege !== undefined) {
    const href = hrefOf(kind ?? 'home', caller.name);
    noteRefusal(request, response, new BridgeError('ACCESS_DENIED', 'nothing can be written here'));
    response.status(403).set('Content-Type', DAV_XML).send(encodePreconditionBody('need-privileges', 'nothing can be written here', neededPrivilege(href, privilege)));
    return;
  }
  if (kind === undefined) throw new BridgeError('NOT_FOUND', 'there is no such resource');
  if (!request.originalUrl.endsWith('/')) response.set('Content-Location', hrefOf(kind, caller.name));
  if (method === 'OPTIONS') response.status(200).set('Allow', allowedMethods(kind)).end();
  else if (method === 'PROPFIND') await propfind(visit, kind);
  else if (method === 'REPORT') await report(services, visit, kind);
  else if (method === 'POST') await post(services, visit, kind);
  else response.status(405).set('Allow', allowedMethods(kind)).type('text/plain').send('method not allowed\n');
}

async function propfind(visit: Visit, kind: ResourceKind): Promise<void> {
  const { request, caller } = visit;
  const depth = depthOf(request.headers['depth']);
  const root = await xmlBody(request);
  if (root !== undefined && (root.ns !== DAV_NS || root.name !== 'propfind')) throw new BridgeError('INVALID_REQUEST', 'a propfind is expected');
  const question = root === undefined ? ALL_PROPERTIES : decodePropertyQuestion(root);
  const kinds = depth === 0 ? [kind] : [kind, ...childrenOf(kind)];
  multiStatus(visit, kinds.map((one) => ({ href: hrefOf(one, caller.name), properties: propertiesOf(one, caller) })), question);
}

async function report(services: CaldavServices, visit: Visit, kind: ResourceKind): Promise<void> {
  const { request, response, caller } = visit;
  const root = await xmlBody(request);
  const name = root === undefined ? undefined : qualified(root);
  const known = REPORTS_OF[kind].find((one) => one === name);
  if (root === undefined || known === undefined) throw brokenPrecondition('supported-report', 'there is no such report here', 'UNSUPPORTED');
  noteForLog(request, { operation: known.slice(2) });
  const answers: Readonly<Record<ReportName, () => void | Promise<void>>> = {
    'C:calendar-query': () => multiStatus(visit, [], ALL_PROPERTIES),
    'C:calendar-multiget': () => multiStatus(visit, multigetAnswers(root), ALL_PROPERTIES),
    'C:free-busy-query': () => freeBusyQuery(services, visit, root),
    'D:principal-property-search': () => {
      const properties = propertiesOf('principal', caller);
      multiStatus(visit, isSearchedFor(properties, root) ? [{ href: hrefOf('principal', caller.name), properties }] : [], decodePropertyQuestion(root));
    },
    'D:principal-search-property-set': () => void response.status(200).set('Content-Type', DAV_XML).send(encodeSearchProperties()),
  };
  await answers[known]();
}

function multiStatus({ request, response }: Visit, answers: readonly ResourceAnswer[], question: PropertyQuestion): void {
  const minimal = /\breturn=minimal\b/i.test(String(request.headers['prefer'] ?? '')) || request.headers['brief']?.toString().toLowerCase() === 't';
  response.status(207).set('Content-Type', DAV_XML).send(encodeMultiStatus(answers, question, minimal));
}

/** The scheduling outbox (RFC 6638 §5). */
async function post(services: CaldavServices, { request, response, requester, caller }: Visit, kind: ResourceKind): Promise<void> {
  if (kind !== 'outbox') throw brokenPrecondition('supported-collection', 'only the outbox takes questions', 'UNSUPPORTED');
  noteForLog(request, { operation: 'schedule' });
  const contentType = request.headers['content-type'];
  if (contentType !== undefined && !/^\s*text\/calendar\s*(?:;|$)/i.test(contentType)) {
    throw brokenPrecondition('supported-calendar-data', 'only text/calendar is taken', 'UNSUPPORTED');
  }
  const message = await decodeFreeBusyRequest(await readBody(request, LIMITS.requestBodyBytes), charsetIn(contentType));
  const question = completeScheduleRequest(message, request.headers, caller.address);
  noteForLog(request, { mailboxes: question.attendees.length });
  const asked = await askMailboxes(services.source, question.attendees.map(mailboxTextOf), question.window, false, contextFor(request, requester, 'caldav'));
  const answers = await answersOf(question, asked, services.clock.now(), services.workingElsewhereAs);
  response.status(200).set('Content-Type', DAV_XML).send(await encodeScheduleResponse(answers));
}

/** The time of the caller itself (RFC 4791 §7.10), where its user name is a mailbox; the calendar here is empty, and no answer is made from that. */
async function freeBusyQuery(services: CaldavServices, { request, response, requester, caller }: Visit, root: XmlElement): Promise<void> {
  const window = decodeTimeRange(root);
  const nobody = brokenPrecondition('need-privileges', 'this client is nobody whose time is known here', 'ACCESS_DENIED');
  if (caller.mailbox === undefined) throw nobody;
  noteForLog(request, { mailboxes: 1 });
  const [asked] = await askMailboxes(services.source, [caller.mailbox], window, false, contextFor(request, requester, 'caldav'));
  const result = asked!.result;
  if ('error' in result && REQUEST_STATUS_OF[result.error.code] === '3.7;Invalid calendar user') throw nobody;
  if ('error' in result || isUnknown(result.freeBusy)) {
    const retryAfterMs = ('error' in result ? result.error.retryAfterMs : undefined) ?? LIMITS.retryAfterMs;
    throw new BridgeError('BACKEND_FAULT', 'nothing is known just now', { temporary: true, retryAfterMs });
  }
  const document = { method: 'PUBLISH', freeBusy: result.freeBusy, organizer: caller.address, stamp: services.clock.now() } as const;
  response.status(200).set('Content-Type', `${ICALENDAR_MEDIA_TYPE}; charset=utf-8`).send(await encodeFreeBusyDocument(document, services.workingElsewhereAs));
}

/** Undefined for an empty body. @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE */
async function xmlBody(request: Request): Promise<XmlElement | undefined> {
  const body = await readBody(request, LIMITS.requestBodyBytes);
  if (body.length === 0) return undefined;
  try {
    return await readXml(body, { charset: charsetIn(request.headers['content-type']), maxNodes: LIMITS.requestXmlNodes });
  } catch (error) {
    if (error instanceof XmlError) throw new BridgeError('INVALID_REQUEST', 'the XML cannot be read', { cause: error });
    throw error;
  }
}

function charsetIn(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType ?? '')?.[1];
}

function refuse(error: BridgeError, request: Request, response: Response): void {
  noteRefusal(request, response, error);
  const precondition = preconditionOf(error);
  if (precondition !== undefined) {
    response.status(403).set('Content-Type', DAV_XML).send(encodePreconditionBody(precondition, error.publicMessage));
    return;
  }
  const status = STATUS_OF[error.code];
  if (status === 401) setChallenge(request, response);
  response.status(status).type('text/plain').send(`${error.publicMessage}\n`);
}
