import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { enumerateByPrefix } from '../../src/directory/enumerate-by-prefix.ts';

interface Person {
  readonly name: string;
  readonly address: string;
}

/** A directory that shows at most `most` of those one of whose words, or whose address, begins with a text. */
function directory(people: readonly Person[], most: number) {
  const asked: string[] = [];
  const taken: Person[] = [];
  const read = () =>
    enumerateByPrefix<Person>({
      ask: async (prefix) => {
        asked.push(prefix);
        const found = people.filter(({ name, address }) => [...name.toLowerCase().split(' '), address].some((word) => word.startsWith(prefix)));
        return { found: found.slice(0, most), isCut: found.length > most };
      },
      exactly: 'nobody',
      idOf: ({ address }) => address,
      textsOf: ({ name, address }) => [name, address],
      take: async (found) => void taken.push(...found),
    });
  return { read, asked, taken };
}

const person = (name: string, address: string): Person => ({ name, address });

describe('reading a directory by the beginnings of names', () => {
  it('asks a small one for every letter and digit, once', async () => {
    const { read, asked, taken } = directory([person('Ann Lee', 'ann@corp.example'), person('Bob', '7@corp.example')], 100);
    expect(await read()).toMatchObject({ isWhole: true, requests: 36, found: 2, cutAt: [] });
    expect([...asked].sort().join('')).toBe('0123456789abcdefghijklmnopqrstuvwxyz');
    expect(taken.map(({ name }) => name).sort()).toEqual(['Ann Lee', 'Bob']);
  });

  it('finds everybody of two thousand of whom it is shown a hundred at a time, each once', async () => {
    const names = ['anna', 'bernd', 'clara', 'david', 'emil', 'frieda', 'gustav', 'hanna', 'ida', 'jan'];
    const people = Array.from({ length: 2_000 }, (_, index) => person(`${names[index % 10]!} Smith`, `${names[index % 10]!}.smith${index}@corp.example`));
    const { read, taken } = directory(people, 100);
    const { isWhole, requests } = await read();
    expect([isWhole, taken.length, new Set(taken).size]).toEqual([true, 2_000, 2_000]);
    expect(requests).toBeLessThan(10_000);
  });

  it('finds who is hidden behind a hundred of the same name by his address', async () => {
    const people = Array.from({ length: 150 }, (_, index) => person('Lee', `${String.fromCharCode(97 + (index % 26))}${index}@corp.example`));
    const { read, taken } = directory(people, 100);
    expect((await read()).isWhole).toBe(true);
    expect(taken).toHaveLength(150);
  });

  it('tries letters beyond ASCII where it has seen them', async () => {
    const people = [...Array.from({ length: 8 }, (_, index) => person(`mü${index}`, `mü${index}@corp.example`)), person('ma Ивова', 'ma@corp.example'), person('Ира', 'ира@corp.example')];
    const { read, taken, asked } = directory(people, 5);
    expect((await read()).isWhole).toBe(true);
    expect(asked).toEqual(expect.arrayContaining(['mü', 'и']));
    expect(taken).toHaveLength(10);
  });

  it('is not whole where as many share the longest beginning, and says which', async () => {
    const shared = 'x'.repeat(LIMITS.galPrefixCharacters);
    const { read, taken } = directory(Array.from({ length: 12 }, (_, index) => person(`${shared}${index}`, `${shared}${index}@corp.example`)), 5);
    const { isWhole, cutAt } = await read();
    expect([isWhole, cutAt]).toEqual([false, [shared]]);
    expect(taken).toHaveLength(5);
  });

  it('asks for who is called like the beginning of many, or is not whole without him', async () => {
    const names = ['kim', ...Array.from({ length: 8 }, (_, index) => `kim${index}`)];
    const read = async (exactly: 'hidden' | ((prefix: string) => Promise<{ readonly found: readonly string[]; readonly isCut: boolean }>)) => {
      const taken: string[] = [];
      // It shows nobody where there are too many.
      const ask = async (prefix: string) => {
        const found = names.filter((one) => one.startsWith(prefix));
        return { found: found.length > 5 ? [] : found, isCut: found.length > 5 };
      };
      const { isWhole } = await enumerateByPrefix<string>({ ask, exactly, idOf: (one) => one, textsOf: (one) => [one], take: async (found) => void taken.push(...found) });
      return [isWhole, taken.includes('kim'), taken.length];
    };
    expect(await read(async (prefix) => ({ found: names.filter((one) => one === prefix), isCut: false }))).toEqual([true, true, 9]);
    expect(await read('hidden')).toEqual([false, false, 8]);
  });

  it('is not whole where nobody is shown: a right may have been lost', async () => {
    expect(await directory([], 5).read()).toMatchObject({ isWhole: false, found: 0 });
  });

  it('ends, not whole, at a server that always says that there are more', async () => {
    let asked = 0;
    const reading = await enumerateByPrefix<string>({ ask: async () => ({ found: [`p${asked++}`], isCut: true }), exactly: 'nobody', idOf: (one) => one, textsOf: (one) => [one], take: async () => undefined });
    expect(reading).toMatchObject({ isWhole: false, requests: LIMITS.galPrefixRequests });
  });

  it('passes on what goes wrong, and what was taken before stands', async () => {
    const taken: string[] = [];
    const reading = enumerateByPrefix<string>({
      ask: async (prefix) => {
        if (prefix === 'c') throw new Error('gone');
        return { found: [prefix], isCut: false };
      },
      exactly: 'nobody',
      idOf: (one) => one,
      textsOf: (one) => [one],
      take: async (found) => void taken.push(...found),
    });
    await expect(reading).rejects.toThrow('gone');
    expect(taken).toEqual(['a', 'b']);
  });
});
