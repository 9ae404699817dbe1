/** In how many rows a word stands: one slot, or several in no order. */
type Slots = number | number[];

/** A part of the table: words in order, and beside each its slots. */
interface Chunk {
  readonly words: string[];
  readonly slots: Slots[];
}

/** A chunk that grows beyond comes apart in two: what is moved to make room for a word is 2 KB, however many words there are. */
const CHUNK_WORDS = 512;

/**
 * Words in order (UTF-16 code units) with the slots of the rows in which they stand, for whoever asks by the beginning of a word. Adding or removing one costs two short
 * binary searches; so a bulk needs no other way in than a single change.
 */
export class TokenTable {
  /** Never empty ones but for a first. */
  #chunks: Chunk[] = [{ words: [], slots: [] }];

  /** Each pair of word and slot once: the caller sees to it. */
  add(word: string, slot: number): void {
    const at = this.#chunkOf(word);
    const { words, slots } = this.#chunks[at]!;
    const place = lowerBound(words, word);
    if (words[place] === word) {
      const known = slots[place]!;
      if (typeof known === 'number') slots[place] = [known, slot];
      else known.push(slot);
      return;
    }
    words.splice(place, 0, word);
    slots.splice(place, 0, slot);
    if (words.length > CHUNK_WORDS) this.#divide(at);
  }

  /** Whatever is not there stays so. */
  remove(word: string, slot: number): void {
    const at = this.#chunkOf(word);
    const { words, slots } = this.#chunks[at]!;
    const place = lowerBound(words, word);
    if (words[place] !== word) return;
    const known = slots[place]!;
    if (typeof known === 'number') {
      if (known !== slot) return;
      words.splice(place, 1);
      slots.splice(place, 1);
      if (words.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
      return;
    }
    const index = known.indexOf(slot);
    if (index < 0) return;
    const last = known.pop()!;
    if (index < known.length) known[index] = last;
    if (known.length === 1) slots[place] = known[0]!;
  }

  /** Every slot under a word that begins with `prefix`, word by word in their order, so first of all under `prefix` itself (`isWhole`). A slot comes once for each of its words. */
  each(prefix: string, visit: (slot: number, isWhole: boolean) => void): void {
    this.#eachWord(prefix, (slots, word) => {
      const isWhole = word.length === prefix.length;
      if (typeof slots === 'number') visit(slots, isWhole);
      else for (const slot of slots) visit(slot, isWhole);
    });
  }

  /** Every slot under the word itself, each once. */
  eachOf(word: string, visit: (slot: number) => void): void {
    const { words, slots } = this.#chunks[this.#chunkOf(word)]!;
    const place = lowerBound(words, word);
    if (words[place] === word) [slots[place]!].flat().forEach((slot) => visit(slot));
  }

  /** How often `each` would visit. */
  count(prefix: string): number {
    let count = 0;
    this.#eachWord(prefix, (slots) => {
      count += typeof slots === 'number' ? 1 : slots.length;
    });
    return count;
  }

  #eachWord(prefix: string, visit: (slots: Slots, word: string) => void): void {
    let at = this.#chunkOf(prefix);
    let place = lowerBound(this.#chunks[at]!.words, prefix);
    for (; at < this.#chunks.length; at++, place = 0) {
      const { words, slots } = this.#chunks[at]!;
      for (; place < words.length; place++) {
        if (!words[place]!.startsWith(prefix)) return;
        visit(slots[place]!, words[place]!);
      }
    }
  }

  /** The last chunk that begins at `word` or before it, else the first. */
  #chunkOf(word: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunks[middle]!.words[0]! <= word) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #divide(at: number): void {
    const { words, slots } = this.#chunks[at]!;
    const half = words.length >>> 1;
    // Slices are as long as what is in them; an array that has grown keeps room for half as much again.
    this.#chunks.splice(at, 1, { words: words.slice(0, half), slots: slots.slice(0, half) }, { words: words.slice(half), slots: slots.slice(half) });
  }
}

/** Index of the first word that is not before `word`. */
function lowerBound(words: readonly string[], word: string): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[middle]! < word) low = middle + 1;
    else high = middle;
  }
  return low;
}
