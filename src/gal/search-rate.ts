import type { Clock, Instant } from '../core/clock.ts';
import { MINUTE_MS } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';

/** How often each client may search: an even rate, with ten seconds' worth at once. */
export class SearchRate {
  readonly #perMinute: number;
  readonly #clock: Clock;
  /** When the client's allowance would be whole again. */
  readonly #wholeAt = new Map<string, Instant>();

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** Counts one search. @throws BridgeError TOO_MANY_ATTEMPTS */
  spend(client: string): void {
    const now = this.#clock.now();
    const eachMs = MINUTE_MS / this.#perMinute;
    const wholeAt = Math.max(now, this.#wholeAt.get(client) ?? 0) + eachMs;
    const waitMs = wholeAt - now - Math.max(BURST_MS, eachMs);
    if (waitMs > 0) throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many searches of the address book', { temporary: true, retryAfterMs: Math.ceil(waitMs) });
    this.#wholeAt.set(client, wholeAt);
  }
}

const BURST_MS = 10_000;
