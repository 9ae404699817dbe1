import { pauseAfter } from '../../../core/back-off.ts';
import type { Pauses } from '../../../core/back-off.ts';
import type { Clock, Instant } from '../../../core/clock.ts';
import type { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';

/** Whether a server is asked at all, and how much at the same time: one that is busy, away or refuses us is left alone by all subscriptions at once. */
export class Gate {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #pauses: Pauses;
  #until: Instant = 0;
  #failures = 0;
  #room: number;

  /** @param most requests at the same time */
  constructor(clock: Clock, most: number, pauses: Pauses) {
    this.#clock = clock;
    this.#most = most;
    this.#room = most;
    this.#pauses = pauses;
  }

  get isShut(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** Requests at the same time, now. */
  get room(): number {
    return Math.max(1, Math.floor(this.#room));
  }

  /** The server is busy or away: as long as it asks for, else with growing pauses. @returns whether that is news */
  wait(error: BridgeError): boolean {
    this.#room = Math.max(1, this.#room / 2);
    this.#failures += 1;
    const asked = error.retryAfterMs === undefined ? undefined : Math.min(error.retryAfterMs, LIMITS.ewsLongestBackOffMs);
    return this.#shut(asked ?? pauseAfter(this.#failures, this.#pauses));
  }

  /** It refuses our credentials. @returns whether that is news */
  refused(): boolean {
    return this.#shut(LIMITS.ewsRefusedPauseMs);
  }

  /** A request went well: a little more may be asked at the same time. */
  went(): void {
    this.#failures = 0;
    this.#room = Math.min(this.#most, this.#room + 0.25);
  }

  #shut(ms: number): boolean {
    const wasOpen = !this.isShut;
    this.#until = Math.max(this.#until, this.#clock.now() + ms);
    return wasOpen;
  }
}
