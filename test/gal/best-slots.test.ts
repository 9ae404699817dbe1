import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BestSlots } from '../../src/gal/best-slots.ts';

it('keeps the best so many of any slots in any order, and counts all', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(99), { maxLength: 60, size: 'max' }), fc.nat(12), (scores, most) => {
      const best = new BestSlots(most, (one, other) => one - other);
      scores.forEach((score, slot) => best.offer(slot, score));
      const ranked = scores.map((score, slot) => ({ score, slot })).sort((a, b) => a.score - b.score || a.slot - b.slot);
      expect(best.ranked()).toEqual(ranked.slice(0, most).map(({ slot }) => slot));
      expect(best.offered).toBe(scores.length);
    }),
  );
});
