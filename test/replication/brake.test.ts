import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { Brake } from '../../src/replication/brake.ts';

const REFUSED = new BridgeError('BACKEND_AUTH', 'the password was refused');

function make(): { readonly brake: Brake; readonly clock: { time: number; now: () => number } } {
  const clock = { time: 1_000_000, now: (): number => clock.time };
  return { clock, brake: new Brake(clock, { firstMs: 10_000, longestMs: 60_000 }) };
}

describe('the brake of a route', () => {
  it('lets everybody in until the server refuses us as a whole, then nobody', () => {
    const { brake, clock } = make();
    const passes = [brake.admit()!, brake.admit()!];
    expect(brake.refused(passes[0]!, REFUSED, 'exchange')).toBe(true);
    expect(brake.blocked).toMatchObject({ code: 'BACKEND_AUTH', reason: 'exchange: the password was refused' });
    expect(brake.blocked!.until - clock.time).toBeGreaterThanOrEqual(7_500);
    expect(brake.blocked!.until - clock.time).toBeLessThanOrEqual(12_500);
    expect(brake.admit()).toBeUndefined();
  });

  it('thirty turns that fail together are one refusal', () => {
    const { brake, clock } = make();
    const passes = Array.from({ length: 30 }, () => brake.admit()!);
    expect(passes.map((pass) => brake.refused(pass, REFUSED, 'exchange')).filter(Boolean)).toHaveLength(1);
    expect(brake.blocked!.until - clock.time).toBeLessThanOrEqual(12_500);
  });

  it('after the pause one tries, and its success lets everybody in', () => {
    const { brake, clock } = make();
    const early = brake.admit()!;
    brake.refused(brake.admit()!, REFUSED, 'exchange');
    clock.time = brake.blocked!.until;
    const trial = brake.admit()!;
    expect(trial.isTrial).toBe(true);
    expect(brake.admit()).toBeUndefined();
    // It began before the refusal, with what may have been good then.
    expect(brake.succeeded(early, ['exchange'])).toBe(false);
    expect(brake.succeeded(trial, ['zimbra', 'exchange'])).toBe(true);
    expect(brake.blocked).toBeUndefined();
    expect([brake.admit()?.isTrial, brake.admit()?.isTrial]).toEqual([false, false]);
  });

  it('a trial that is refused doubles the pause, up to the longest; a success forgets that', () => {
    const { brake, clock } = make();
    const pauses: number[] = [];
    brake.refused(brake.admit()!, REFUSED, 'exchange');
    for (let index = 0; index < 6; index += 1) {
      pauses.push(brake.blocked!.until - clock.time);
      clock.time = brake.blocked!.until;
      expect(brake.refused(brake.admit()!, REFUSED, 'exchange')).toBe(true);
    }
    for (const [index, about] of [10_000, 20_000, 40_000, 60_000, 60_000, 60_000].entries()) expect(Math.abs(pauses[index]! - about)).toBeLessThanOrEqual(about / 4);
    clock.time = brake.blocked!.until;
    brake.succeeded(brake.admit()!, ['exchange']);
    brake.refused(brake.admit()!, REFUSED, 'exchange');
    expect(brake.blocked!.until - clock.time).toBeLessThanOrEqual(12_500);
  });

  it('a trial that says nothing about the server leaves its place to the next', () => {
    const { brake, clock } = make();
    brake.refused(brake.admit()!, REFUSED, 'exchange');
    clock.time = brake.blocked!.until;
    brake.undecided(brake.admit()!);
    expect(brake.blocked).toBeDefined();
    expect(brake.admit()?.isTrial).toBe(true);
  });

  it('a trial that succeeds without having asked the system that refused leaves its place to the next, and the next refusal doubles the pause', () => {
    const { brake, clock } = make();
    brake.refused(brake.admit()!, REFUSED, 'exchange');
    clock.time = brake.blocked!.until;
    for (let index = 0; index < 3; index += 1) expect(brake.succeeded(brake.admit()!, ['zimbra'])).toBe(false);
    expect(brake.blocked).toMatchObject({ system: 'exchange' });
    expect(brake.refused(brake.admit()!, REFUSED, 'exchange')).toBe(true);
    expect(brake.blocked!.until - clock.time).toBeGreaterThanOrEqual(15_000);
  });

  it('where nobody said which system refused, any success lets everybody in', () => {
    const { brake, clock } = make();
    brake.refused(brake.admit()!, REFUSED, undefined);
    clock.time = brake.blocked!.until;
    expect(brake.succeeded(brake.admit()!, [])).toBe(true);
  });

  it('release lets everybody in, and what began before cannot pull the brake again', () => {
    const { brake, clock } = make();
    brake.refused(brake.admit()!, REFUSED, 'exchange');
    clock.time = brake.blocked!.until;
    const withOldPassword = brake.admit()!;
    expect(brake.release()).toBe(true);
    expect(brake.release()).toBe(false);
    expect(brake.refused(withOldPassword, REFUSED, 'exchange')).toBe(false);
    expect(brake.blocked).toBeUndefined();
  });

  it('waits as long as the server asks for', () => {
    const { brake, clock } = make();
    brake.refused(brake.admit()!, new BridgeError('BACKEND_AUTH', 'x', { retryAfterMs: 100_000 }), undefined);
    expect(brake.blocked!.until - clock.time).toBe(100_000);
  });
});
