import { expect, it, onTestFinished, vi } from 'vitest';
import { LoopLag } from '../../../src/platform/http-server/loop-lag.ts';

it('is late when it was late several times in a row, not once, and no longer when it is not', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = 1_000;
  const time = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => {
    vi.useRealTimers();
    time.mockRestore();
  });
  const lag = new LoopLag({ everyMs: 10, lateMs: 40, inARow: 3 });
  // A timer that comes so much later than it should.
  const looks = (...lateMs: readonly number[]): readonly boolean[] =>
    lateMs.map((late) => {
      now += 10 + late;
      vi.advanceTimersByTime(10);
      return lag.isLate;
    });
  expect(looks(100, 100, 100, 100)).toEqual([false, false, false, false]);
  lag.start();
  lag.start();
  expect(looks(0, 500, 39, 40, 500, 40, 0, 41)).toEqual([false, false, false, false, false, true, false, false]);
  expect(looks(90, 90, 0)).toEqual([false, true, false]);
  lag.stop();
  expect([lag.isLate, ...looks(90, 90, 90, 90)]).toEqual([false, false, false, false, false]);
});

it('sees a loop that something keeps to itself', async () => {
  const lag = new LoopLag({ everyMs: 5, lateMs: 30, inARow: 1 });
  onTestFinished(() => lag.stop());
  lag.start();
  const until = performance.now() + 60;
  while (performance.now() < until);
  let wasLate = false;
  for (let turn = 0; turn < 20 && !wasLate; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    wasLate ||= lag.isLate;
  }
  expect(wasLate).toBe(true);
});
