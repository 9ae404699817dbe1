import type { XmlElement } from '../../platform/xml/element.ts';
import type { SearchGalPage } from './search-gal.ts';

/** What local parts of addresses are made of (RFC 5322 §3.2.3), without the star that Zimbra takes for its own. */
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz0123456789._-+'&=~!#$%^?/{}|`"];

export interface Enumeration {
  /** @param offset only where the page before was one of several */
  readonly ask: (name: string, offset: number) => Promise<SearchGalPage>;
  /** Whose address, or a word of whose name, begins so. */
  readonly askBeginning: (text: string) => Promise<SearchGalPage>;
  /** Handed what a search found, some of it for the second time. @returns how many were new */
  readonly take: (contacts: readonly XmlElement[]) => Promise<number>;
  /** A local part that was found, for a look at how the server searches. */
  readonly example: () => string | undefined;
  /** Searches in all, and letters of the longest. */
  readonly most: number;
  readonly depth: number;
}

/**
 * Lists everybody of an address list that can only be searched, of which one answer holds some: `*`, and its further pages where the server has such. Else by parts of addresses, one more letter
 * wherever there are more than one answer holds. Zimbra finds them anywhere in an address (it puts stars on both sides), and every address of a domain holds that domain's letters: so it is
 * asked for the ends of local parts, `a@`, `ba@`. A server that is found to look at beginnings only is asked for beginnings.
 *
 * @returns whether it was everybody: no search was cut off with nothing finer left to ask
 */
export async function enumerate(enumeration: Enumeration): Promise<boolean> {
  const { take, example, most, depth } = enumeration;
  let left = most;
  const counted = async (ask: () => Promise<SearchGalPage>): Promise<SearchGalPage | undefined> => (left-- > 0 ? ask() : undefined);
  /** False: there are more. */
  const search = async (name: string): Promise<boolean> => {
    for (let offset = 0; ; ) {
      const page = await counted(() => enumeration.ask(name, offset));
      if (page === undefined) return false;
      const fresh = await take(page.contacts);
      if (!page.more) return true;
      // A server that pages and gives nobody new gives the same page again.
      if (!page.isPaged || page.contacts.length === 0 || (offset > 0 && fresh === 0)) return false;
      offset += page.contacts.length;
    }
  };
  const beginning = async (text: string): Promise<boolean> => {
    const page = await counted(() => enumeration.askBeginning(text));
    if (page === undefined) return false;
    await take(page.contacts);
    return !page.more;
  };
  /** Those whose local part ends so; with a longer one only those that have one. */
  const endings = async (end: string): Promise<boolean> => {
    if (end !== '' && (await search(`${end}@`))) return true;
    if (end.length >= depth || left <= 0) return false;
    let isWhole = end === '' || (await beginning(`${end}@`));
    for (const letter of LETTERS) if (!(await endings(letter + end))) isWhole = false;
    return isWhole;
  };
  const beginnings = async (start: string): Promise<boolean> => {
    if (start !== '' && (await search(start))) return true;
    if (start.length >= depth || left <= 0) return false;
    let isWhole = true;
    for (const letter of start === '' ? LETTERS : [...LETTERS, '@']) if (!(await beginnings(start + letter))) isWhole = false;
    return isWhole;
  };
  if (await search('*')) return true;
  const end = example()?.at(-1);
  if (end === undefined) return false;
  const found = await counted(() => enumeration.ask(`${end}@`, 0));
  const looksAnywhere = found !== undefined && (found.more || found.contacts.length > 0);
  return looksAnywhere ? endings('') : beginnings('');
}
