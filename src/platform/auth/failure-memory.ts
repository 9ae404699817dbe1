import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/clock.ts';

interface PairState {
  failures: number;
  held: number;
  last: number;
}

/**
 * Slows down whoever keeps failing, by the pair of client name and address only: nobody can lock another client out, nor
 * the same client at another address. Kept over reloads.
 */
export class FailureMemory {
  readonly #clock: Clock;
  /** Oldest first: entries are re-inserted when they change. */
  readonly #pairs = new Map<string, PairState>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * How long this pair's next answer is to be held back, whatever it will be: 0 after a few failures, then doubling from a
   * quarter of a second up to LIMITS.failureDelayMs. Undefined: too many answers are being held already, refuse at once.
   */
  hold(pair: string): number | undefined {
    const record = this.#current(pair);
    if (record === undefined || record.failures <= LIMITS.freeFailures) return 0;
    if (record.held >= LIMITS.heldAnswersPerPair) return undefined;
    record.held += 1;
    return Math.min(250 * 2 ** (record.failures - LIMITS.freeFailures - 1), LIMITS.failureDelayMs);
  }

  /** The answer that `hold` held back is out. */
  release(pair: string): void {
    const record = this.#pairs.get(pair);
    if (record !== undefined && record.held > 0) record.held -= 1;
  }

  failed(pair: string): void {
    const record = this.#current(pair) ?? { failures: 0, held: 0, last: 0 };
    record.failures += 1;
    record.last = this.#clock.now();
    this.#pairs.delete(pair);
    this.#pairs.set(pair, record);
    if (this.#pairs.size > LIMITS.failurePairs) this.#pairs.delete(this.#pairs.keys().next().value!);
  }

  succeeded(pair: string): void {
    this.#pairs.delete(pair);
  }

  #current(pair: string): PairState | undefined {
    const record = this.#pairs.get(pair);
    if (record === undefined) return undefined;
    if (this.#clock.now() - record.last <= LIMITS.failureMemoryMs) return record;
    this.#pairs.delete(pair);
    return undefined;
  }
}
