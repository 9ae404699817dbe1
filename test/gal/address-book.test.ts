import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import type { GalRight, Requester } from '../../src/core/request-context.ts';
import type { DirectoryQuery } from '../../src/directory/directory.ts';
import { AddressBook } from '../../src/gal/address-book.ts';
import { Departures } from '../../src/gal/departures.ts';
import { AD, address, entry, gal, HandClock, put, ZIMBRA } from './gal-world.ts';

const asking = (right: GalRight, from = 'zimbra', name = 'client'): Requester => ({ name, from, mayAsk: new Set(), detail: 'none', anonymous: false, presence: 'none', gal: right });

async function world(search: Partial<{ minimumLength: number; results: number; perMinute: number }> = {}) {
  const clock = new HandClock();
  const book = gal(clock);
  const departures = Departures.inMemory(clock);
  const apply = async (...args: Parameters<typeof book.apply>): Promise<void> => departures.add(book.apply(...args).rowsGone, book.lastChange);
  const directory = new AddressBook({ gal: book, search: { minimumLength: 1, results: 3, perMinute: 60_000, ...search }, book: () => departures.book, departures: () => departures, clock });
  return { clock, book, directory, apply };
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof BridgeError ? error.code : String(error);
  }
};

describe('rights', () => {
  it('a client without the right gets nothing from any method; one that may search may not take everything', async () => {
    const { directory, book } = await world();
    put(book, AD, entry('anna@corp.example'));
    const [row] = [...book.entries()];
    for (const who of [asking('none'), { ...asking('none'), gal: undefined }]) {
      const methods = [() => directory.allowance(who), () => directory.search({ text: 'anna', limit: 1 }, who), () => directory.resolve(row!.address, who), () => directory.byId(row!.id, who), () => directory.byLegacyExchangeDn('/o=x/cn=y', who), () => directory.membersOf(row!, who), () => [...directory.all(who)], () => directory.changes(undefined, who)];
      expect(methods.map(codeOf)).toEqual(methods.map(() => 'ACCESS_DENIED'));
    }
    expect(codeOf(() => directory.changes(undefined, asking('search')))).toBe('ACCESS_DENIED');
    expect([...directory.changes(undefined, asking('sync')).entries]).toHaveLength(1);
  });

  it('who may search sees the beginning of the ranking, however it is cut into pages', async () => {
    const { directory, book } = await world();
    put(book, AD, ...['a', 'b', 'c', 'd', 'e'].map((one) => entry(`${one}@corp.example`, { name: `Anna ${one}` })));
    const pages = (right: GalRight, query: Omit<DirectoryQuery, 'text'>) => {
      const { entries, more } = directory.search({ text: 'anna', ...query }, asking(right));
      return [entries.map((one) => one.name.at(-1)).join(''), more];
    };
    expect([pages('search', { limit: 9 }), pages('search', { limit: 2 }), pages('search', { limit: 2, offset: 2 }), pages('search', { limit: 2, offset: 4 })]).toEqual([['abc', true], ['ab', true], ['c', true], ['', true]]);
    expect([pages('sync', { limit: 9 }), pages('sync', { limit: 2, offset: 4 })]).toEqual([['abcde', false], ['e', false]]);
  });

  it('the minimum length counts for who may search, and counts letters', async () => {
    const { directory, book } = await world({ minimumLength: 2 });
    put(book, AD, entry('anna@corp.example', { name: 'Anna 𠮷野' }));
    const found = (text: string, right: GalRight) => directory.search({ text, limit: 9 }, asking(right)).entries.length;
    expect([found('a', 'search'), found('an', 'search'), found('a an', 'search'), found('𠮷', 'search'), found('a', 'sync')]).toEqual([0, 1, 1, 0, 1]);
  });

  it('the rate is one client\'s own, and says when to come again', async () => {
    const { directory, clock } = await world({ perMinute: 60 });
    const search = (name: string) => codeOf(() => directory.search({ text: 'x', limit: 1 }, asking('search', 'zimbra', name)));
    expect(Array.from({ length: 11 }, () => search('one'))).toEqual([...Array.from({ length: 10 }, () => 'none'), 'TOO_MANY_ATTEMPTS']);
    expect([search('other'), codeOf(() => directory.search({ text: 'x', limit: 1 }, asking('sync', 'zimbra', 'one')))]).toEqual(['none', 'none']);
    clock.time += 1000;
    expect([search('one'), search('one')]).toEqual(['none', 'TOO_MANY_ATTEMPTS']);
    try {
      directory.search({ text: 'x', limit: 1 }, asking('search', 'zimbra', 'one'));
    } catch (error) {
      expect((error as BridgeError).retryAfterMs).toBe(1000);
    }
  });

  it('the asking side\'s own people come first among equals', async () => {
    const { directory, book } = await world();
    put(book, AD, entry('anna.a@corp.example', { name: 'Anna A' }));
    put(book, ZIMBRA, entry('anna.z@zimbra.example', { name: 'Anna Z' }));
    const first = (from: string) => directory.search({ text: 'ann', limit: 1 }, asking('search', from)).entries[0]?.name;
    expect([first('exchange'), first('zimbra'), first('outside')]).toEqual(['Anna A', 'Anna Z', 'Anna A']);
  });
});

describe('changes', () => {
  it('tell what is new, changed and gone since a token', async () => {
    const { directory, apply, clock } = await world();
    const who = asking('sync');
    await apply(AD, [{ entry: entry('anna@corp.example') }, { entry: entry('bernd@corp.example') }, { entry: entry('clara@corp.example') }]);
    const first = directory.changes(undefined, who);
    const bernd = directory.resolve(address('bernd@corp.example'), who)!;
    expect([first.isWhole, [...first.entries].length, /^[0-9A-Za-z.-]{1,100}$/.test(first.token)]).toEqual([true, 3, true]);
    clock.time += 10;
    expect([...directory.changes(first.token, who).entries]).toHaveLength(3); // the very millisecond of the token counts
    const second = directory.changes(first.token, who).token;
    clock.time += 10;
    await apply(AD, [{ entry: entry('clara@corp.example', { name: 'Clara' }) }], ['bernd@corp.example']);
    const third = directory.changes(second, who);
    expect([third.isWhole, [...third.entries].map((one) => one.address), third.removed]).toEqual([false, ['clara@corp.example'], [bernd.id]]);
    clock.time += 10;
    await apply(AD, [{ entry: entry('bernd@corp.example') }]);
    const fourth = directory.changes(second, who);
    expect([[...fourth.entries].map((one) => one.address).sort(), fourth.removed]).toEqual([['bernd@corp.example', 'clara@corp.example'], []]);
  });

  it.each(['', '0', 'x', '.', '..', 'feedfacefeedface.1764417600000', '\0', '9'.repeat(10_000)])('a token from another life gives everybody: %j', async (token) => {
    const { directory, apply } = await world();
    await apply(AD, [{ entry: entry('anna@corp.example') }]);
    expect(directory.changes(token, asking('sync')).isWhole).toBe(true);
  });

  it('a token from the future, or from before this book began, gives everybody', async () => {
    const { directory, clock } = await world();
    const [book, at] = directory.changes(undefined, asking('sync')).token.split('.');
    expect([directory.changes(`${book}.${Number(at) + 1}`, asking('sync')).isWhole, directory.changes(`${book}.${clock.time - 1}`, asking('sync')).isWhole]).toEqual([true, true]);
  });
});
