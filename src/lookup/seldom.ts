import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';

/** Says the same only now and then: under overload a line for every refused question would be load of its own. */
export class Seldom {
  readonly #clock: Clock;
  readonly #said = new Map<string, { at: Instant; leftOut: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param what a system, a code and what was met @returns how often it was left out since it was last said; undefined: it is not to be said now */
  mayBeSaid(what: string): number | undefined {
    const now = this.#clock.now();
    const last = this.#said.get(what);
    if (last !== undefined && Math.abs(now - last.at) < LIMITS.sameWarningMs) {
      last.leftOut += 1;
      return undefined;
    }
    if (this.#said.size >= LIMITS.sameWarnings) this.#said.clear();
    this.#said.set(what, { at: now, leftOut: 0 });
    return last?.leftOut ?? 0;
  }
}
