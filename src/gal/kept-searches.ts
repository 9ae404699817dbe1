import { LIMITS } from '../core/limits.ts';
import type { DirectoryQuery } from '../directory/directory.ts';
import type { FoundSlots } from './search-index.ts';

/**
 * The last searches that found more than they gave, until the address book changes. Everybody's first letter is one of a few dozen, and finds thousands of rows each time: ranking
 * them costs more than everything else about the answer.
 */
export class KeptSearches {
  readonly #found = new Map<string, FoundSlots>();

  /** What `search` gives, or gave. */
  find(query: DirectoryQuery, own: string | undefined, search: () => FoundSlots): FoundSlots {
    const { text, kinds, limit, offset } = query;
    if (text.length > LIMITS.keptSearchCharacters) return search();
    const key = JSON.stringify([text, kinds, limit, offset, own]);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = search();
    if (found.more && found.slots.length <= LIMITS.keptSearchRows) this.#keep(key, found);
    return found;
  }

  /** Something has changed: nothing that was found before holds any more. */
  clear(): void {
    this.#found.clear();
  }

  #keep(key: string, found: FoundSlots): void {
    // The oldest goes: what is asked for often is soon there again.
    if (this.#found.size >= LIMITS.keptSearches) this.#found.delete(this.#found.keys().next().value!);
    this.#found.set(key, found);
  }
}
