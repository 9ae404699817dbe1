import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { Service } from './service.ts';

/** How one try of a walk ended. */
export interface Step {
  /** A URL without its query, or a name of DNS. */
  readonly tried: string;
  readonly outcome: 'found' | 'redirected' | 'nothing' | BridgeError;
  /** Where it led. */
  readonly to?: string;
}

/** What one walk has seen: it asks nobody twice the same, follows so many redirects, and remembers every step. */
export class Trail {
  readonly steps: Step[] = [];
  readonly #asked = new Set<string>();
  readonly #budgets = new Map<string, RequestBudget>();
  #redirects = 0;

  /** False where this was asked before. */
  isNew({ dialect, url }: Service, mailbox: string): boolean {
    const key = `${dialect} ${url.href} ${mailbox}`;
    if (this.#asked.has(key)) return false;
    this.#asked.add(key);
    return true;
  }

  /** Counts a redirect, of whatever kind, that is about to be followed. @throws BridgeError BACKEND_REDIRECT once they are too many */
  follow(from: URL, to: string): void {
    this.#redirects += 1;
    // Contract: the same host at most five times; that is what its budget counts.
    if (this.#redirects > LIMITS.autodiscoverRedirects || !this.budgetOf(from).mayFollow()) {
      throw new BridgeError('BACKEND_REDIRECT', 'Autodiscover redirects too often', { details: { target: to } });
    }
  }

  /** Contract: a server that refuses is asked so often and no more. */
  budgetOf({ origin }: URL): RequestBudget {
    const known = this.#budgets.get(origin) ?? new RequestBudget();
    this.#budgets.set(origin, known);
    return known;
  }
}

/** A URL as it is shown: what stands behind `?` may be a session. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
