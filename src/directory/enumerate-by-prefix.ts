import { LIMITS } from '../core/limits.ts';

/** What a directory that cannot be listed gives for the beginning of a name. */
export interface PrefixAnswer<T> {
  readonly found: readonly T[];
  /** There are others with this beginning, whom it does not give. */
  readonly isCut: boolean;
}

export interface PrefixSearch<T> {
  readonly ask: (prefix: string) => Promise<PrefixAnswer<T>>;
  /**
   * Whose compared text *is* the beginning, where that has too many: no longer beginning shows him. `nobody`: texts of which none is the beginning of another (addresses);
   * `hidden`: there is no asking, so that the reading is not whole; else how to ask.
   */
  readonly exactly: 'nobody' | 'hidden' | ((prefix: string) => Promise<PrefixAnswer<T>>);
  /** What is the same for two answers about the same one. */
  readonly idOf: (one: T) => string;
  /** The texts whose words the directory compares with a beginning: their letters are those worth trying. */
  readonly textsOf: (one: T) => readonly string[];
  /** Gets everybody once. */
  readonly take: (found: readonly T[]) => Promise<void>;
}

export interface PrefixReading {
  /** No beginning was left that hides somebody, as far as beginnings can tell; false where nobody was found: at least the account that asks should be there. */
  readonly isWhole: boolean;
  readonly requests: number;
  readonly found: number;
  /** Beginnings of the greatest length behind which there are more, at most ten. */
  readonly cutAt: readonly string[];
}

const FIRST = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
/** What else an address has inside. */
const NEXT = [...FIRST, ...".-_@+'&"];

/**
 * Reads a directory that shows only those whose name, alias or address begins with a text, and not all of many: asks for every letter, and for every longer beginning where
 * an answer was cut. Letters beyond ASCII are tried where they were seen. Everybody has an address, so that with enough letters nobody stays hidden. LIMITS.galPrefixRequests and
 * LIMITS.galPrefixCharacters end it before, and then the reading is not whole.
 */
export async function enumerateByPrefix<T>(search: PrefixSearch<T>): Promise<PrefixReading> {
  const seen = new Set<string>();
  const tried = new Set<string>();
  const waiting = [...FIRST].reverse();
  const cutAt: string[] = [];
  let requests = 0;
  let isWhole = true;
  const keep = async ({ found }: PrefixAnswer<T>): Promise<void> => {
    const news = found.filter((one) => !seen.has(search.idOf(one)));
    for (const one of news) seen.add(search.idOf(one));
    if (news.length > 0) await search.take(news);
  };
  const leave = (prefix: string): void => {
    isWhole = false;
    if (cutAt.length < 10) cutAt.push(prefix);
  };
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    if (tried.has(prefix)) continue;
    if (requests >= LIMITS.galPrefixRequests) return { isWhole: false, requests, found: seen.size, cutAt };
    tried.add(prefix);
    requests += 1;
    const answer = await search.ask(prefix);
    await keep(answer);
    const texts = answer.found.flatMap(search.textsOf);
    if (answer.isCut) {
      if (typeof search.exactly === 'function') {
        requests += 1;
        await keep(await search.exactly(prefix));
      }
      if (search.exactly === 'hidden' || prefix.length >= LIMITS.galPrefixCharacters) leave(prefix);
      if (prefix.length < LIMITS.galPrefixCharacters) waiting.push(...continued(prefix, texts).reverse());
    }
    // Those whose every word begins with another letter than ours are found by that letter.
    waiting.unshift(...continued('', texts).filter((letter) => !FIRST.includes(letter) && !tried.has(letter) && tried.size < LIMITS.galPrefixRequests && !waiting.includes(letter)));
  }
  return { isWhole: isWhole && seen.size > 0, requests, found: seen.size, cutAt };
}

/** The prefix with a letter more: those of addresses, and those that follow it at the beginning of a word. */
function continued(prefix: string, texts: readonly string[]): string[] {
  const letters = new Set(prefix === '' ? FIRST : NEXT);
  for (const text of texts) {
    for (const word of text.toLowerCase().split(/\s+/)) {
      if (letters.size >= LIMITS.galPrefixLetters) break;
      const next = word.startsWith(prefix) ? [...word.slice(prefix.length)][0] : undefined;
      if (next !== undefined && /[\p{L}\p{N}]/u.test(next)) letters.add(next);
    }
  }
  return [...letters].map((letter) => prefix + letter);
}
