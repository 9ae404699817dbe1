import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { LIMITS } from '../../core/limits.ts';
import { noteForLog } from './request-scope.ts';

const leaves = new WeakMap<IncomingMessage, () => void>();

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
    let isIn = true;
    const leave = (): void => {
      if (isIn) this.#inFlight -= 1;
      isIn = false;
    };
    leaves.set(request, leave);
    response.once('close', leave);
    next();
  };
}

/** An answer that goes on for hours is load no more; it has a bound of its own. */
export function leaveGate(request: IncomingMessage): void {
  leaves.get(request)?.();
}
