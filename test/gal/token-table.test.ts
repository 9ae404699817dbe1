import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenTable } from '../../src/gal/token-table.ts';

/** Enough words for several chunks, their slots in several rows. */
const pair = fc.record({ word: fc.string({ unit: fc.constantFrom('a', 'b', 'c', '山', '\uffff'), minLength: 1, maxLength: 6 }), slot: fc.nat(4) });

it('has what was added and not removed, in the order of the words, by their beginnings', () => {
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1_500, maxLength: 2_500 }), fc.integer({ min: 2, max: 50 }), (pairs, keptEach) => {
      const table = new TokenTable();
      const expected = new Map<string, Set<number>>();
      for (const { word, slot } of pairs) {
        if (expected.get(word)?.has(slot) === true) continue;
        expected.set(word, (expected.get(word) ?? new Set()).add(slot));
        table.add(word, slot);
      }
      const check = (): void => {
        for (const prefix of ['', 'a', 'ab', 'cc', '山', 'a\uffff', 'abcabc', '\uffff\uffff', 'd']) {
          const words = [...expected].filter(([word, slots]) => word.startsWith(prefix) && slots.size > 0).sort(([one], [other]) => (one < other ? -1 : 1));
          const seen: string[] = [];
          table.each(prefix, (slot, isWhole) => seen.push(`${slot}${isWhole ? ' whole' : ''}`));
          // Within a word the slots are in no order.
          let at = 0;
          for (const [word, slots] of words) {
            const theirs = seen.slice(at, (at += slots.size));
            expect(theirs.sort()).toEqual([...slots].map((slot) => `${slot}${word === prefix ? ' whole' : ''}`).sort());
          }
          expect(seen.length).toBe(at);
          expect(table.count(prefix)).toBe(at);
          const own: number[] = [];
          table.eachOf(prefix, (slot) => own.push(slot));
          expect(own.sort()).toEqual([...(expected.get(prefix) ?? [])].sort());
        }
      };
      check();
      pairs.forEach(({ word, slot }, index) => {
        if (index % keptEach === 0) return;
        table.remove(word, slot);
        expected.get(word)!.delete(slot);
      });
      table.remove('nobody', 1);
      check();
      for (const [word, slots] of expected) for (const slot of slots) table.remove(word, slot);
      expected.clear();
      check();
    }),
    { numRuns: 15 },
  );
});
