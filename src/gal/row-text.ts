import { fold, takeApart } from '../directory/words.ts';
import type { SearchRow } from './search-row.ts';

/** Each kind of part between its own signs, which are blanks and therefore in no word, address or key. */
const WORD = '\n';
const ADDRESS = '\t';
const KEY = '\v';

/** What a row can be found by, folded, each once. */
export interface RowWords {
  readonly words: readonly string[];
  readonly addresses: readonly string[];
  /** What somebody types who means exactly this row, as keyOf gives it. */
  readonly keys: readonly string[];
}

/**
 * Who types the whole display name means exactly this row, and who types another of its names does (a nickname, the name as it is read aloud), but for a part of the
 * display name: the given name is not exactly one of a hundred Annas.
 */
export function wordsOfRow({ name, names, addresses }: SearchRow): RowWords {
  const words = new Set<string>();
  const all = names.map((one) => takeApart(one, words));
  const own = all[names.indexOf(name)] ?? takeApart(name, new Set());
  const others = all.filter((tokens) => tokens !== own && !tokens.every((token) => own.includes(token)));
  return { words: [...words], addresses: foldedOnce(addresses), keys: [own, ...others].map(keyOf) };
}

function foldedOnce(addresses: readonly string[]): readonly string[] {
  const folded = addresses.map((address) => {
    const one = fold(address);
    // The row's own string where folding changes nothing: it is in memory anyway.
    return one === address ? address : one;
  });
  return folded.length > 1 ? [...new Set(folded)] : folded;
}

/** Tokens in whatever order somebody gives them. */
export function keyOf(tokens: readonly string[]): string {
  return tokens.length === 1 ? tokens[0]! : [...tokens].sort().join(' ');
}

/** A row's words as one text: whether a token begins one of them is one native search in it. A list for every row would take several times the memory. */
export function rowText({ words, addresses, keys }: RowWords): string {
  return [WORD, words.join(WORD), WORD, ADDRESS, addresses.join(ADDRESS), ADDRESS, KEY, keys.join(KEY), KEY].join('');
}

export function beginsWord(text: string, token: string): boolean {
  return text.includes(WORD + token);
}

export function isWord(text: string, token: string): boolean {
  return text.includes(WORD + token + WORD);
}

export function beginsAddress(text: string, token: string): boolean {
  return text.includes(ADDRESS + token);
}

/** @param key of all the tokens that were typed */
export function isExactly(text: string, key: string): boolean {
  return text.includes(KEY + key + KEY);
}
