import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Requester } from '../../core/request-context.ts';
import type { ClientAccount } from './account-book.ts';
import type { FailureMemory, Pair } from './failure-memory.ts';

/** What is wrong, for the log; undefined where nothing is. */
export type Mistake = string | undefined;

/** Somebody says to be somebody. */
export interface Attempt {
  readonly address: string;
  readonly account: ClientAccount | undefined;
  /** For counting failures of a name that nobody has. */
  readonly triedName: string;
  /** At once where it can be said at once. What it throws counts as no failure of the client's. */
  readonly judge: () => Mistake | Promise<Mistake>;
  /** What the client is told; absent: wrong user name or password. */
  readonly refusal?: string;
  /** Is told what was wrong, for the log, and which client it was said to be. */
  readonly note: (reason: Mistake, client: string | undefined) => void;
}

/**
 * Judges whoever says to be somebody, after the time that earlier failures of the same name at the same address cost. What takes time to be judged is judged one after
 * another for such a pair: a hundred guesses sent at once would else all be looked at before the first was counted.
 */
export class Attempts {
  readonly #failures: FailureMemory;
  readonly #metrics: Metrics;
  /** For names that nobody has. */
  readonly #nameKey = randomBytes(32);
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(failures: FailureMemory, metrics: Metrics) {
    this.#failures = failures;
    this.#metrics = metrics;
  }

  /** @throws BridgeError AUTH_FAILED, TOO_MANY_ATTEMPTS, and whatever `judge` throws */
  async judged(attempt: Attempt): Promise<Requester> {
    const { address, account, triedName } = attempt;
    const name = account?.requester.name ?? createHmac('sha256', this.#nameKey).update(triedName.slice(0, LIMITS.credentialCharacters).toLowerCase()).digest('base64');
    const pair: Pair = { name, isKnown: account !== undefined, address };
    const key = JSON.stringify([pair.isKnown, name, address]);
    // Nothing is awaited between looking at the failures and judging, but what has to be: the next one would look before this one is counted.
    const firstMs = this.#holdMs(pair);
    if (firstMs > 0) await this.#held(pair, firstMs);
    let heldMs = firstMs;
    for (let other = this.#underWay.get(key); other !== undefined; other = this.#underWay.get(key)) {
      await other;
      // It may have failed, and then this one has to wait for longer.
      const againMs = this.#holdMs(pair, heldMs);
      if (againMs > 0) await this.#held(pair, againMs);
      heldMs += againMs;
    }
    const mistake = attempt.judge();
    if (!(mistake instanceof Promise)) return this.#settled(attempt, pair, mistake);
    let over = (): void => undefined;
    this.#underWay.set(key, new Promise((resolve) => (over = resolve)));
    try {
      return this.#settled(attempt, pair, await mistake);
    } finally {
      this.#underWay.delete(key);
      over();
    }
  }

  /** An error for the client, counted. */
  refused(code: 'AUTH_FAILED' | 'AUTH_EXPIRED' | 'TOO_MANY_ATTEMPTS', message: string, retryAfterMs?: number): BridgeError {
    this.#metrics.signInFailed(code);
    return new BridgeError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }

  /** @param heldMs for how long this very answer was held back already: whoever stands in a long row is turned away rather than held for every failure before it */
  #holdMs(pair: Pair, heldMs = 0): number {
    const holdMs = this.#failures.hold(pair);
    if (holdMs !== undefined && heldMs + holdMs <= LIMITS.failureDelayMs) return holdMs;
    if (holdMs !== undefined && holdMs > 0) this.#failures.release(pair);
    throw this.refused('TOO_MANY_ATTEMPTS', 'too many failed attempts, try again later', LIMITS.failureDelayMs);
  }

  async #held(pair: Pair, holdMs: number): Promise<void> {
    try {
      await pause(holdMs);
    } finally {
      this.#failures.release(pair);
    }
  }

  #settled({ account, address, refusal = 'wrong user name or password', note }: Attempt, pair: Pair, found: Mistake): Requester {
    const mistake = found ?? (account?.addresses?.has(address) === false ? 'address not allowed' : undefined);
    if (account === undefined || mistake !== undefined) {
      this.#failures.failed(pair);
      note(mistake, account?.requester.name);
      throw this.refused('AUTH_FAILED', refusal);
    }
    this.#failures.succeeded(pair);
    return account.requester;
  }
}
