/** Who has a key: one of thousands of keys has several. */
export class KeyTable<K extends string | number, T> {
  readonly #holders = new Map<K, T | T[]>();

  add(key: K, holder: T): void {
    const there = this.#holders.get(key);
    if (there === undefined) this.#holders.set(key, holder);
    else if (Array.isArray(there)) there.push(holder);
    else this.#holders.set(key, [there, holder]);
  }

  remove(key: K, holder: T): void {
    const there = this.#holders.get(key);
    if (there === holder) this.#holders.delete(key);
    if (!Array.isArray(there)) return;
    const left = there.filter((one) => one !== holder);
    if (left.length === 1) this.#holders.set(key, left[0]!);
    else this.#holders.set(key, left);
  }

  /** In no order. */
  of(key: K): readonly T[] {
    const there = this.#holders.get(key);
    return there === undefined ? [] : Array.isArray(there) ? there : [there];
  }
}
