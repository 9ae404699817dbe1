import type { Request, Response } from 'express';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import { setChallenge } from './challenge.ts';
import { noteRefusal } from './note-refusal.ts';
import { STATUS_OF } from './status-of.ts';

/** `{"code", "message"}`: what a client of a JSON face is told of an error. */
export function encodeError(error: BridgeError): { readonly code: ErrorCode; readonly message: string } {
  return { code: error.code, message: error.publicMessage };
}

/**
 * Refuses a request to a JSON face: its status, the challenge with a 401, and `{"error": {…}}`.
 *
 * @throws BridgeError INTERNAL: the last resort logs where our mistake is
 */
export function refuseJson(request: Request, response: Response, thrown: unknown): void {
  const error = toBridgeError(thrown);
  if (error.code === 'INTERNAL') throw error;
  noteRefusal(request, response, error);
  const status = STATUS_OF[error.code];
  if (status === 401) setChallenge(request, response);
  response.status(status).json({ error: encodeError(error) });
}
