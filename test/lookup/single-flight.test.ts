import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { SingleFlight } from '../../src/lookup/single-flight.ts';
import { pending, turns } from '../freebusy/asking.ts';

const never = new AbortController().signal;
const soon = (ms: number): number => Date.now() + ms;

describe('one call for identical questions', () => {
  it('gives everyone its answer, or its failure', async () => {
    const flights = new SingleFlight<string>(systemClock);
    let calls = 0;
    const call = pending<string>();
    const start = (): Promise<string> => {
      calls += 1;
      return call.promise;
    };
    const both = [flights.join('k', soon(5_000), never, start), flights.join('k', soon(5_000), never, start)];
    call.resolve('answer');
    expect([await Promise.all(both), calls]).toEqual([['answer', 'answer'], 1]);
    const failing = [1, 2].map(() => flights.join('f', soon(5_000), never, () => Promise.reject(new Error('x'))));
    for (const one of failing) await expect(one).rejects.toThrow('x');
  });

  it('lives as long as its most patient waiter: who gives up early gets DEADLINE, who waits gets the answer', async () => {
    const flights = new SingleFlight<string>(systemClock);
    const call = pending<string>();
    let signal: AbortSignal | undefined;
    const start = (given: AbortSignal): Promise<string> => {
      signal = given;
      return call.promise;
    };
    const hasty = flights.join('k', soon(50), never, start).catch((error: unknown) => (error as { code: string }).code);
    const patient = flights.join('k', soon(5_000), never, start);
    expect(await hasty).toBe('DEADLINE');
    expect(signal!.aborted).toBe(false);
    call.resolve('late');
    expect(await patient).toBe('late');
  });

  it('is aborted when its last waiter has gone, not before', async () => {
    const flights = new SingleFlight<string>(systemClock);
    const leaving = [new AbortController(), new AbortController()];
    let signal: AbortSignal | undefined;
    const waiting = leaving.map((one) => flights.join('k', soon(5_000), one.signal, (given) => {
      signal = given;
      return new Promise(() => undefined);
    }).catch((error: unknown) => (error as { code: string }).code));
    leaving[0]!.abort();
    expect(await waiting[0]).toBe('DEADLINE');
    await turns();
    expect(signal!.aborted).toBe(false);
    leaving[1]!.abort();
    expect(await waiting[1]).toBe('DEADLINE');
    await turns();
    expect(signal!.aborted).toBe(true);
  });

  it('is over once it has been aborted: a question that comes then is asked anew', async () => {
    const flights = new SingleFlight<string>(systemClock);
    let calls = 0;
    let aborted = (): void => undefined;
    const dying = new Promise<void>((resolve) => (aborted = resolve));
    const hasty = flights.join('k', soon(60), never, (signal) => {
      calls += 1;
      signal.addEventListener('abort', aborted);
      // As a client does: it ends a little after it was told.
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => setTimeout(() => reject(new Error('aborted')), 10)));
    }).catch(() => 'none');
    await dying;
    const next = flights.join('k', soon(5_000), never, async () => {
      calls += 1;
      return 'fresh';
    });
    expect(await next.catch((error: unknown) => String(error))).toBe('fresh');
    expect(calls).toBe(2);
    await hasty;
  });

  it('keeps nothing once it has ended', async () => {
    const flights = new SingleFlight<number>(systemClock);
    let calls = 0;
    for (let round = 1; round <= 3; round++) expect(await flights.join('k', soon(1_000), never, async () => ++calls)).toBe(round);
  });

  it('a call that never ends holds nobody back once its time is over', async () => {
    const flights = new SingleFlight<string>(systemClock);
    const silent = (): Promise<string> => new Promise(() => undefined);
    expect(await flights.join('k', soon(30), never, silent).catch((error: unknown) => (error as { code: string }).code)).toBe('DEADLINE');
    expect(await flights.join('k', soon(5_000), never, async () => 'next')).toBe('next');
  });
});
