import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { KeptSearches } from '../../src/gal/kept-searches.ts';
import type { FoundSlots } from '../../src/gal/search-index.ts';
import { AD, entry, gal, put } from './gal-world.ts';

/** What was really searched, in this order; every search finds so many rows, and more. */
function counted(rows = 1, more = true) {
  const kept = new KeptSearches();
  const searched: string[] = [];
  const ask = (text: string, keys: { readonly limit?: number; readonly offset?: number; readonly kinds?: readonly ['room'] } = {}, own?: string): FoundSlots =>
    kept.find({ text, limit: 20, ...keys }, own, () => (searched.push(text), { slots: Array.from({ length: rows }, (_, index) => index), more }));
  return { kept, searched, ask };
}

describe('searches that are kept', () => {
  it('are those that found more than they gave, until something changes', () => {
    const { kept, searched, ask } = counted();
    expect(ask('a')).toEqual({ slots: [0], more: true });
    expect(ask('a')).toEqual({ slots: [0], more: true });
    expect(searched).toEqual(['a']);
    kept.clear();
    ask('a');
    expect(searched).toEqual(['a', 'a']);
    const whole = counted(1, false);
    whole.ask('a');
    whole.ask('a');
    expect(whole.searched).toEqual(['a', 'a']);
  });

  it('are told apart by everything that is asked', () => {
    const { searched, ask } = counted();
    for (let again = 0; again < 2; again++) for (const [keys, own] of [[{}, undefined], [{}, 'zimbra'], [{ limit: 21 }, undefined], [{ offset: 1 }, undefined], [{ kinds: ['room'] }, undefined]] as const) ask('a', keys, own);
    ask('A');
    expect(searched).toHaveLength(6);
  });

  it('are so many, of short texts and short answers', () => {
    const { searched, ask } = counted();
    for (let number = 0; number <= LIMITS.keptSearches; number++) ask(String(number));
    ask(String(LIMITS.keptSearches));
    expect(searched).toHaveLength(LIMITS.keptSearches + 1);
    // The oldest had to go.
    ask('0');
    expect(searched).toHaveLength(LIMITS.keptSearches + 2);
    const long = counted(LIMITS.keptSearchRows + 1);
    for (const text of ['a', 'a', 'x'.repeat(LIMITS.keptSearchCharacters + 1)]) long.ask(text);
    expect(long.searched).toHaveLength(3);
  });

  it('show nobody who has gone, and everybody who has come', () => {
    const book = gal();
    const first = (): string | undefined => book.search({ text: 'a', limit: 1 }, undefined).entries[0]?.address;
    put(book, AD, entry('anna@corp.example', { name: 'Anna' }), entry('asta@corp.example', { name: 'Asta' }), entry('axel@corp.example', { name: 'Axel' }));
    expect([first(), first()]).toEqual(['anna@corp.example', 'anna@corp.example']);
    put(book, AD, entry('alma@corp.example', { name: 'Alma' }));
    expect(first()).toBe('alma@corp.example');
    book.apply(AD, [], ['alma@corp.example']);
    expect(first()).toBe('anna@corp.example');
    put(book, AD, entry('anna@corp.example', { name: 'Anna', isHidden: true }));
    expect(first()).toBe('asta@corp.example');
    put(book, AD, entry('asta@corp.example', { name: 'Zoe' }));
    expect(first()).toBe('axel@corp.example');
  });
});
