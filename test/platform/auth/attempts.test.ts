import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { Attempts } from '../../../src/platform/auth/attempts.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { ANYWHERE, MovableClock } from './signing-in.ts';

/** How long each answer was held back in all. */
const heldOf = new AsyncLocalStorage<{ heldMs: number }>();

vi.mock('node:timers/promises', async (original) => ({
  ...(await original<Record<string, unknown>>()),
  setTimeout: async (ms: number) => {
    const holder = heldOf.getStore();
    if (holder !== undefined) holder.heldMs += ms;
    return new Promise((resolve) => setImmediate(resolve));
  },
}));

describe('attempts of one client from one address', () => {
  it('are held back for no longer than the longest pause each, however many fail before them: the rest are turned away', async () => {
    const attempts = new Attempts(new FailureMemory(new MovableClock()), noMetrics);
    const wrong = { address: '10.1.2.3', account: ANYWHERE, triedName: 'anywhere', note: () => undefined, judge: () => new Promise<string>((resolve) => setImmediate(() => resolve('wrong password'))) };
    const holders = Array.from({ length: 100 }, () => ({ heldMs: 0 }));
    const codes = await Promise.all(holders.map((holder) => heldOf.run(holder, () => attempts.judged(wrong).then(() => 'in', (error: { code: string }) => error.code))));
    expect(Math.max(...holders.map(({ heldMs }) => heldMs))).toBeLessThanOrEqual(LIMITS.failureDelayMs);
    expect(codes.filter((code) => code === 'TOO_MANY_ATTEMPTS').length).toBeGreaterThan(80);
    // And the places are given back: whoever comes now is looked at.
    expect(await attempts.judged({ ...wrong, judge: () => undefined })).toBe(ANYWHERE.requester);
  });
});
