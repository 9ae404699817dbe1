import type { RequestHandler } from 'express';
import { LIMITS } from '../../core/limits.ts';
import { noteForLog } from './request-scope.ts';

/** Sheds load beyond LIMITS.requestsInFlight. One for the life of the process: over all listeners, and over reloads. */
export class LoadGate {
  #inFlight = 0;

  /** Lets a request in, or answers it 503. */
  readonly handler: RequestHandler = (request, response, next) => {
    if (this.#inFlight >= LIMITS.requestsInFlight) {
      noteForLog(request, { reason: 'too many requests at once' });
      response.status(503).set('Retry-After', '1').type('text/plain').send('busy\n');
      return;
    }
    this.#inFlight += 1;
    response.once('close', () => (this.#inFlight -= 1));
    next();
  };
}
