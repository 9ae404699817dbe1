/** How often somebody gets through, by address: so many in a second, and more with the next one. */
export class SourceRate {
  readonly #perSecond: number;
  readonly #sources: number;
  readonly #taken = new Map<string, { second: number; count: number }>();

  /** @param sources addresses that are remembered; the one that is longest known goes */
  constructor(perSecond: number, sources: number) {
    this.#perSecond = perSecond;
    this.#sources = sources;
  }

  /** @param nowMs of a clock that never goes back */
  take(address: string, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    const taken = this.#taken.get(address);
    if (taken?.second === second) {
      taken.count += 1;
      return taken.count <= this.#perSecond;
    }
    if (taken === undefined && this.#taken.size >= this.#sources) this.#taken.delete(this.#taken.keys().next().value!);
    this.#taken.set(address, { second, count: 1 });
    return true;
  }
}
