import type { Instant } from '../../../../src/core/clock.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { BackEndRefusal } from '../../../../src/core/metrics.ts';
import type { BackEndLoad, Turn } from '../../../../src/platform/http-client/load/back-end-load.ts';
import { BackEndLoadBook } from '../../../../src/platform/http-client/load/back-end-load-book.ts';

export const SERVER = 'https://mail.corp.example';

/** A book whose hour a test chooses, and what it has counted. */
export class LoadWorld {
  now: Instant = Date.UTC(2027, 0, 11);
  readonly refused: string[] = [];
  readonly book = new BackEndLoadBook({
    clock: { now: () => this.now },
    metrics: { backEndRefused: (server: string, reason: BackEndRefusal) => void this.refused.push(`${server} ${reason}`) },
  });

  load(concurrency = 2, account = 'reader', server = SERVER): BackEndLoad {
    return this.book.of(server, account, concurrency);
  }

  /** One request from its turn to its end, so many ms later; one that fails takes as long as counts. */
  async request(load: BackEndLoad, outcome: Parameters<Turn['done']>[0], tookMs = outcome === 'failed' ? LIMITS.breakerFairMs : 0, deadline?: Instant): Promise<void> {
    const turn = await load.enter(never(), deadline);
    this.now += tookMs;
    turn.done(outcome);
  }

  /** The only account's state, or the named one's. */
  state(account = 'reader'): ReturnType<BackEndLoadBook['states']>[number] | undefined {
    return this.book.states().find((one) => one.account === account);
  }
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

/** How a promise ended, if it has after all that is due now. */
export async function soFar<T>(promise: Promise<T>): Promise<T | { readonly error: unknown } | 'waiting'> {
  const ended = promise.catch((error: unknown) => ({ error }));
  return Promise.race([ended, new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')))]);
}
