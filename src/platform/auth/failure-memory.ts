import type { Clock } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';

/** Who tries from where; `name` is the client's, or a digest of a name that no client has. */
export interface Pair {
  readonly name: string;
  readonly isKnown: boolean;
  readonly address: string;
}

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
  /** Oldest first: entries are re-inserted when they change. Names that nobody has are kept apart, so that inventing many forgets no client's failures. */
  readonly #known = new Map<string, PairState>();
  readonly #unknown = new Map<string, PairState>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * How long this pair's next answer is to be held back, whatever it will be: 0 after a few failures, then doubling from a
   * quarter of a second up to LIMITS.failureDelayMs. Undefined: too many answers are being held already, refuse at once.
   */
  hold(pair: Pair): number | undefined {
    const state = this.#current(pair);
    if (state === undefined || state.failures <= LIMITS.freeFailures) return 0;
    if (state.held >= LIMITS.heldAnswersPerPair) return undefined;
    state.held += 1;
    return Math.min(250 * 2 ** (state.failures - LIMITS.freeFailures - 1), LIMITS.failureDelayMs);
  }

  /** The answer that `hold` held back is out. */
  release(pair: Pair): void {
    const state = this.#statesOf(pair).get(keyOf(pair));
    if (state !== undefined && state.held > 0) state.held -= 1;
  }

  failed(pair: Pair): void {
    const state = this.#current(pair) ?? { failures: 0, held: 0, last: 0 };
    state.failures += 1;
    state.last = this.#clock.now();
    const states = this.#statesOf(pair);
    states.delete(keyOf(pair));
    states.set(keyOf(pair), state);
    if (states.size > LIMITS.failurePairs) states.delete(states.keys().next().value!);
  }

  succeeded(pair: Pair): void {
    this.#statesOf(pair).delete(keyOf(pair));
  }

  #current(pair: Pair): PairState | undefined {
    const states = this.#statesOf(pair);
    const state = states.get(keyOf(pair));
    if (state === undefined) return undefined;
    if (this.#clock.now() - state.last <= LIMITS.failureMemoryMs) return state;
    states.delete(keyOf(pair));
    return undefined;
  }

  #statesOf(pair: Pair): Map<string, PairState> {
    return pair.isKnown ? this.#known : this.#unknown;
  }
}

function keyOf({ name, address }: Pair): string {
  return `${name}\u0000${address}`;
}
