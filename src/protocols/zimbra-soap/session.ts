import { MINUTE_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { AuthResponse } from './auth.ts';

/** A token is given up this long, or a tenth of its lifetime, before it ends: a lookup under way must not lose it. */
const RENEWAL_MARGIN_MS = 5 * MINUTE_MS;

/**
 * Keeps one token until its lifetime is nearly over. However many lookups want it at once, one sign-in is sent; a lookup that
 * runs out of time stops waiting for it, the others do not.
 */
export class ZimbraSession {
  readonly #signIn: (budget: RequestBudget) => Promise<AuthResponse>;
  readonly #clock: Clock;
  #current: { readonly token: string; readonly until: number } | undefined;
  #refused: { readonly error: BridgeError; readonly until: number } | undefined;
  #pending: Promise<string> | undefined;

  /** @param signIn is given the budget of the lookup that needs the token: its refusals count there */
  constructor(signIn: (budget: RequestBudget) => Promise<AuthResponse>, clock: Clock) {
    this.#signIn = signIn;
    this.#clock = clock;
  }

  /** @throws BridgeError what the sign-in threw, or DEADLINE when `signal` fires first */
  async token(signal: AbortSignal, budget: RequestBudget): Promise<string> {
    const now = this.#clock.now();
    if (this.#current !== undefined && now < this.#current.until) return this.#current.token;
    if (this.#refused !== undefined && now < this.#refused.until) throw this.#refused.error;
    this.#pending ??= this.#renew(budget).finally(() => {
      this.#pending = undefined;
    });
    return untilAborted(this.#pending, signal);
  }

  /** Forgets a token that the server no longer takes; a newer one stays. */
  discard(token: string): void {
    if (this.#current?.token === token) this.#current = undefined;
  }

  async #renew(budget: RequestBudget): Promise<string> {
    try {
      const { authToken, lifetimeMs } = await this.#signIn(budget);
      const margin = Math.min(RENEWAL_MARGIN_MS, lifetimeMs / 10);
      this.#current = { token: authToken, until: this.#clock.now() + lifetimeMs - margin };
      this.#refused = undefined;
      return authToken;
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'BACKEND_AUTH') {
        this.#refused = { error, until: this.#clock.now() + LIMITS.zimbraRefusedForMs };
      }
      throw error;
    }
  }
}
