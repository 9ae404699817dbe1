import type { Instant } from './clock.ts';
import { LIMITS } from './limits.ts';

/** Counts how often an account was refused in a row: it has to rest then, longer each time, or lookups would lock it. */
export class RefusalCount {
  readonly #from: number;
  #count = 0;
  #countedAt: Instant = -Infinity;
  #until: Instant = -Infinity;

  /** @param from with which of LIMITS.refusedPausesMs the first refusal begins, from 0 */
  constructor(from = 0) {
    this.#from = from;
  }

  /** Whether its password is not to be sent now. */
  isResting(now: Instant): boolean {
    return now < this.#until;
  }

  get restsUntil(): Instant {
    return this.#until;
  }

  /** It was refused. Of several requests under way at the same time one counts. @param startedAt when the request was sent @returns whether it is the first in a row */
  refused(now: Instant, startedAt: Instant = now): boolean {
    if (!this.isResting(now) && (this.#count === 0 || startedAt > this.#countedAt)) {
      this.#count += 1;
      this.#countedAt = now;
      this.#until = now + LIMITS.refusedPausesMs[Math.min(this.#from + this.#count, LIMITS.refusedPausesMs.length) - 1]!;
    }
    return this.#count === 1;
  }

  accepted(): void {
    this.#count = 0;
    this.#countedAt = -Infinity;
    this.#until = -Infinity;
  }
}
