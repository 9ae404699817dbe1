/** Things that happen, in order, and promises for those to come: nobody has to sleep. */
export class Happenings<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  add(one: T): void {
    this.all.push(one);
    for (const look of [...this.#waiting]) look();
  }

  /** The first from `from` on that is such. */
  async next(isSuch: (one: T) => boolean, from = 0): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.all.slice(from).find(isSuch);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves when there are so many of them. */
  async times(count: number, isSuch: (one: T) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.all.filter(isSuch).length < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
