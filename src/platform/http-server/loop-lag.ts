import { LIMITS } from '../../core/limits.ts';

export interface LoopLagOptions {
  /** How often it looks. */
  readonly everyMs?: number;
  /** So much later than that is late. */
  readonly lateMs?: number;
  /** Late looks in a row that make an overload. */
  readonly inARow?: number;
}

/** Whether the event loop has so much to do that everything comes late. Looks only while it is told to. */
export class LoopLag {
  readonly #everyMs: number;
  readonly #lateMs: number;
  readonly #inARow: number;
  #timer: NodeJS.Timeout | undefined;
  #lateLooks = 0;

  constructor({ everyMs = LIMITS.lateLoopLooks.everyMs, lateMs = LIMITS.lateLoopMs, inARow = LIMITS.lateLoopLooks.inARow }: LoopLagOptions = {}) {
    this.#everyMs = everyMs;
    this.#lateMs = lateMs;
    this.#inARow = inARow;
  }

  get isLate(): boolean {
    return this.#lateLooks >= this.#inARow;
  }

  /** From now on, until `stop`. */
  start(): void {
    if (this.#timer !== undefined) return;
    let lookedAt = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#lateLooks = now - lookedAt - this.#everyMs >= this.#lateMs ? this.#lateLooks + 1 : 0;
      lookedAt = now;
    }, this.#everyMs);
    this.#timer.unref();
  }

  /** Forgets what it has seen. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lateLooks = 0;
  }
}
