import { describe, expect, it } from 'vitest';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { enumerate } from '../../../src/protocols/zimbra-soap/gal-enumeration.ts';
import type { SearchGalPage } from '../../../src/protocols/zimbra-soap/search-gal.ts';

/** A server with these addresses and so many in one answer, that looks for a text anywhere or at beginnings only. */
async function listed(addresses: readonly string[], limit: number, fits: (address: string, text: string) => boolean, most = 4_000): Promise<{ readonly isWhole: boolean; readonly found: number; readonly searches: number }> {
  const found = new Set<string>();
  let searches = 0;
  const element = (text: string): XmlElement => ({ name: 'cn', ns: '', attributes: [], children: [], text });
  const page = (isFound: (address: string) => boolean): SearchGalPage => {
    searches += 1;
    const all = addresses.filter(isFound);
    return { contacts: all.slice(0, limit).map(element), more: all.length > limit, isPaged: false };
  };
  const isWhole = await enumerate({
    most,
    depth: 8,
    ask: async (name) => page((address) => name === '*' || fits(address, name)),
    askBeginning: async (text) => page((address) => address.startsWith(text)),
    take: async (contacts) => {
      const before = found.size;
      for (const { text } of contacts) found.add(text);
      return found.size - before;
    },
    example: () => [...found][0]?.split('@')[0],
  });
  return { isWhole, found: found.size, searches };
}

const people = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${['anna', 'bo', 'carl', 'dee'][index % 4]}.${(index * 7_919) % 10_007}@zimbra.example`);
const anywhere = (address: string, text: string): boolean => address.includes(text);
const atTheBeginning = (address: string, text: string): boolean => address.startsWith(text);

describe('listing everybody by searches', () => {
  it.each([['anywhere in an address', anywhere], ['at its beginning', atTheBeginning]] as const)('finds 5,000 people at 100 an answer where the server looks %s', async (_what, fits) => {
    const { isWhole, found } = await listed(people(5_000), 100, fits);
    expect([isWhole, found]).toEqual([true, 5_000]);
  });

  it('asks once where everybody is in one answer', async () => {
    expect(await listed(people(100), 100, anywhere)).toEqual({ isWhole: true, found: 100, searches: 1 });
  });

  it('says that it was not everybody where it had too few searches, or nothing finer to ask', async () => {
    expect(await listed(people(5_000), 100, anywhere, 50)).toMatchObject({ isWhole: false, searches: 50 });
    expect(await listed(Array.from({ length: 200 }, (_, index) => `x@d${index}.example`), 100, anywhere)).toMatchObject({ isWhole: false });
  });

  it('ends with a server that says for ever that there are more', async () => {
    const element: XmlElement = { name: 'cn', ns: '', attributes: [], children: [], text: 'a@b.example' };
    let searches = 0;
    const answer = async (): Promise<SearchGalPage> => {
      searches += 1;
      return { contacts: [element], more: true, isPaged: true };
    };
    expect(await enumerate({ most: 300, depth: 8, ask: answer, askBeginning: answer, take: async () => (searches === 1 ? 1 : 0), example: () => 'a' })).toBe(false);
    expect(searches).toBe(300);
  });
});
