/** Lets everybody who waits share one save. A save that already runs may have missed what a newcomer wrote, so it waits for the one after. */
export class GroupCommit {
  readonly #save: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(save: () => Promise<void>) {
    this.#save = save;
  }

  /** Resolves after a save that began after this call. @throws what that save threw; the next one is not touched by it */
  commit(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async #after(running: Promise<void>): Promise<void> {
    // Whose failure that was has been told already.
    await running.catch(() => undefined);
    // Callers of the same turn of the event loop come along.
    await new Promise((resolve) => setImmediate(resolve));
    this.#running = this.#save();
    this.#next = undefined;
    return this.#running;
  }
}
