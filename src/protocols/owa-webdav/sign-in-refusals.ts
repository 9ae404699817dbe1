import type { Clock } from '../../core/clock.ts';
import type { BridgeError } from '../../core/errors.ts';
import { RefusalCount } from '../../core/refusal-count.ts';

/** Whether an account was refused: its password is not sent for a while then, by nobody and to none of its servers, so that lookups do not lock it. */
export class SignInRefusals {
  readonly #clock: Clock;
  readonly #count: RefusalCount;
  #error: BridgeError | undefined;

  /** @param from see RefusalCount */
  constructor(clock: Clock, from = 0) {
    this.#clock = clock;
    this.#count = new RefusalCount(from);
  }

  /** @throws BridgeError what the account was refused with, while it rests */
  check(): void {
    if (this.#error !== undefined && this.#count.isResting(this.#clock.now())) throw this.#error;
  }

  /** Remembers it, and gives it back. What was sent before the first refusal came counts once. */
  refused(error: BridgeError): BridgeError {
    const now = this.#clock.now();
    if (!this.#count.isResting(now)) this.#error = error;
    this.#count.refused(now);
    return error;
  }

  /** The server has taken the password. */
  accepted(): void {
    this.#count.accepted();
    this.#error = undefined;
  }
}
