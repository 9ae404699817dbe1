/**
 * The best so many of the slots that are offered, by a heap whose root is the worst of them: most of those offered are refused by one comparison.
 */
export class BestSlots {
  readonly #most: number;
  readonly #compare: (one: number, other: number) => number;
  readonly #slots: number[] = [];
  readonly #scores: number[] = [];
  #offered = 0;

  /** @param compare among equal scores: negative where the first slot is better */
  constructor(most: number, compare: (one: number, other: number) => number) {
    this.#most = most;
    this.#compare = compare;
  }

  /** How many were offered. */
  get offered(): number {
    return this.#offered;
  }

  /** @param score the smaller the better */
  offer(slot: number, score: number): void {
    this.#offered++;
    if (this.#slots.length < this.#most) this.#rise(this.#slots.length, slot, score);
    else if (this.#most > 0 && this.#order(slot, score, 0) < 0) this.#sink(slot, score);
  }

  /** Best first. */
  ranked(): readonly number[] {
    const places = this.#slots.map((_, place) => place);
    places.sort((one, other) => this.#order(this.#slots[one]!, this.#scores[one]!, other));
    return places.map((place) => this.#slots[place]!);
  }

  #order(slot: number, score: number, place: number): number {
    return score - this.#scores[place]! || this.#compare(slot, this.#slots[place]!);
  }

  #put(place: number, slot: number, score: number): void {
    this.#slots[place] = slot;
    this.#scores[place] = score;
  }

  /** From a new last place upward, past whatever is better. */
  #rise(from: number, slot: number, score: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (this.#order(slot, score, parent) <= 0) break;
      this.#put(place, this.#slots[parent]!, this.#scores[parent]!);
      place = parent;
    }
    this.#put(place, slot, score);
  }

  /** From the root downward, in the root's stead, past whatever is worse. */
  #sink(slot: number, score: number): void {
    const { length } = this.#slots;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#order(this.#slots[child + 1]!, this.#scores[child + 1]!, child) > 0) child++;
      if (this.#order(slot, score, child) >= 0) break;
      this.#put(place, this.#slots[child]!, this.#scores[child]!);
      place = child;
    }
    this.#put(place, slot, score);
  }
}
