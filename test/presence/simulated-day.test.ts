import { afterEach, expect, it, vi } from 'vitest';
import { MINUTE_MS } from '../../src/core/clock.ts';
import { LIMITS } from '../../src/core/limits.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import type { PresenceState } from '../../src/presence/presence.ts';
import { DeskWorld, START, away, busy } from './desk-world.ts';

/** The "Done when": 15,000 users, overlaps, restarts, lost notifications; nobody ends in a wrong state. */

const USERS = 15_000;
const HOURS = 9;

/** A small generator with a seed, so that a day that fails can be had again. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let world: DeskWorld;
afterEach(async () => {
  await world.desk.close(0);
  vi.useRealTimers();
});

const RANK = ['free', 'no-data', 'working-elsewhere', 'tentative', 'busy', 'oof'];
const STATE: Readonly<Record<BusyInterval['busyType'], PresenceState>> = { free: 'available', 'no-data': 'unknown', 'working-elsewhere': 'available', tentative: 'available', busy: 'in-a-meeting', oof: 'away' };

/** By brute force, from the calendar as it stands in the server. */
function truth(calendar: readonly BusyInterval[], at: number): PresenceState {
  let strongest: BusyInterval['busyType'] = 'free';
  for (const { start, end, busyType } of calendar) if (start <= at && at < end && RANK.indexOf(busyType) > RANK.indexOf(strongest)) strongest = busyType;
  return STATE[strongest];
}

it('a day of 15,000 people with overlaps, restarts, outages and lost notifications leaves nobody in a wrong state', async () => {
  const random = seeded(20_261_129);
  const any = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const meeting = (): BusyInterval => {
    // Most meetings begin on the hour or the half: that is where the load is.
    const from = random() < 0.7 ? any(0, HOURS * 2) * 30 : any(0, HOURS * 60);
    const type = random();
    return busy(from, from + any(1, 4) * (random() < 0.8 ? 30 : 7), type < 0.7 ? 'busy' : type < 0.8 ? 'oof' : type < 0.95 ? 'tentative' : 'working-elsewhere');
  };
  world = new DeskWorld({ calendarSpread: 59 });
  const people: MailboxAddress[] = [];
  for (let index = 0; index < USERS; index++) people.push(world.put(`user${index}@corp.example`, ...Array.from({ length: any(0, 7) }, meeting)));
  // Of each person: when a change was lost, for it may be found an hour later.
  const lostAt = new Map<MailboxAddress, number>();
  await world.apply();
  await vi.advanceTimersByTimeAsync(60_000);

  const wrongNow = (): string[] => {
    const now = Date.now();
    const seen = world.publishers[0]!.seen;
    return people.flatMap((mailbox) => {
      const calendar = world.source.calendars.get(mailbox)!;
      const shown = seen.get(mailbox)?.state;
      // Right is what was so at some instant of the last minute: the spread.
      for (let at = now; at >= now - 60_000; at -= 1_000) if (truth(calendar, at) === shown) return [];
      return now - (lostAt.get(mailbox) ?? -Infinity) < LIMITS.presenceSafetyPollMs + 60_000 ? [] : [`${mailbox} shows ${String(shown)}`];
    });
  };

  for (let minute = 1; minute <= HOURS * 60; minute++) {
    // Two hundred changes a minute, a quarter of whose notifications get lost.
    for (let change = 0; change < 200; change++) {
      const mailbox = people[any(0, USERS - 1)]!;
      const calendar = world.source.calendars.get(mailbox)!;
      const next = random() < 0.6 || calendar.length === 0 ? [...calendar, meeting()] : calendar.filter((_one, index) => index !== any(0, calendar.length - 1));
      const isLost = random() < 0.25;
      if (isLost) lostAt.set(mailbox, Date.now());
      world.change(mailbox, isLost, ...next);
    }
    if (minute % 120 === 60) await world.restart();
    // Exchange away for five minutes: what it would have told then is lost.
    if (minute % 180 === 90) world.source.failure = away();
    if (minute % 180 === 95) world.source.failure = undefined;
    // The presence server away for three.
    if (minute % 150 === 70) world.publishers[0]!.failure = away();
    if (minute % 150 === 73) world.publishers[0]!.failure = undefined;
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    const isQuiet = minute % 180 > 97 || minute % 180 < 90;
    if (minute % 45 === 30 && isQuiet && (minute % 150 < 70 || minute % 150 > 76)) expect(wrongNow()).toEqual([]);
  }
  // An hour without changes: everything lost has been found.
  await vi.advanceTimersByTimeAsync(LIMITS.presenceSafetyPollMs + 2 * MINUTE_MS);
  lostAt.clear();
  expect(wrongNow()).toEqual([]);
  expect(world.desk.status()).toMatchObject({ optedIn: USERS, readsWaiting: 0 });
  expect(Date.now()).toBeGreaterThan(START);
}, 180_000);
