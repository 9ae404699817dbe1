/**
 * One at a time for whatever has a name in common: work begins when everybody who named one of its keys before has ended. All keys of
 * a piece of work are taken in one step, so no two pieces can wait for each other.
 */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when its turn has come; its outcome is the outcome. */
  async run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.flatMap((key) => this.#last.get(key) ?? []);
    const turn = (async () => {
      await Promise.allSettled(before);
      return work();
    })();
    for (const key of keys) this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      for (const key of keys) if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
