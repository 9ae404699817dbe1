import type { Clock } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { noMetrics } from '../../../core/metrics.ts';
import type { BackEndState, Metrics } from '../../../core/metrics.ts';
import { AccountLoad } from './account-load.ts';
import type { BackEndLoad, BackEndLoads } from './back-end-load.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

export interface BackEndLoadBookOptions {
  readonly clock: Clock;
  readonly metrics?: Pick<Metrics, 'backEndRefused'>;
}

interface Server {
  readonly label: string;
  readonly breaker: CircuitBreaker;
  readonly accounts: Map<string, AccountLoad>;
}

/** The loads of all back ends; one for the life of the process, so that a reload forgets neither who asked for a pause nor what is under way. */
export class BackEndLoadBook implements BackEndLoads {
  readonly #clock: Clock;
  readonly #metrics: Pick<Metrics, 'backEndRefused'>;
  readonly #servers = new Map<string, Server>();
  readonly #labels = new Set<string>();
  readonly #waiting = { total: 0 };
  #size = 0;

  constructor({ clock, metrics = noMetrics }: BackEndLoadBookOptions) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  of(server: string, account: string, concurrency: number): BackEndLoad {
    // What is given out holds no load but looks it up: one that nobody has used for long may go, and there is never a second one of the same.
    let most = concurrency;
    const load = (): AccountLoad => this.#load(server, account, most);
    load().configure(concurrency);
    return {
      enter: async (signal, deadline) => load().enter(signal, deadline),
      holdOff: (ms) => load().holdOff(ms),
      setConcurrency: (now) => {
        most = now;
        load().setConcurrency(now);
      },
    };
  }

  /** How it stands with each, by server and account. */
  states(): readonly BackEndState[] {
    return [...this.#servers].flatMap(([server, { label, breaker, accounts }]) =>
      [...accounts].map(([account, load]) => {
        const { inFlight, waiting, concurrency } = load;
        return { server, label, account, inFlight, waiting, concurrency, isBreakerOpen: !breaker.isClosed, openUntil: breaker.openUntil(), heldOffUntil: load.heldOffUntil() };
      }),
    );
  }

  #load(server: string, account: string, concurrency: number): AccountLoad {
    const known = this.#servers.get(server)?.accounts.get(account);
    if (known !== undefined) return known;
    this.#forgetUnused();
    const { breaker, accounts, label } = this.#server(server);
    const made = new AccountLoad({ clock: this.#clock, breaker, concurrency, waiting: this.#waiting, onRefused: (reason) => this.#metrics.backEndRefused(label, reason) });
    accounts.set(account, made);
    this.#size += 1;
    return made;
  }

  #server(server: string): Server {
    const known = this.#servers.get(server);
    if (known !== undefined) return known;
    const accounts = new Map<string, AccountLoad>();
    const breaker = new CircuitBreaker(this.#clock, () => {
      for (const account of accounts.values()) account.refuseWaiting();
    });
    const made = { label: this.#labelOf(server), breaker, accounts };
    this.#servers.set(server, made);
    return made;
  }

  /** What is counted of a server stays for the life of the process, so there may only be so many. */
  #labelOf(server: string): string {
    const label = URL.canParse(server) ? new URL(server).host : server;
    if (!this.#labels.has(label) && this.#labels.size >= LIMITS.backEndLoads) return 'other';
    this.#labels.add(label);
    return label;
  }

  /** Drops what nobody has used for long; where there are too many, those that were used longest ago. */
  #forgetUnused(): void {
    const before = this.#clock.now() - LIMITS.backEndLoadUnusedMs;
    const unused = [...this.#servers].flatMap(([server, { accounts, breaker }]) => [...accounts].filter(([, load]) => load.isIdle && breaker.isClosed).map(([account, load]) => ({ server, account, usedAt: load.usedAt })));
    unused.sort((a, b) => a.usedAt - b.usedAt);
    for (const { server, account, usedAt } of unused) {
      if (usedAt > before && this.#size < LIMITS.backEndLoads) return;
      const { accounts } = this.#servers.get(server)!;
      accounts.delete(account);
      this.#size -= 1;
      if (accounts.size === 0) this.#servers.delete(server);
    }
  }
}
