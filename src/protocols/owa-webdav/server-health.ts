import { pauseAfter } from '../../core/back-off.ts';
import type { Clock, Instant } from '../../core/clock.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** How one server of several does: after a failure it is put aside for a growing while, then one request tries it. */
export class ServerHealth {
  readonly #clock: Clock;
  #failures = 0;
  #until: Instant = -Infinity;
  #trouble: BridgeError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isAside(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** With what it failed last; undefined: it is well. */
  get trouble(): BridgeError | undefined {
    return this.#trouble;
  }

  /** Whether it may be asked in its turn. Of those who come after its time aside the first tries it, the others still go past it. */
  mayTry(): boolean {
    if (this.isAside) return false;
    if (this.#failures > 0) this.#until = this.#clock.now() + LIMITS.webdavAsidePauses.firstMs;
    return true;
  }

  /** True where it had failed before. */
  answered(): boolean {
    const isNews = this.#failures > 0;
    this.#failures = 0;
    this.#until = -Infinity;
    this.#trouble = undefined;
    return isNews;
  }

  /** True where that is news. */
  failed(error: BridgeError): boolean {
    const isNews = this.#failures === 0;
    this.#failures += 1;
    this.#trouble = error;
    this.#until = this.#clock.now() + pauseAfter(this.#failures, LIMITS.webdavAsidePauses, error.retryAfterMs);
    return isNews;
  }
}
