import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../../core/limits.ts';
import type { LogFields } from '../../core/logger.ts';
import { OVER } from '../../core/over.ts';
import type { Face, RequestContext, Requester } from '../../core/request-context.ts';
import { HOP_HEADER, ZIMBRA_HOP_HEADER } from '../http-client/interceptors.ts';

/** What the server knows of one request beside its bytes. */
export interface RequestScope {
  readonly requestId: string;
  /** The client's address, as far as trusted proxies vouch for it; IPv4 in its plain form. */
  readonly address: string;
  /** The client's connection is TLS, as far as trusted proxies vouch for it. */
  readonly secure: boolean;
  readonly receivedAt: number;
  readonly deadlineMs: number;
  /** Fires when the client has gone or the answer is out. */
  readonly closed: AbortSignal;
  /** Gathered for the one line in the log. */
  fields: LogFields;
  /** Values of WWW-Authenticate, should the answer be 401; set by sign-in. */
  challenges?: readonly string[];
  /** When what the client has proved itself with ends, an answer that goes on for long ends too; set by sign-in, absent where it does not end. */
  signedInUntil?: number;
}

const scopes = new WeakMap<IncomingMessage, RequestScope>();

/** Binds a scope to its request; done once, by the server. */
export function beginScope(request: IncomingMessage, scope: Omit<RequestScope, 'requestId' | 'fields' | 'challenges' | 'signedInUntil'>): RequestScope {
  const begun: RequestScope = { ...scope, requestId: randomUUID(), fields: {} };
  scopes.set(request, begun);
  return begun;
}

/** The scope of a request. One that came by another way than our server gets a plain one. */
export function scopeOf(request: IncomingMessage): RequestScope {
  const scope = scopes.get(request);
  if (scope !== undefined) return scope;
  return beginScope(request, {
    address: plainAddress(request.socket.remoteAddress ?? ''),
    secure: 'encrypted' in request.socket,
    receivedAt: Date.now(),
    deadlineMs: DEFAULT_DEADLINE_MS,
    closed: new AbortController().signal,
  });
}

const DEFAULT_DEADLINE_MS = 5_000;

/** `::ffff:10.0.0.1` is `10.0.0.1`: dual-stack listeners show IPv4 clients that way. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Adds to the one log line that is written when this request's answer is out. */
export function noteForLog(request: IncomingMessage, fields: LogFields): void {
  const scope = scopeOf(request);
  scope.fields = { ...scope.fields, ...fields };
}

/**
 * The context in which a requester's question is answered: its deadline counts from the request's arrival, the signal fires
 * at the deadline or when the client goes away, and hops are what the request says of itself. `face` is for the audit log.
 */
export function contextFor(request: IncomingMessage, requester: Requester, face: Face): RequestContext {
  const scope = scopeOf(request);
  noteForLog(request, { client: requester.name });
  const deadline = scope.receivedAt + (requester.deadlineMs ?? scope.deadlineMs);
  let signal: AbortSignal | undefined;
  return {
    requestId: scope.requestId,
    requester,
    face,
    address: scope.address,
    hops: hopsOf(request),
    viaZimbra: request.headers[ZIMBRA_HOP_HEADER] !== undefined,
    deadline,
    // Made when somebody wants to know: a question that nobody has to wait for never does.
    get signal() {
      signal ??= deadlineSignal(deadline, scope.closed);
      return signal;
    },
  };
}

/** Fires at `deadline` (epoch ms) or together with `also`. */
export function deadlineSignal(deadline: number, also?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(OVER), Math.max(0, deadline - Date.now()));
  timer.unref();
  const stop = (): void => {
    clearTimeout(timer);
    controller.abort(OVER);
  };
  if (also?.aborted === true) stop();
  else also?.addEventListener('abort', stop, { once: true });
  return controller.signal;
}

/** Our own header counts every bridge on the way. Zimbra's says 0 on the first hop, so one has been passed already. */
function hopsOf(request: IncomingMessage): number {
  const own = hopNumber(request.headers[HOP_HEADER]);
  const zimbra = hopNumber(request.headers[ZIMBRA_HOP_HEADER]);
  return Math.max(own ?? 0, zimbra === undefined ? 0 : Math.max(1, zimbra));
}

/** What cannot be read counts as too many: a loop is worse than no data. */
function hopNumber(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const text = Array.isArray(header) ? header.join(',') : header;
  return /^\s*\d{1,3}\s*$/.test(text) ? Number(text) : LIMITS.hops + 1;
}
