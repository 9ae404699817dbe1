import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { Renewals } from '../../../src/protocols/sip/renewals.ts';

const MINUTE = 60_000;
const mailbox = (index: number): MailboxAddress => `p${index}@corp.example` as MailboxAddress;

function wheel(inFlight: number, renew: (mailbox: MailboxAddress) => Promise<void> = async () => undefined): { readonly renewals: Renewals; readonly renewed: string[]; readonly clock: { time: number } } {
  const clock = { time: 1_000_000, now: () => clock.time };
  const renewed: string[] = [];
  const renewals = new Renewals({
    clock,
    inFlight,
    renew: async (one) => {
      renewed.push(one);
      await renew(one);
    },
  });
  return { renewals, renewed, clock };
}

describe('renewals', () => {
  it('are spread over the third quarter of a life', () => {
    const { renewals, renewed, clock } = wheel(10_000);
    for (let index = 0; index < 5_000; index++) renewals.planWithin(mailbox(index), 60 * MINUTE);
    const start = clock.time;
    const perMinute: number[] = [];
    for (let minute = 0; minute < 60; minute++) {
      clock.time = start + minute * MINUTE;
      const before = renewed.length;
      renewals.turn();
      perMinute.push(renewed.length - before);
    }
    expect(renewed).toHaveLength(5_000);
    expect(perMinute.slice(0, 30).every((count) => count === 0)).toBe(true);
    expect(perMinute.slice(47).every((count) => count === 0)).toBe(true);
    // 5,000 over 15 minutes; nobody's minute has twice its share.
    expect(Math.max(...perMinute)).toBeLessThan(667);
  });

  it('wait in line for room', async () => {
    const done: (() => void)[] = [];
    const { renewals, renewed, clock } = wheel(2, () => new Promise((resolve) => done.push(resolve)));
    for (let index = 0; index < 5; index++) renewals.planAt(mailbox(index), clock.time);
    clock.time += 2_000;
    renewals.turn();
    expect(renewed).toHaveLength(2);
    done.shift()!();
    await nextTurn();
    expect(renewed).toHaveLength(3);
  });

  it('come once, at the latest plan; not for who was forgotten, nor for who was planned anew while waiting', async () => {
    const done: (() => void)[] = [];
    const { renewals, renewed, clock } = wheel(1, () => new Promise((resolve) => done.push(resolve)));
    for (const index of [0, 1, 2]) renewals.planAt(mailbox(index), clock.time + 1_000);
    renewals.planAt(mailbox(3), clock.time + 1_000);
    renewals.planAt(mailbox(3), clock.time + 10 * MINUTE);
    renewals.forget(mailbox(2));
    clock.time += 3_000;
    renewals.turn();
    expect(renewed).toEqual([mailbox(0)]);
    renewals.planAt(mailbox(1), clock.time + 10 * MINUTE);
    done.shift()!();
    await nextTurn();
    expect(renewed).toEqual([mailbox(0)]);
    expect(renewals.size).toBe(2);
    clock.time += 11 * MINUTE;
    renewals.turn();
    done.shift()!();
    await nextTurn();
    expect(renewed).toEqual([mailbox(0), mailbox(3), mailbox(1)]);
    expect(renewals.size).toBe(0);
  });

  it('that came due while the machine slept for a month come all', () => {
    const { renewals, renewed, clock } = wheel(100);
    for (let index = 0; index < 50; index++) renewals.planWithin(mailbox(index), 60 * MINUTE);
    clock.time += 30 * 24 * 60 * MINUTE;
    renewals.turn();
    expect(renewed).toHaveLength(50);
    // The past is the next second.
    renewals.planAt(mailbox(0), 0);
    clock.time += 1_000;
    renewals.turn();
    expect(renewed).toHaveLength(51);
  });
});
