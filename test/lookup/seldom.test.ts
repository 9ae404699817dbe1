import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { Seldom } from '../../src/lookup/seldom.ts';

describe('what would be said again and again', () => {
  it('is said at once, then once in its time, with how often it was not', () => {
    let now = 1_000;
    const seldom = new Seldom({ now: () => now });
    expect([seldom.mayBeSaid('a'), seldom.mayBeSaid('b')]).toEqual([0, 0]);
    for (let round = 0; round < 1_000; round++) expect(seldom.mayBeSaid('a')).toBeUndefined();
    now += LIMITS.sameWarningMs;
    expect([seldom.mayBeSaid('a'), seldom.mayBeSaid('a'), seldom.mayBeSaid('b')]).toEqual([1_000, undefined, 0]);
  });

  it('is said by a clock that was set back, too', () => {
    let now = 10 * LIMITS.sameWarningMs;
    const seldom = new Seldom({ now: () => now });
    seldom.mayBeSaid('a');
    now = 0;
    expect(seldom.mayBeSaid('a')).toBe(0);
  });
});
