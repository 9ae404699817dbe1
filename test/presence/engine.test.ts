import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/clock.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import { PresenceEngine } from '../../src/presence/engine.ts';
import type { EngineRules } from '../../src/presence/engine.ts';
import type { PresenceState } from '../../src/presence/presence.ts';
import { delayOf, placeOf, spreadSeconds } from '../../src/presence/spread.ts';
import { rules } from './rules.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;
const START = Date.UTC(2026, 10, 30, 8);

/** An engine under a clock that is moved by hand, second by second. */
class World {
  now = START;
  readonly shown: (readonly [minute: number, state: PresenceState | undefined])[] = [];
  readonly lags: (number | undefined)[] = [];
  readonly engine: PresenceEngine;

  constructor(more: Partial<EngineRules> = {}) {
    this.engine = new PresenceEngine({
      rules: rules(more),
      clock: { now: () => this.now },
      onChange: ({ shown }, lag) => {
        this.shown.push([(this.now - START) / MINUTE_MS, shown?.state]);
        this.lags.push(lag);
      },
    });
  }

  read(...busy: BusyInterval[]): void {
    this.engine.read(ANNA, freeBusyFrom(ANNA, { start: START - DAY_MS, end: START + 3 * DAY_MS }, { busy }));
  }

  /** Goes on to a minute after the start, running what is due on its instant. */
  to(minute: number): void {
    const end = START + minute * MINUTE_MS;
    for (let next = this.engine.next; next !== undefined && next <= end; next = this.engine.next) {
      this.now = Math.max(this.now, next);
      while (this.engine.run(100));
    }
    this.now = end;
  }
}

const busy = (from: number, to: number, busyType: BusyInterval['busyType'] = 'busy'): BusyInterval => ({ start: START + from * MINUTE_MS, end: START + to * MINUTE_MS, busyType });

describe('boundaries', () => {
  it('shows a meeting from its start to its end, on the instant', () => {
    const world = new World();
    world.engine.add(ANNA);
    world.read(busy(10, 40));
    world.to(60);
    expect(world.shown).toEqual([[0, 'available'], [10, 'in-a-meeting'], [40, 'available']]);
    expect(world.lags.slice(1)).toEqual([0, 0]);
  });

  it('overlaps, back-to-back, a stronger one in the middle: the end of one of two frees nobody', () => {
    const world = new World();
    world.engine.add(ANNA);
    world.read(busy(10, 40), busy(30, 70), busy(70, 90), busy(50, 60, 'oof'));
    world.to(120);
    expect(world.shown).toEqual([[0, 'available'], [10, 'in-a-meeting'], [50, 'away'], [60, 'in-a-meeting'], [90, 'available']]);
  });

  it('Free to Tentative and back is no change', () => {
    const world = new World();
    world.engine.add(ANNA);
    world.read(busy(10, 40, 'tentative'), busy(50, 60, 'working-elsewhere'));
    world.to(120);
    expect(world.shown).toEqual([[0, 'available']]);
  });

  it('what is not known is unknown, and never available', () => {
    const world = new World();
    world.engine.add(ANNA);
    world.read(busy(10, 40, 'no-data'));
    world.to(60);
    expect(world.shown).toEqual([[0, 'available'], [10, 'unknown'], [40, 'available']]);
    world.engine.lose(ANNA);
    expect(world.shown.at(-1)).toEqual([60, 'unknown']);
  });

  it('tells since when and until when, and what comes next', () => {
    const world = new World();
    world.engine.add(ANNA);
    world.read(busy(-5, 10), busy(30, 45), busy(45, 60, 'oof'));
    expect(world.engine.shownOf(ANNA)).toMatchObject({ state: 'in-a-meeting', since: START - 5 * MINUTE_MS, until: START + 10 * MINUTE_MS, text: 'In a meeting', next: { state: 'in-a-meeting', start: START + 30 * MINUTE_MS, end: START + 45 * MINUTE_MS } });
    world.to(20);
    expect(world.engine.shownOf(ANNA)).toMatchObject({ state: 'available', since: START + 10 * MINUTE_MS, until: START + 30 * MINUTE_MS });
    world.to(100);
    expect(world.engine.shownOf(ANNA)).toMatchObject({ state: 'available', until: null, next: null });
  });
});

describe('the spread', () => {
  const DELAY = delayOf(placeOf(ANNA), 50) / MINUTE_MS;

  it('shifts start and end alike, even of a meeting of one minute', () => {
    expect(DELAY).toBeGreaterThan(0);
    const world = new World({ spread: 50 });
    world.engine.add(ANNA);
    world.read(busy(10, 11));
    world.to(60);
    expect(world.shown).toEqual([[0, 'available'], [10 + DELAY, 'in-a-meeting'], [11 + DELAY, 'available']]);
  });

  it('does not hold back news: an appointment made or removed just now', () => {
    const world = new World({ spread: 50 });
    world.engine.add(ANNA);
    world.read();
    world.to(10 + 1 / 60);
    world.read(busy(10, 30));
    expect(world.shown.at(-1)).toEqual([10 + 1 / 60, 'in-a-meeting']);
    world.to(15);
    world.read();
    expect(world.shown.at(-1)).toEqual([15, 'available']);
  });

  it('goes on holding back a boundary while the calendar is read again', () => {
    const world = new World({ spread: 50 });
    world.engine.add(ANNA);
    world.read(busy(10, 30));
    world.to(10 + DELAY / 2);
    world.read(busy(10, 30), busy(100, 110));
    expect(world.shown).toEqual([[0, 'available']]);
    world.to(10 + DELAY);
    expect(world.shown.at(-1)).toEqual([10 + DELAY, 'in-a-meeting']);
  });

  it('says exactly what is so to whoever asks for it', () => {
    const world = new World({ spread: 50 });
    world.engine.add(ANNA);
    world.read(busy(10, 30));
    world.to(10);
    expect(world.engine.shownOf(ANNA)?.state).toBe('available');
    expect(world.engine.shownOf(ANNA, true)).toMatchObject({ state: 'in-a-meeting', since: START + 10 * MINUTE_MS });
  });

  it('is always the same for a mailbox, within its bound, and even over many', () => {
    const counts = new Array<number>(60).fill(0);
    for (let index = 0; index < 15_000; index++) {
      const delay = delayOf(placeOf(`user${index}@corp.example` as MailboxAddress), 59);
      expect(delay % SECOND_MS).toBe(0);
      counts[delay / SECOND_MS]! += 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(150);
    expect(Math.max(...counts)).toBeLessThan(360);
  });

  it('another one counts from the next change on, for what is planned too (A68)', () => {
    const world = new World({ spread: 50 });
    world.engine.add(ANNA);
    world.read(busy(10, 30));
    world.to(5);
    world.engine.setRules(rules({ spread: 0 }));
    world.to(20);
    world.engine.setRules(rules({ spread: 50 }));
    world.to(60);
    expect(world.shown).toEqual([[0, 'available'], [10, 'in-a-meeting'], [30 + DELAY, 'available']]);
  });

  it('auto is a second for every hundred users, at most 59', () => {
    expect([0, 1, 100, 101, 1000, 5000, 15_000].map((users) => spreadSeconds('auto', users))).toEqual([0, 1, 1, 2, 10, 50, 59]);
    expect(spreadSeconds(7, 15_000)).toBe(7);
  });
});

describe('a restart', () => {
  it('in the middle of a meeting is no change', () => {
    const world = new World({ spread: 50 });
    world.to(12);
    world.engine.add(ANNA, { shownBefore: 'in-a-meeting' });
    world.read(busy(10, 30));
    expect(world.shown).toEqual([[12, 'in-a-meeting']]);
    world.to(60);
    expect(world.shown.length).toBe(2);
  });

  it('right after an appointment made on the spot does not take it back for the spread', () => {
    const world = new World({ spread: 59 });
    world.to(10 + 1 / 60);
    world.engine.add(ANNA, { shownBefore: 'in-a-meeting' });
    world.read(busy(10, 30));
    expect(world.shown).toEqual([[10 + 1 / 60, 'in-a-meeting']]);
  });

  it('between boundary and delay still waits for the delay', () => {
    const world = new World({ spread: 50 });
    const delay = delayOf(placeOf(ANNA), 50) / MINUTE_MS;
    world.to(10 + delay / 2);
    world.engine.add(ANNA, { shownBefore: 'available' });
    world.read(busy(10, 30));
    expect(world.shown.at(-1)?.[1]).toBe('available');
    world.to(10 + delay);
    expect(world.shown.at(-1)).toEqual([10 + delay, 'in-a-meeting']);
  });

  it('shows nothing before the calendar is read', () => {
    const world = new World();
    world.engine.add(ANNA, { shownBefore: 'away' });
    expect(world.engine.shownOf(ANNA)).toBeUndefined();
    expect(world.shown).toEqual([]);
  });
});

it('a meeting that lasts longer now is told, without a change of state', () => {
  const world = new World();
  world.engine.add(ANNA);
  world.read(busy(-5, 30));
  world.to(10);
  world.read(busy(-5, 60));
  expect(world.shown).toEqual([[0, 'in-a-meeting'], [10, 'in-a-meeting']]);
  expect(world.engine.shownOf(ANNA)?.until).toBe(START + HOUR_MS);
  world.read(busy(-5, 60), busy(100, 110));
  expect(world.shown.length).toBe(2);
  world.to(70);
  world.read(busy(200, 300));
  expect(world.shown.slice(2)).toEqual([[60, 'available']]);
});

it('opting out is told, and nothing afterwards', () => {
  const world = new World();
  world.engine.add(ANNA);
  world.read(busy(10, 40));
  world.to(20);
  world.engine.remove(ANNA);
  world.to(60);
  expect(world.shown.slice(-1)).toEqual([[20, undefined]]);
  expect(world.engine.next).toBeUndefined();
});

/** presence.md §F.4: what is shown equals what brute force says, minute by minute and second by second. */
it('random calendars with random changes: what is shown is right at every second, and after news at once', () => {
  const interval = fc.record({ from: fc.integer({ min: -30, max: 100 }), length: fc.integer({ min: 0, max: 40 }), seconds: fc.integer({ min: 0, max: 59 }), busyType: fc.constantFrom('busy', 'oof', 'tentative', 'no-data', 'free' as const) });
  const calendar = fc.array(interval, { maxLength: 8 });
  fc.assert(
    fc.property(calendar, fc.array(fc.record({ at: fc.integer({ min: 1, max: 110 * 60 }), calendar }), { maxLength: 4 }), fc.integer({ min: 0, max: 59 }), (first, changes, spread) => {
      const world = new World({ spread });
      const delay = delayOf(placeOf(ANNA), spread);
      const stretches = (of: typeof first): BusyInterval[] => of.filter(({ length }) => length > 0).map(({ from, length, seconds, busyType }) => ({ start: START + from * MINUTE_MS + seconds * SECOND_MS, end: START + (from + length) * MINUTE_MS, busyType })).filter(({ start, end }) => start < end);
      const RANK = ['free', 'no-data', 'working-elsewhere', 'tentative', 'busy', 'oof'];
      const STATE: Readonly<Record<string, PresenceState>> = { free: 'available', 'no-data': 'unknown', tentative: 'available', busy: 'in-a-meeting', oof: 'away' };
      const truth = (of: readonly BusyInterval[], at: number): PresenceState => STATE[of.filter(({ start, end }) => start <= at && at < end).map(({ busyType }) => busyType).reduce((a, b) => (RANK.indexOf(a) > RANK.indexOf(b) ? a : b), 'free' as BusyInterval['busyType'])]!;
      let current = stretches(first);
      let floor = START;
      world.engine.add(ANNA);
      world.read(...current);
      const pending = [...changes].sort((a, b) => a.at - b.at);
      for (let second = 1; second <= 120 * 60; second += 7) {
        world.to(second / 60);
        while (pending[0] !== undefined && pending[0].at <= second) {
          const next = stretches(pending.shift()!.calendar);
          if (truth(next, world.now) !== truth(current, world.now)) floor = world.now;
          current = next;
          world.read(...current);
        }
        expect(world.engine.shownOf(ANNA)?.state).toBe(truth(current, Math.max(world.now - delay, floor)));
        expect(world.engine.shownOf(ANNA, true)?.state).toBe(truth(current, world.now));
        const { until } = world.engine.shownOf(ANNA, true)!;
        if (until !== null) {
          expect(truth(current, until)).not.toBe(truth(current, world.now));
          expect(truth(current, until - 1)).toBe(truth(current, world.now));
        }
      }
    }),
    { numRuns: 60 },
  );
});

it('a clock that is set back shows what is so then, not what was news before', () => {
  const world = new World();
  world.engine.add(ANNA);
  world.read(busy(85, 120));
  world.to(90);
  world.engine.setOwn(ANNA, {});
  expect(world.shown.at(-1)?.[1]).toBe('in-a-meeting');
  world.now = START + 70 * MINUTE_MS;
  world.engine.setRules(rules({ spread: 1 }));
  expect(world.shown.at(-1)?.[1]).toBe('available');
});
