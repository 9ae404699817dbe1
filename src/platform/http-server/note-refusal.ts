import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BridgeError } from '../../core/errors.ts';
import type { LogFields } from '../../core/logger.ts';
import { noteForLog, scopeOf } from './request-scope.ts';

/** What every face does before it writes a refusal in its protocol's own form: the code for the log, Retry-After for the client. */
export function noteRefusal(request: IncomingMessage, response: ServerResponse, error: BridgeError, fields: LogFields = {}): void {
  // What sign-in found wrong says more than the protocol's own name for it.
  const reason = scopeOf(request).fields.reason ?? fields.reason;
  noteForLog(request, { code: error.code, ...(error.code === 'INTERNAL' ? { stack: placeOf(error.cause) } : { ...fields, reason }) });
  if (error.retryAfterMs !== undefined) response.setHeader('Retry-After', String(Math.ceil(error.retryAfterMs / 1000)));
}

/** Where an unexpected error came from, without its message, which may quote what a client sent. */
export function placeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const at = cause.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return [cause.name, ...at].join('\n');
}
