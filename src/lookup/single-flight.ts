import type { Clock, Instant } from '../core/clock.ts';
import { OVER } from '../core/over.ts';
import { untilAborted } from '../core/until-aborted.ts';

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
  until: Instant;
  timer: NodeJS.Timeout;
}

/**
 * Answers identical questions that are under way with one call. The call lives as long as its most patient waiter; when the
 * last one has gone it is aborted. Nothing is kept once it has ended: this is no cache.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param key what makes two questions identical
   * @param until when this waiter gives up (epoch ms)
   * @param signal this waiter has gone
   * @throws BridgeError DEADLINE when this waiter's time is over, and whatever `start` throws
   */
  async join(key: string, until: Instant, signal: AbortSignal, start: (signal: AbortSignal, until: Instant) => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key) ?? this.#begin(key, until, start);
    flight.waiters += 1;
    if (until > flight.until) {
      flight.until = until;
      clearTimeout(flight.timer);
      flight.timer = this.#endAt(until, () => this.#end(key, flight));
    }
    try {
      return await untilAborted(flight.result, signal, Math.max(0, until - this.#clock.now()) + GRACE_MS);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) this.#end(key, flight);
    }
  }

  /** What is under way is for those who wait for it already: whoever asks from now on starts anew. */
  retire(): void {
    this.#flights.clear();
  }

  #begin(key: string, until: Instant, start: (signal: AbortSignal, until: Instant) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { result: start(controller.signal, until), controller, waiters: 0, until, timer: this.#endAt(until, () => this.#end(key, flight)) };
    const forget = (): void => this.#end(key, flight);
    flight.result.then(forget, forget);
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight<T>): void {
    clearTimeout(flight.timer);
    flight.controller.abort(OVER);
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  #endAt(until: Instant, end: () => void): NodeJS.Timeout {
    return setTimeout(end, Math.max(0, until - this.#clock.now()));
  }
}

/** A call that ends itself at the same deadline may still bring what it has: it gets this much longer than its waiters' time. */
const GRACE_MS = 30;
