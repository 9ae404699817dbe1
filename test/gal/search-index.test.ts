import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import type { DirectoryQuery } from '../../src/directory/directory.ts';
import { SearchIndex } from '../../src/gal/search-index.ts';
import type { SearchRow } from '../../src/gal/search-index.ts';
import { people } from '../bench/gal-people.ts';

const rowOf = (name: string, keys: Partial<SearchRow> = {}): SearchRow => ({ name, names: [name], addresses: [], kind: 'person', home: 'exchange', ...keys });

/** An index over rows, and how it answers: by the names of those found. */
function indexOf(...rows: readonly (SearchRow | string)[]): (text: string, query?: Partial<DirectoryQuery> & { readonly own?: string }) => readonly string[] {
  const all = rows.map((row) => (typeof row === 'string' ? rowOf(row) : row));
  const index = new SearchIndex();
  index.add(all.map((row, slot) => [slot, row]));
  return (text, { own, ...query } = {}) => index.search({ text, limit: 100, ...query }, own).slots.map((slot) => all[slot]!.name);
}

describe('who is found', () => {
  const find = indexOf('Anna Müller', 'Bernd Groß', "Conor O'Brien", 'Doris Anna-Lena', '山田太郎', 'やまだ はなこ', 'Иван Ёлкин', 'İpek Yılmaz', 'Đặng Văn Nguyễn', '김철수', '*star* 100%', 'ﾊﾝﾅ Ｆｕｌｌ');

  it.each([
    ['mul', ['Anna Müller']],
    ['MÜL', ['Anna Müller']],
    ['mue', []],
    ['ller', []],
    ['muller anna', ['Anna Müller']],
    ['Müller, A', ['Anna Müller']],
    ['anna m', ['Anna Müller']],
    ['anna x', []],
    ['anna anna', ['Anna Müller', 'Doris Anna-Lena']],
    ['gross', ['Bernd Groß']],
    ['GROSS b', ['Bernd Groß']],
    ['obr', ["Conor O'Brien"]],
    ['O’Brien', ["Conor O'Brien"]],
    ['brien', ["Conor O'Brien"]],
    ['lena', ['Doris Anna-Lena']],
    ['anna-l', ['Doris Anna-Lena']],
    ['山', ['山田太郎']],
    ['太郎', ['山田太郎']],
    ['田太', ['山田太郎']],
    ['太郎 山田', ['山田太郎']],
    ['郎太', []],
    ['やま', ['やまだ はなこ']],
    ['ヤマダ', ['やまだ はなこ']],
    ['елк', ['Иван Ёлкин']],
    ['ЁЛКИН ИВ', ['Иван Ёлкин']],
    ['ipek', ['İpek Yılmaz']],
    ['YILMAZ', ['İpek Yılmaz']],
    ['yılmaz İ', ['İpek Yılmaz']],
    ['dang nguyen', ['Đặng Văn Nguyễn']],
    ['NGUYỄN', ['Đặng Văn Nguyễn']],
    ['김', ['김철수']],
    ['기', ['김철수']],
    ['*', ['*star* 100%']],
    ['%', []],
    ['100%', ['*star* 100%']],
    ['full', ['ﾊﾝﾅ Ｆｕｌｌ']],
    ['ハンナ', ['ﾊﾝﾅ Ｆｕｌｌ']],
    ['', []],
    [' \t,; ', []],
    ['\0', []],
    ['(objectClass=*)', []],
    ['.*', []],
  ])('%j finds %j', (text, names) => {
    expect(find(text)).toEqual(names);
  });

  it('by an address or alias from its beginning, not from within it', () => {
    const byAddress = indexOf(rowOf('Anna', { addresses: ['zoe.maier@corp.example', 'info@corp.example'] }));
    expect(byAddress('zoe.m')).toEqual(['Anna']);
    expect(byAddress('INFO@corp.example')).toEqual(['Anna']);
    expect(byAddress('an zoe')).toEqual(['Anna']);
    for (const text of ['maier', 'corp', '@', 'info@corp.example.org', 'zoe@']) expect([text, byAddress(text)]).toEqual([text, []]);
  });

  it('by every name of a row', () => {
    const byName = indexOf(rowOf('M. Smith', { names: ['M. Smith', 'Margaret', 'Smith', 'Peggy', 'スミス'] }));
    for (const text of ['m', 'marg', 'smi', 'peg', 'すみ', 'peggy smith margaret m.']) expect([text, byName(text)]).toEqual([text, ['M. Smith']]);
  });

  it('only of the kinds asked for', () => {
    const find = indexOf(rowOf('Room A', { kind: 'room' }), rowOf('Roomy', { kind: 'person' }), rowOf('Rooms', { kind: 'group' }));
    expect(find('room', { kinds: ['room', 'group'] })).toEqual(['Room A', 'Rooms']);
    expect(find('room', { kinds: [] })).toEqual([]);
    expect(find('room')).toEqual(['Room A', 'Rooms', 'Roomy']);
  });
});

describe('who comes first', () => {
  it('the exact one, whatever the order of its tokens, before longer names of the own side', () => {
    const find = indexOf(rowOf('Anna Meierhofer', { home: 'zimbra' }), rowOf('Anna Meier Zoe', { home: 'zimbra' }), rowOf('Meier, Anna', { home: 'exchange' }));
    expect(find('anna MEIER', { own: 'zimbra' })).toEqual(['Meier, Anna', 'Anna Meier Zoe', 'Anna Meierhofer']);
  });

  it('the exact one by address, alias or nickname', () => {
    const rows = [rowOf('Info Zentrale'), rowOf('Xaver', { addresses: ['x@corp.example', 'info'] }), rowOf('Yves Y', { names: ['Yves Y', 'Yves', 'info'] })];
    expect(indexOf(...rows)('info')).toEqual(['Xaver', 'Yves Y', 'Info Zentrale']);
  });

  it('who has only a given name like that is not exact', () => {
    const find = indexOf(rowOf('Anna Zeller', { names: ['Anna Zeller', 'Anna', 'Zeller'] }), rowOf('Annabel A', { home: 'zimbra' }), rowOf('Anna'));
    expect(find('anna', { own: 'zimbra' })).toEqual(['Anna', 'Annabel A', 'Anna Zeller']);
  });

  it('by name before by address, and there too the own side first', () => {
    const find = indexOf(rowOf('A', { addresses: ['meier@corp.example'], home: 'zimbra' }), rowOf('B', { addresses: ['meier2@corp.example'] }), rowOf('Z Meier'), rowOf('Y Meierling', { home: 'zimbra' }));
    expect(find('meier', { own: 'zimbra' })).toEqual(['Y Meierling', 'Z Meier', 'A', 'B']);
    expect(find('meier')).toEqual(['Z Meier', 'Y Meierling', 'A', 'B']);
  });

  it('nobody is preferred where nobody knows the home', () => {
    expect(indexOf(rowOf('Anna A', { home: 'exchange' }), rowOf('Anna B', { home: undefined }))('an')).toEqual(['Anna A', 'Anna B']);
    expect(indexOf(rowOf('Anna A', { home: 'exchange' }), rowOf('Anna B', { home: undefined }))('an', { own: 'unheard of' })).toEqual(['Anna A', 'Anna B']);
  });

  it('among equals by name, then by address', () => {
    const find = indexOf(rowOf('Émile', { addresses: ['b@corp.example'] }), rowOf('Emile', { addresses: ['a@corp.example'] }), rowOf('Emil'), rowOf('Em'));
    expect(find('e')).toEqual(['Em', 'Emil', 'Emile', 'Émile']);
  });

  it('page by page is all of them, each once', () => {
    const find = indexOf(...Array.from({ length: 25 }, (_, index) => `Anna ${String.fromCharCode(97 + index)}`));
    const pages = [0, 10, 20, 30].map((offset) => find('anna', { offset, limit: 10 }));
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5, 0]);
    expect(pages.flat()).toEqual(find('anna'));
  });
});

describe('changes', () => {
  it('a slot used again holds only the new row', () => {
    const index = new SearchIndex();
    const old = rowOf('Anna Alt', { addresses: ['alt@corp.example'] });
    index.add([[3, old]]);
    index.remove(3, old);
    index.add([[3, rowOf('Bernd Neu', { addresses: ['neu@corp.example'] })]]);
    for (const text of ['anna', 'alt', 'alt@corp.example']) expect(index.search({ text, limit: 9 }, undefined).slots).toEqual([]);
    expect(index.search({ text: 'neu', limit: 9 }, undefined)).toEqual({ slots: [3], more: false });
  });

  it('removing what is not there changes nothing', () => {
    const index = new SearchIndex();
    index.add([[0, rowOf('Anna Meier')]]);
    index.remove(7, rowOf('Anna Meier'));
    index.remove(100_000, rowOf('Bernd'));
    expect(index.search({ text: 'anna meier', limit: 9 }, undefined).slots).toEqual([0]);
  });

  it('thousands of rows come and go in any slots, and nothing is left', () => {
    const index = new SearchIndex();
    const rows = people(3_000).map((entry, number): readonly [number, SearchRow] => [(number * 7) % 3_000, rowOf(entry.name ?? entry.address, { addresses: [entry.address] })]);
    for (const [slot, row] of [...rows].reverse()) index.add([[slot, row]]);
    const found = (text: string): number => index.search({ text, limit: Infinity }, undefined).slots.length;
    const beginning = rows.filter(([, row]) => /(?:^|[\s,-])m/i.test(row.name) || row.addresses[0]!.startsWith('m')).length;
    expect(beginning).toBeGreaterThan(500);
    expect(found('m')).toBe(beginning);
    for (const [slot, row] of rows) index.remove(slot, row);
    for (const text of [...'abcdefghijklmnopqrstuvwxyz0123456789山и']) expect([text, found(text)]).toEqual([text, 0]);
  });
});

describe('hostile texts', () => {
  it('a query of any length and any characters has an answer', () => {
    const find = indexOf('Anna Meier', '山田太郎');
    for (const text of ['a'.repeat(1_000_000), 'a '.repeat(100_000), '\0'.repeat(1_000), '\ud842', '\udfb7', '\n', '\v', '\t', '\nanna', "'".repeat(300), '\ufdfa'.repeat(256), '\uffff'])
      expect([text.slice(0, 9), find(text).length <= 2]).toEqual([text.slice(0, 9), true]);
  });

  it('names of 10,000 characters, of NUL or of nothing are found by their beginning, or never, and are gone when removed', () => {
    const names = ['x'.repeat(10_000), 'y '.repeat(5_000), '漢'.repeat(10_000), 'z\0z', '\0', '', ' ', '-'.repeat(10_000), "'".repeat(9_999), '\ufdfa'.repeat(10_000), '\ud800\udbff q'];
    const index = new SearchIndex();
    const rows = names.map((name, slot): readonly [number, SearchRow] => [slot, rowOf(name)]);
    index.add(rows);
    const find = (text: string): readonly number[] => index.search({ text, limit: 99 }, undefined).slots;
    expect(['xxx', 'y', '漢', 'z', 'z\0', '\0', '-', "'", 'صل', 'q'].map((text) => find(text))).toEqual([[0], [1], [2], [3], [3], [4], [7], [8], [9], [10]]);
    expect(find('x'.repeat(LIMITS.searchCharacters))).toEqual([0]);
    for (const [slot, row] of rows) index.remove(slot, row);
    expect(['x', 'y', '漢', 'z', '\0', '-', "'", 'q'].flatMap((text) => find(text))).toEqual([]);
  });
});

// ── The oracle: every row looked at, letter by letter. It knows what its letters are compared as, so it folds nothing. ──────────

/** How a letter may be spelled, and what it is compared as. */
const LETTERS = [
  { spelled: ['a', 'A', 'ä', 'À', 'a\u0301', 'ａ'], plain: 'a', script: 'other' },
  { spelled: ['b', 'B'], plain: 'b', script: 'other' },
  { spelled: ['ß', 'ss', 'SS'], plain: 'ss', script: 'other' },
  { spelled: ['i', 'I', 'İ', 'ı', 'ị'], plain: 'i', script: 'other' },
  { spelled: ['я', 'Я'], plain: 'я', script: 'other' },
  { spelled: ['е', 'Ё'], plain: 'е', script: 'other' },
  { spelled: ['1'], plain: '1', script: 'other' },
  { spelled: ['山'], plain: '山', script: 'han' },
  { spelled: ['𠮷'], plain: '𠮷', script: 'han' },
  { spelled: ['か', 'が'], plain: 'か', script: 'hiragana' },
  { spelled: ['カ', 'ガ', 'ｶ'], plain: 'か', script: 'katakana' },
  { spelled: ['-', '‑'], plain: '-', script: 'none' },
  { spelled: ['.'], plain: '.', script: 'none' },
  { spelled: ['*'], plain: '*', script: 'none' },
  { spelled: ["'", '’'], plain: "'", script: 'none' },
  { spelled: [' ', '\u00a0', ', ', ';', '　'], plain: ' ', script: 'blank' },
] as const;

interface Letter {
  readonly spelling: string;
  readonly plain: string;
  readonly script: string;
}

const letter: fc.Arbitrary<Letter> = fc
  .constantFrom(...LETTERS)
  .chain(({ spelled, plain, script }) => fc.constantFrom<string>(...spelled).map((spelling) => ({ spelling, plain, script })));
const spelledText = fc.array(letter, { maxLength: 9 });
const spellingOf = (letters: readonly Letter[]): string => letters.map(({ spelling }) => spelling).join('');
const plainOf = (letters: readonly Letter[]): string => letters.map(({ plain }) => plain).join('');
const plainTokens = (letters: readonly Letter[]): readonly string[] => plainOf(letters).split(' ').filter((token) => token !== '');

/** Words of letters, between blanks; each with every way in which it counts. */
function oracleForms(letters: readonly Letter[]): readonly (readonly Letter[])[] {
  const words: Letter[][] = [[]];
  for (const one of letters) {
    if (one.script === 'blank') words.push([]);
    else words.at(-1)!.push(one);
  }
  return words.flatMap((word) => [word, word.filter(({ plain }) => plain !== "'")]).filter((word) => word.length > 0);
}

/** Whether a token begins a word of a text, and whether it is all of one. */
function oracleWord(letters: readonly Letter[], token: string): { readonly begins: boolean; readonly isWhole: boolean } {
  let [begins, isWhole] = [false, false];
  for (const form of oracleForms(letters)) {
    for (let at = 0; at < form.length; at++) {
      const { script } = form[at]!;
      const isStart = at === 0 || (script !== 'none' && (script === 'han' || script !== form[at - 1]!.script));
      if (!isStart) continue;
      const rest = plainOf(form.slice(at));
      if (rest.startsWith(token)) begins = true;
      let end = at + 1;
      while (end < form.length && form[end]!.script === script) end++;
      const isPiece = script !== 'han' && script !== 'none' && plainOf(form.slice(at, end)) === token;
      if (rest === token || isPiece) isWhole = true;
    }
  }
  return { begins, isWhole };
}

interface OracleRow {
  readonly name: readonly Letter[];
  readonly others: readonly (readonly Letter[])[];
  readonly addresses: readonly string[];
  readonly kind: 'person' | 'room';
  readonly home: string | undefined;
}

const oracleRow: fc.Arbitrary<OracleRow> = fc.record({
  name: spelledText,
  others: fc.array(spelledText, { maxLength: 2 }),
  addresses: fc.uniqueArray(fc.stringMatching(/^[ab1.-]{1,3}$/), { minLength: 1, maxLength: 3 }),
  kind: fc.constantFrom('person', 'room'),
  home: fc.constantFrom('exchange', 'zimbra', undefined),
});

const searchRow = ({ name, others, addresses, kind, home }: OracleRow): SearchRow => ({ name: spellingOf(name), names: [name, ...others].map(spellingOf), addresses, kind, home });

/** The order of a row for a query, smallest first; undefined where it is not found. */
function oracleRank(row: OracleRow, tokens: readonly string[], own: string | undefined): readonly (number | string)[] | undefined {
  const texts = [row.name, ...row.others];
  // Who types `an anna` asks for no more than who types `anna`.
  const needed = [...new Set(tokens)].filter((token) => !tokens.some((other) => other !== token && other.startsWith(token)));
  const found = needed.map((token) => {
    const words = texts.map((text) => oracleWord(text, token));
    return { byName: words.some(({ begins }) => begins), isWhole: words.some(({ isWhole }) => isWhole), byAddress: row.addresses.some((address) => address.startsWith(token)) };
  });
  if (found.length === 0 || !found.every(({ byName, byAddress }) => byName || byAddress)) return undefined;
  const same = (text: readonly Letter[]): boolean => [...plainTokens(text)].sort().join(' ') === [...tokens].sort().join(' ');
  const own_ = plainTokens(row.name);
  const isExact = same(row.name) || row.others.some((text) => same(text) && !plainTokens(text).every((token) => own_.includes(token))) || (tokens.length === 1 && row.addresses.includes(tokens[0]!));
  const tier = isExact ? 0 : found.every(({ byName }) => byName) ? 1 : 2;
  const parts = tier === 0 ? 0 : found.filter(({ isWhole }) => !isWhole).length;
  const plainName = spellingOf(row.name) === '' ? '' : row.name.map(({ spelling, plain, script }) => (script === 'blank' ? spelling.replace(/[\u00a0\u3000]/g, ' ') : plain)).join('');
  return [tier, own !== undefined && row.home === own ? 0 : 1, parts, plainName, row.addresses[0]!];
}

function compareRanks(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : one[at]! < other[at]! ? -1 : 1;
}

/** Beginnings of words that are there, and anything else. */
const query = fc.record({
  letters: fc.oneof(spelledText, fc.array(fc.array(letter, { maxLength: 2 }), { maxLength: 3 }).map((tokens) => tokens.flatMap((token) => [...token, { spelling: ' ', plain: ' ', script: 'blank' }]))),
  kinds: fc.constantFrom(undefined, ['room'] as const, ['person', 'room'] as const),
  own: fc.constantFrom(undefined, 'exchange', 'zimbra'),
  limit: fc.integer({ min: 1, max: 5 }),
  offset: fc.integer({ min: 0, max: 4 }),
});

describe('beside an oracle that looks at every row', () => {
  it('every search after every change finds the same rows in the same order', () => {
    const change = fc.oneof(
      fc.record({ do: fc.constant('set' as const), slot: fc.nat(11), row: oracleRow }),
      fc.record({ do: fc.constant('remove' as const), slot: fc.nat(11) }),
      fc.record({ do: fc.constant('search' as const), query }),
      fc.record({ do: fc.constant('name' as const), of: fc.nat(11), cut: fc.nat(9), query }),
    );
    let hits = 0;
    fc.assert(
      fc.property(fc.array(oracleRow, { maxLength: 10 }), fc.array(change, { minLength: 1, maxLength: 20 }), (first, changes) => {
        const index = new SearchIndex();
        const rows = new Map(first.map((row, slot) => [slot, row]));
        index.add([...rows].map(([slot, row]) => [slot, searchRow(row)]));
        const remove = (slot: number): void => {
          if (rows.has(slot)) index.remove(slot, searchRow(rows.get(slot)!));
          rows.delete(slot);
        };
        for (const one of changes) {
          if (one.do === 'set') {
            remove(one.slot);
            rows.set(one.slot, one.row);
            index.add([[one.slot, searchRow(one.row)]]);
            continue;
          }
          if (one.do === 'remove') {
            remove(one.slot);
            continue;
          }
          const { kinds, own, limit, offset } = one.query;
          const letters = one.do === 'search' ? one.query.letters : (rows.get(one.of)?.name ?? []).slice(one.cut % 4, 4 + one.cut);
          const tokens = plainTokens(letters);
          const expected = [...rows]
            .filter(([, row]) => kinds === undefined || (kinds as readonly string[]).includes(row.kind))
            .flatMap(([slot, row]) => {
              const rank = oracleRank(row, tokens, own);
              return rank === undefined ? [] : [{ slot, rank }];
            })
            .sort((a, b) => compareRanks(a.rank, b.rank));
          hits += expected.length;
          const found = index.search({ text: spellingOf(letters), limit, offset, ...(kinds === undefined ? {} : { kinds }) }, own);
          const rankOf = (slot: number): unknown => expected.find((hit) => hit.slot === slot)?.rank;
          // Rows that are equal in everything may stand in either order.
          expect(found.slots.map(rankOf)).toEqual(expected.slice(offset, offset + limit).map(({ rank }) => rank));
          expect(new Set(found.slots).size).toBe(found.slots.length);
          expect(found.more).toBe(expected.length > offset + limit);
        }
      }),
      { numRuns: 1_500 },
    );
    expect(hits).toBeGreaterThan(1_000);
  });
});
