import { OVER } from '../../../core/over.ts';

/** Work that ends after a time, or all of it at once. Unlike AbortSignal.any it leaves nothing behind on a signal that lives as long as the bridge. */
export class TimeLimited {
  readonly #open = new Set<AbortController>();
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  async run<T>(work: (ctx: { readonly signal: AbortSignal }) => Promise<T>): Promise<T> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(OVER), this.#ms);
    this.#open.add(over);
    try {
      return await work({ signal: over.signal });
    } finally {
      clearTimeout(timer);
      this.#open.delete(over);
    }
  }

  /** Ends what is under way. */
  abort(): void {
    for (const one of this.#open) one.abort(OVER);
  }
}
