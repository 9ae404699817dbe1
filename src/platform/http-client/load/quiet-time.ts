import type { Clock, Instant } from '../../../core/clock.ts';

/** A time during which nothing is asked. No timer: whoever asks looks at the clock. */
export class QuietTime {
  readonly #clock: Clock;
  #until: Instant = 0;
  #lengthMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on for so long, unless it lasts longer already. */
  extend(ms: number): void {
    if (ms <= this.leftMs()) return;
    this.#lengthMs = ms;
    this.#until = this.#clock.now() + ms;
  }

  /** 0 when it is over. */
  leftMs(): number {
    const now = this.#clock.now();
    // A clock that is set back must not make minutes out of seconds.
    if (this.#until - now > this.#lengthMs) this.#until = now + this.#lengthMs;
    return Math.max(0, this.#until - now);
  }

  /** Its end; undefined when it is over. */
  until(): Instant | undefined {
    return this.leftMs() === 0 ? undefined : this.#until;
  }
}
