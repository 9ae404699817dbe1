import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { BackEndLoad } from '../../../../src/platform/http-client/load/back-end-load.ts';
import { LoadWorld, never, soFar } from './load-world.ts';

const MOST = LIMITS.breakerFailures;
const turn = { done: expect.any(Function) as unknown };
const unreachable = { error: { code: 'BACKEND_UNREACHABLE', temporary: true } };

async function opened(world: LoadWorld, load: BackEndLoad = world.load(20)): Promise<BackEndLoad> {
  for (let failure = 0; failure < MOST; failure++) await world.request(load, 'failed');
  return load;
}

function pauseMs(world: LoadWorld): number {
  return world.state()!.openUntil! - world.now;
}

describe('a server that cannot be reached', () => {
  it('several times in a row is left alone, for all its accounts, and who waits for it hears so', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    const hanging = await load.enter(never());
    const waiting = load.enter(never());
    const second = world.load(20, 'second');
    await opened(world, second);
    expect(await soFar(waiting)).toMatchObject(unreachable);
    for (const one of [load, second]) expect(await soFar(one.enter(never()))).toMatchObject({ error: { code: 'BACKEND_UNREACHABLE', temporary: true, publicMessage: expect.stringMatching(/has not answered the last 5 times; it is tried again in [23] s$/) as string } });
    expect(world.state()).toMatchObject({ inFlight: 1, waiting: 0, isBreakerOpen: true, openUntil: expect.any(Number) as number });
    hanging.done('given-up');
    expect(world.refused).toContain('mail.corp.example breaker-open');
  });

  it('is another server’s matter only', async () => {
    const world = new LoadWorld();
    await opened(world);
    expect(await soFar(world.load(1, 'reader', 'https://other.example').enter(never()))).toMatchObject(turn);
  });

  it('is asked on while answers come between', async () => {
    const world = new LoadWorld();
    const load = world.load();
    for (let round = 0; round < 10; round++) {
      for (let failure = 1; failure < MOST; failure++) await world.request(load, 'failed');
      await world.request(load, 'answered');
    }
    expect(world.state()!.isBreakerOpen).toBe(false);
  });

  it('is tried again by one request, while the others are refused', async () => {
    const world = new LoadWorld();
    const load = await opened(world);
    world.now += pauseMs(world) - 1;
    expect(await soFar(load.enter(never()))).toMatchObject(unreachable);
    world.now += 1;
    const trial = await load.enter(never());
    expect(await soFar(load.enter(never()))).toMatchObject({ error: { code: 'BACKEND_UNREACHABLE', retryAfterMs: expect.any(Number) as number } });
    expect(await soFar(world.load(20, 'second').enter(never()))).toMatchObject(unreachable);
    trial.done('answered');
    expect(await soFar(load.enter(never()))).toMatchObject(turn);
    expect(world.state()).toMatchObject({ isBreakerOpen: false, openUntil: undefined });
    // It begins to count anew.
    await world.request(load, 'failed');
    expect(world.state()!.isBreakerOpen).toBe(false);
  });

  it('is left alone twice as long whenever a trial fails, half a minute at most', async () => {
    const world = new LoadWorld();
    const load = await opened(world);
    const { firstMs, longestMs } = LIMITS.breakerPauses;
    for (let opening = 0; opening < 8; opening++) {
      const usual = Math.min(firstMs * 2 ** opening, longestMs);
      expect(pauseMs(world)).toBeGreaterThanOrEqual(usual * 0.75);
      expect(pauseMs(world)).toBeLessThanOrEqual(usual * 1.25);
      world.now += pauseMs(world);
      await world.request(load, 'failed');
    }
    world.now += pauseMs(world);
    await world.request(load, 'answered');
    await opened(world, load);
    expect(pauseMs(world)).toBeLessThanOrEqual(firstMs * 1.25);
  });

  it('is tried by the next one where the trial’s client went away', async () => {
    const world = new LoadWorld();
    const load = await opened(world);
    world.now += pauseMs(world);
    await world.request(load, 'given-up');
    expect(world.state()!.openUntil).toBeUndefined();
    const trial = await load.enter(never());
    expect(await soFar(load.enter(never()))).toMatchObject(unreachable);
    trial.done('answered');
    expect(world.state()!.isBreakerOpen).toBe(false);
  });

  it('is not tried while those that hang have all the turns', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    const hanging = await load.enter(never());
    await opened(world, world.load(20, 'second'));
    world.now += 60_000;
    expect(await soFar(load.enter(never()))).toMatchObject({ error: { code: 'BACKEND_BUSY' } });
    hanging.done('aborted');
    expect(await soFar(load.enter(never()))).toMatchObject(turn);
  });
});

describe('what is left of an outage', () => {
  it('does not open it again: requests that hung through it end after the server has answered', async () => {
    const world = new LoadWorld();
    const load = world.load(50);
    const hanging = await Promise.all(Array.from({ length: 20 }, () => load.enter(never())));
    await opened(world, load);
    world.now += pauseMs(world);
    const trial = await load.enter(never());
    trial.done('answered');
    for (const one of hanging) one.done('failed');
    expect(world.state()!.isBreakerOpen).toBe(false);
  });

  it('does not lengthen it: only the trial counts', async () => {
    const world = new LoadWorld();
    const load = world.load(50);
    const hanging = await Promise.all(Array.from({ length: 20 }, () => load.enter(never())));
    await opened(world, load);
    const until = world.state()!.openUntil;
    for (const one of hanging.slice(0, 10)) one.done('failed');
    expect(world.state()!.openUntil).toBe(until);
    world.now += pauseMs(world);
    const trial = await load.enter(never());
    for (const one of hanging.slice(10)) one.done('failed');
    expect(world.state()!.openUntil).toBeUndefined();
    trial.done('answered');
    expect(world.state()!.isBreakerOpen).toBe(false);
  });

  it('ends with any answer, of an older request too', async () => {
    const world = new LoadWorld();
    const load = world.load(50);
    const old = await load.enter(never());
    await opened(world, load);
    old.done('answered');
    expect(await soFar(load.enter(never()))).toMatchObject(turn);
  });
});

describe('what counts against a server', () => {
  async function times(outcome: 'answered' | 'failed' | 'aborted' | 'given-up', tookMs: number, deadlineMs?: number): Promise<boolean> {
    const world = new LoadWorld();
    const load = world.load();
    for (let request = 0; request < MOST; request++) await world.request(load, outcome, tookMs, deadlineMs === undefined ? undefined : world.now + deadlineMs);
    return world.state()!.isBreakerOpen;
  }

  it('is that it was not reached, and that it did not answer in a fair time', async () => {
    expect(await times('failed', LIMITS.breakerFairMs)).toBe(true);
    expect(await times('aborted', 5_000, 5_000)).toBe(true);
    expect(await times('aborted', LIMITS.breakerFairMs)).toBe(true);
    // A timer may fire a moment early.
    expect(await times('aborted', 4_999, 5_000)).toBe(true);
  });

  it('is not a time that was too short, nor a client that went away, nor any answer', async () => {
    // A port that is closed says so at once, and is asked again at once.
    expect(await times('failed', LIMITS.breakerFairMs - 1)).toBe(false);
    expect(await times('aborted', LIMITS.breakerFairMs - 1, LIMITS.breakerFairMs - 1)).toBe(false);
    expect(await times('aborted', LIMITS.breakerFairMs - 1)).toBe(false);
    expect(await times('aborted', 2_000, 5_000)).toBe(false);
    expect(await times('given-up', 10_000)).toBe(false);
    expect(await times('answered', 10_000, 5_000)).toBe(false);
  });
});
