import { describe, expect, it } from 'vitest';
import { pauseAfter } from '../../src/core/back-off.ts';
import { LIMITS } from '../../src/core/limits.ts';

/** The smallest and the largest of many. */
function range(failures: number, retryAfterMs?: number): readonly [number, number] {
  const pauses = Array.from({ length: 2_000 }, () => pauseAfter(failures, LIMITS.retryPauses, retryAfterMs));
  return [Math.min(...pauses), Math.max(...pauses)];
}

describe('pauseAfter', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [9, 256_000],
    [10, LIMITS.retryPauses.longestMs],
    [1_000_000, LIMITS.retryPauses.longestMs],
  ])('after %d failures it is about %d ms, a quarter more or less', (failures, about) => {
    const [least, most] = range(failures);
    expect(least).toBeGreaterThanOrEqual(about * 0.75);
    expect(least).toBeLessThan(about * 0.8);
    expect(most).toBeLessThanOrEqual(about * 1.25);
    expect(most).toBeGreaterThan(about * 1.2);
  });

  it('is never shorter than the server asked for', () => {
    expect(range(1, 20_000)).toEqual([20_000, 20_000]);
    expect(range(9, 20_000)[0]).toBeGreaterThanOrEqual(192_000);
  });

  it('does not believe a server that asks for a day', () => expect(range(1, 86_400_000)).toEqual([900_000, 900_000]));
});
