import type { RequestListener } from 'node:http';
import express from 'express';
import type { ErrorRequestHandler, Request, RequestHandler, Response, Router } from 'express';
import { toBridgeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import { OVER } from '../../core/over.ts';
import type { BusyAnswer } from './busy-answer.ts';
import type { LoadGate } from './load-gate.ts';
import { placeOf } from './note-refusal.ts';
import { beginScope, noteForLog, plainAddress, scopeOf } from './request-scope.ts';
import { boundUnreadBody } from './unread-body.ts';

export interface AppOptions {
  /** Addresses or networks whose X-Forwarded-* headers count. */
  readonly trustedProxies: readonly string[];
  /** A lookup's deadline, for clients without their own. */
  readonly deadlineMs: number;
  /** Answered whatever the load: health. */
  readonly always: Router;
  readonly gate: LoadGate;
  readonly routers: readonly Router[];
  /** What faces say that are shed by the gate; absent: all of them a plain 503. */
  readonly busy?: readonly BusyAnswer[];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * What every listener does around its faces: a scope and one log line for every request, load shed by the gate, 404 for paths that no face has, 500 without a word for our own mistakes.
 */
export function createApp(options: AppOptions): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Faces read the raw URL: a form-style parser stops at 1,000 keys and turns the + of a zone offset into a blank.
  app.set('query parser', false);
  app.set('trust proxy', options.trustedProxies.length === 0 ? false : [...options.trustedProxies]);
  app.use(scopeAndLog(options));
  app.use(options.always);
  app.use(options.gate.handlerFor(options.busy));
  app.use(plainPath);
  app.use(...options.routers);
  app.use(notFound);
  app.use(lastResort(options.logger));
  return app;
}

function notFound(request: Request, response: Response): void {
  noteForLog(request, { face: 'none' });
  response.status(404).type('text/plain').send('not found\n');
}

/** Broken escapes in a path stand for themselves: Express would refuse them from within a face, before anyone has signed in. */
const plainPath: RequestHandler = (request, _response, next) => {
  try {
    decodeURIComponent(request.path);
  } catch {
    // URIError is the answer to the question.
    const mark = request.url.indexOf('?');
    const path = mark < 0 ? request.url : request.url.slice(0, mark);
    request.url = path.replaceAll('%', '%25') + (mark < 0 ? '' : request.url.slice(mark));
  }
  next();
};

function scopeAndLog(options: AppOptions): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    const closed = new AbortController();
    const scope = beginScope(request, {
      address: plainAddress(request.ip ?? ''),
      secure: request.secure,
      receivedAt: Date.now(),
      deadlineMs: options.deadlineMs,
      closed: closed.signal,
    });
    boundUnreadBody(request, response);
    response.setHeader('X-Request-Id', scope.requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.once('close', () => {
      closed.abort(OVER);
      const durationMs = Math.round(performance.now() - started);
      // A client that went away before its answer is no success, whatever was about to be sent.
      const status = response.writableFinished ? response.statusCode : 499;
      const face = scope.fields.face ?? 'none';
      options.metrics.request(face, status, durationMs);
      const line = { requestId: scope.requestId, method: request.method, address: scope.address, ...scope.fields, face, status, durationMs };
      // SOAP's faults are 500 by their protocol, whoever is to blame.
      const isOurs = status >= 500 && (line.code === undefined || line.code === 'INTERNAL');
      if (isOurs) options.logger.error(line, 'request failed');
      // Most clients sign in only when they are asked to (a stock Zimbra, DavMail, every NTLM handshake): the first try is nothing to be warned of.
      else if (line.code === 'AUTH_REQUIRED') options.logger.info(line, 'asked to sign in');
      else if (status >= 400 || line.code !== undefined) options.logger.warn(line, 'request refused');
      else if (face === 'health' || face === 'metrics') options.logger.debug(line, 'request');
      else options.logger.info(line, 'request');
    });
    next();
  };
}

/** Errors that no face turned into its own fault: our own mistakes. */
function lastResort(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const error = toBridgeError(thrown);
    logger.error({ requestId: scopeOf(request).requestId, code: error.code, stack: placeOf(error.cause) }, 'unexpected error');
    noteForLog(request, { code: error.code });
    if (response.headersSent) response.destroy();
    else response.status(500).type('text/plain').send('internal error\n');
  };
}
