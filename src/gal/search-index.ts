import type { DirectoryQuery } from '../directory/directory.ts';
import { tokensOf } from '../directory/words.ts';
import { BestSlots } from './best-slots.ts';
import { RankColumns } from './rank-columns.ts';
import { beginsAddress, beginsWord, isExactly, isWord, keyOf, rowText, wordsOfRow } from './row-text.ts';
import type { SearchRow } from './search-row.ts';
import { TokenTable } from './token-table.ts';

export type { SearchRow } from './search-row.ts';

/** Rows that a query finds: theirs is the first part of a score. */
const EXACT = 0;
const BY_NAME = 1;
const BY_ADDRESS = 2;

/** More tokens than a query of `LIMITS.searchCharacters` can have: the last part of a score counts those that are no whole words. */
const TOKENS = 256;

export interface FoundSlots {
  /** Best first. */
  readonly slots: readonly number[];
  /** There are others behind these. */
  readonly more: boolean;
}

/**
 * Finds rows by the beginnings of their words and addresses, and ranks them (DirectoryQuery, DirectoryPage): exact before by name before by address; the asking side's
 * own people first; then those of whose words more are typed in full; then by folded name, then by primary address.
 *
 * Exact is who typed the whole display name, its tokens in any order, or an address, or another name of the row that is not a part of the display name. Rows are known by
 * slots: small numbers that the caller chooses, one for a row, and may use again after `remove`.
 */
export class SearchIndex {
  readonly #words = new TokenTable();
  readonly #addresses = new TokenTable();
  readonly #columns = new RankColumns();
  /** By slot: the last search that has looked at it. A row stands under many words of one range. */
  #seen = new Uint32Array(0);
  #searches = 0;

  /** About 10 µs a row, whatever the number: give others their turn after some thousand (core/pace.ts). */
  add(rows: readonly (readonly [slot: number, row: SearchRow])[]): void {
    for (const [slot, row] of rows) {
      const found = wordsOfRow(row);
      for (const word of found.words) this.#words.add(word, slot);
      for (const address of found.addresses) this.#addresses.add(address, slot);
      this.#columns.set(slot, row, rowText(found));
    }
  }

  /** @param row as it was added */
  remove(slot: number, row: SearchRow): void {
    const { words, addresses } = wordsOfRow(row);
    for (const word of words) this.#words.remove(word, slot);
    for (const address of addresses) this.#addresses.remove(address, slot);
    this.#columns.clear(slot);
  }

  /** @param own name of the system whose people come first among equals */
  search({ text, kinds, limit, offset = 0 }: DirectoryQuery, own: string | undefined): FoundSlots {
    const typed = tokensOf(text);
    if (typed.length === 0) return { slots: [], more: false };
    const [first, ...others] = this.#rarestFirst(withoutImplied(typed)) as [string, ...string[]];
    const key = keyOf(typed);
    const columns = this.#columns;
    const kindBits = RankColumns.kindBits(kinds);
    const home = columns.homeIndex(own);
    const seen = this.#nextSearch();
    const best = new BestSlots(offset + limit, (one, other) => columns.compare(one, other));

    const offer = (slot: number, tier: number, parts: number): void => best.offer(slot, (2 * tier + (columns.livesIn(home, slot) ? 0 : 1)) * TOKENS + parts);
    /** True for the first time in this search, and only for the kinds that are asked for. */
    const isNew = (slot: number): boolean => {
      if (seen[slot] === this.#searches) return false;
      seen[slot] = this.#searches;
      return columns.isOf(kindBits, slot);
    };
    const judge = (slot: number, firstTier: number, isFirstWhole: boolean): void => {
      let tier = firstTier;
      let parts = isFirstWhole ? 0 : 1;
      if (others.length > 0 || isFirstWhole) {
        const row = columns.textOf(slot);
        for (const token of others) {
          if (beginsWord(row, token)) {
            if (!isWord(row, token)) parts++;
            continue;
          }
          if (!beginsAddress(row, token)) return;
          tier = BY_ADDRESS;
          parts++;
        }
        if (parts === 0 && tier === BY_NAME && isExactly(row, key)) tier = EXACT;
      }
      offer(slot, tier, parts);
    };

    if (typed.length === 1) {
      this.#addresses.eachOf(first, (slot) => {
        if (isNew(slot)) offer(slot, EXACT, 0);
      });
    }
    this.#words.each(first, (slot, isWhole) => {
      if (isNew(slot)) judge(slot, BY_NAME, isWhole);
    });
    this.#addresses.each(first, (slot) => {
      if (isNew(slot)) judge(slot, BY_ADDRESS, false);
    });
    return { slots: best.ranked().slice(offset), more: best.offered > offset + limit };
  }

  /** The one that most rows are without comes first: only its rows are looked at. */
  #rarestFirst(tokens: readonly string[]): readonly string[] {
    if (tokens.length === 1) return tokens;
    const count = (token: string): number => this.#words.count(token) + this.#addresses.count(token);
    return tokens.map((token) => [token, count(token)] as const).sort(([, one], [, other]) => one - other).map(([token]) => token);
  }

  #nextSearch(): Uint32Array {
    this.#searches = (this.#searches + 1) >>> 0;
    if (this.#seen.length < this.#columns.capacity || this.#searches === 0) {
      this.#seen = new Uint32Array(this.#columns.capacity);
      this.#searches = 1;
    }
    return this.#seen;
  }
}

/** Each token once, and none that another begins with: `an anna` asks no more than `anna`. */
function withoutImplied(tokens: readonly string[]): readonly string[] {
  const each = [...new Set(tokens)];
  return each.filter((token) => !each.some((other) => other !== token && other.startsWith(token)));
}
