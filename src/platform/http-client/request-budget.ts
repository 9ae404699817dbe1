import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/**
 * Counts what one lookup sends to one back end, so that a server that refuses (401, 440, 503, redirects) is not hammered
 * with the rest of a large question. Make one for every call of a source.
 */
export class RequestBudget {
  #refused = 0;
  #inFlight = 0;
  #redirects = 0;

  /** Takes a place for one request. @throws BridgeError BACKEND_BUSY once too many were refused. */
  take(): void {
    if (this.#refused > 0 && this.#refused + this.#inFlight >= LIMITS.refusedRequestsPerLookup) {
      throw new BridgeError('BACKEND_BUSY', 'the calendar system keeps refusing', { temporary: true, details: { refused: this.#refused } });
    }
    this.#inFlight += 1;
  }

  /** Gives the place back; a refused request stays counted. */
  done(refused: boolean): void {
    this.#inFlight -= 1;
    if (refused) this.#refused += 1;
  }

  /** Counts one redirect that is about to be followed; false when there were too many. */
  mayFollow(): boolean {
    this.#redirects += 1;
    return this.#redirects <= LIMITS.redirects;
  }
}

/** Statuses with which a back end refuses as a whole: counted by the budget. A 403 may be about one mailbox. */
export function isRefusal(status: number): boolean {
  return status === 401 || status === 429 || status === 440 || status === 503 || (status >= 300 && status < 400);
}
