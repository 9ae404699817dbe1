import type { SearchGalPage } from './search-gal.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** Every address begins with one of these, or near enough. */
const FIRST = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
/** What may come behind it in an address. */
const NEXT = [...FIRST, '.', '-', '_', '@'];

export interface Enumeration {
  /** @param offset only where the page before was one of several */
  readonly ask: (name: string, offset: number) => Promise<SearchGalPage>;
  /** Handed what a search found, some of it for the second time. @returns how many were new */
  readonly take: (contacts: readonly XmlElement[]) => Promise<number>;
  /** Searches in all, and characters of the longest. */
  readonly most: number;
  readonly depth: number;
}

/**
 * Lists everybody of an address list that can only be searched: `*`, its further pages where the server has such, else by the letters with which words of names and addresses begin (or
 * which they hold: Zimbra puts stars on both sides), one more letter wherever there are more than one answer holds.
 *
 * @returns whether it was everybody: no search was cut off with nothing finer left to ask
 */
export async function enumerate({ ask, take, most, depth }: Enumeration): Promise<boolean> {
  let left = most;
  const search = async (name: string): Promise<boolean> => {
    for (let offset = 0; ; ) {
      if (left-- <= 0) return false;
      const page = await ask(name, offset);
      const fresh = await take(page.contacts);
      if (!page.more) return true;
      // A server that pages and gives nobody new gives the same page again.
      if (!page.isPaged || page.contacts.length === 0 || (offset > 0 && fresh === 0)) break;
      offset += page.contacts.length;
    }
    if (name.length >= depth && name !== '*') return false;
    let isWhole = true;
    for (const letter of name === '*' ? FIRST : NEXT) {
      if (!(await search(name === '*' ? letter : name + letter))) isWhole = false;
      if (left <= 0) return false;
    }
    return isWhole;
  };
  return search('*');
}
