import { pauseAfter } from '../../../core/back-off.ts';
import type { Pauses } from '../../../core/back-off.ts';

export interface PacedQueueOptions<T> {
  readonly concurrency: number;
  readonly perSecond: number;
  /** After failures of the server as a whole. */
  readonly pauses: Pauses;
  /** Never rejects. */
  readonly run: (one: T) => Promise<void>;
}

/**
 * Turns for those who want something of one server: each once, the urgent ones first, so many at a time, and no faster than the server's pace. While the server as a whole fails, everybody waits, and then one at a time
 * tries, until one gets through.
 */
export class PacedQueue<T> {
  readonly #options: PacedQueueOptions<T>;
  readonly #urgent = new Set<T>();
  readonly #others = new Set<T>();
  readonly #running = new Set<T>();
  readonly #idle = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;
  #failures = 0;
  #isClosed = false;

  constructor(options: PacedQueueOptions<T>) {
    this.#options = options;
  }

  /** Has its turn as soon as may be; once more behind the present one, where that is under way. */
  push(one: T, isUrgent: boolean): void {
    if (this.#isClosed) return;
    if (isUrgent) {
      this.#others.delete(one);
      this.#urgent.add(one);
    } else if (!this.#urgent.has(one)) {
      this.#others.add(one);
    }
    this.#begin();
  }

  /** Whether its turn is under way. */
  isRunning(one: T): boolean {
    return this.#running.has(one);
  }

  /** The server as a whole failed. @returns until when everybody waits, in ms from now */
  failed(retryAfterMs?: number): number {
    this.#failures += 1;
    const ms = pauseAfter(this.#failures, this.#options.pauses, retryAfterMs);
    this.#notBefore = Math.max(this.#notBefore, performance.now() + ms);
    return ms;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Resolves when nothing is under way; what waits is forgotten. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#urgent.clear();
    this.#others.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  #begin(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    const { concurrency, perSecond } = this.#options;
    while (this.#running.size < (this.#failures > 0 ? 1 : concurrency)) {
      const wait = this.#notBefore - performance.now();
      const one = this.#next();
      if (one === undefined) return;
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#begin();
        }, wait);
        return;
      }
      this.#urgent.delete(one);
      this.#others.delete(one);
      this.#notBefore = performance.now() + 1_000 / perSecond;
      this.#running.add(one);
      void this.#options.run(one).finally(() => {
        this.#running.delete(one);
        if (this.#running.size === 0) for (const resolve of this.#idle) resolve();
        this.#begin();
      });
    }
  }

  #next(): T | undefined {
    for (const waiting of [this.#urgent, this.#others]) for (const one of waiting) if (!this.#running.has(one)) return one;
    return undefined;
  }
}
