import { pauseAfter } from '../../core/back-off.ts';
import type { Clock, Instant } from '../../core/clock.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** Whether an account was refused lately: its password is not sent again for a while, by nobody and to none of its servers, so that lookups do not lock it. */
export class SignInRefusals {
  readonly #clock: Clock;
  #failures = 0;
  #until: Instant = -Infinity;
  #error: BridgeError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws BridgeError what the account was refused with, while that is remembered */
  check(): void {
    if (this.#error !== undefined && this.#clock.now() < this.#until) throw this.#error;
  }

  /** Remembers it, and gives it back. What was sent before the first refusal came counts once. */
  refused(error: BridgeError): BridgeError {
    if (this.#clock.now() < this.#until) return error;
    this.#failures += 1;
    this.#until = this.#clock.now() + pauseAfter(this.#failures, LIMITS.webdavRefusedPauses);
    this.#error = error;
    return error;
  }

  /** The server has taken the password. */
  accepted(): void {
    this.#failures = 0;
    this.#until = -Infinity;
    this.#error = undefined;
  }
}
