import { pauseAfter } from '../../../core/back-off.ts';
import type { Clock, Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { QuietTime } from './quiet-time.ts';

/** A request that the breaker let through. */
export interface Passage {
  readonly isTrial: boolean;
  /** How often the breaker had changed when it set out: a request from before an outage says nothing about what came after. */
  readonly age: number;
}

/**
 * Keeps requests from a server that has not answered several times in a row: until it is tried again nobody waits for it. After a pause one request goes through;
 * when it is answered all may ask again, when not the pause doubles.
 */
export class CircuitBreaker {
  readonly #pause: QuietTime;
  readonly #onOpen: () => void;
  /** In a row. */
  #failures = 0;
  /** In a row; 0: closed. */
  #openings = 0;
  #trial: Passage | undefined;
  #age = 0;

  /** @param onOpen it has just opened: nobody need wait for this server any more */
  constructor(clock: Clock, onOpen: () => void) {
    this.#pause = new QuietTime(clock);
    this.#onOpen = onOpen;
  }

  /** Everybody may ask. */
  get isClosed(): boolean {
    return this.#openings === 0;
  }

  /** When it is tried again; undefined where everybody may ask, or a trial may be or is under way. */
  openUntil(): Instant | undefined {
    return this.isClosed ? undefined : this.#pause.until();
  }

  /** Why nothing may be asked now. */
  refusal(): BridgeError | undefined {
    if (this.isClosed) return undefined;
    const leftMs = this.#pause.leftMs();
    if (leftMs === 0 && this.#trial === undefined) return undefined;
    const seconds = Math.ceil(leftMs / 1000);
    return new BridgeError('BACKEND_UNREACHABLE', `the calendar system has not answered the last ${this.#failures} times; it is ${leftMs === 0 ? 'being tried again' : `tried again in ${seconds} s`}`, {
      temporary: true,
      retryAfterMs: leftMs === 0 ? LIMITS.breakerPauses.firstMs : leftMs,
      details: { failures: this.#failures },
    });
  }

  /** A request sets out; ask `refusal` first. End it with `end`. */
  begin(): Passage {
    const passage = { isTrial: !this.isClosed, age: this.#age };
    if (passage.isTrial) this.#trial = passage;
    return passage;
  }

  /** @param outcome `unknown`: the request says nothing about the server */
  end(passage: Passage, outcome: 'answered' | 'failed' | 'unknown'): void {
    const isTrial = this.#trial === passage;
    if (isTrial) this.#trial = undefined;
    if (outcome === 'answered') this.#close();
    // A request that hung through an outage is no failure of a server that has answered since.
    if (outcome !== 'failed' || passage.age !== this.#age) return;
    this.#failures += 1;
    if (isTrial || (this.isClosed && this.#failures >= LIMITS.breakerFailures)) this.#open();
  }

  #close(): void {
    this.#failures = 0;
    if (this.isClosed) return;
    this.#openings = 0;
    this.#age += 1;
  }

  #open(): void {
    this.#openings += 1;
    this.#age += 1;
    this.#pause.extend(pauseAfter(this.#openings, LIMITS.breakerPauses));
    this.#onOpen();
  }
}
