import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval, CalendarEvent } from '../../src/freebusy/free-busy.ts';
import { overlaps } from '../../src/freebusy/interval.ts';
import type { Interval } from '../../src/freebusy/interval.ts';
import { AnswerCache } from '../../src/lookup/answer-cache.ts';
import type { GoodResult } from '../../src/lookup/answer-cache.ts';
import type { QuestionKind } from '../../src/lookup/question.ts';
import { ANNA, at, KIM, minuteOf, ORIGIN, span, WINDOW } from '../freebusy/oracle.ts';

const SYSTEMS = ['corp', 'zimbra'] as const;
const MAILBOXES = [ANNA, KIM, 'lee@corp.example' as MailboxAddress];
const PLAIN: QuestionKind = { details: false, workingHours: false, hops: 0 };

/** One answer as the oracle remembers it: what it said of every minute of its window. */
interface Told {
  readonly system: string;
  readonly mailbox: MailboxAddress;
  readonly kind: QuestionKind;
  readonly window: Interval;
  readonly begunAt: number;
  readonly minutes: ReadonlyMap<number, string>;
}

const minutesOf = (window: Interval): readonly number[] => Array.from({ length: (window.end - window.start) / 60_000 }, (_, index) => (window.start - ORIGIN) / 60_000 + index);
const kind = fc.oneof({ weight: 3, arbitrary: fc.constant(PLAIN) }, { weight: 2, arbitrary: fc.record({ details: fc.boolean(), workingHours: fc.boolean(), hops: fc.constantFrom(0, 0, 1) }) });
const window = fc.tuple(fc.constantFrom(0, 0, 5, 10, 20), fc.constantFrom(5, 10, 20, 30, 40)).map(([from, length]) => span(from, from + length));
const whose = { system: fc.constantFrom('corp', ...SYSTEMS), mailbox: fc.constantFrom(ANNA, ANNA, ...MAILBOXES) };
const stretch = fc.record({ from: fc.integer({ min: 0, max: 55 }), length: fc.integer({ min: 1, max: 20 }), busyType: fc.constantFrom('busy', 'tentative', 'oof', 'no-data') });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('keep' as const), ...whose, kind, window, tookMs: fc.constantFrom(0, 0, 3_000), stretches: fc.array(stretch, { maxLength: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('ask' as const), ...whose, kind, window, maxAgeMs: fc.constantFrom(0, 5_000, 15_000, 60_000, 60_000) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('change' as const), system: fc.option(whose.system, { nil: undefined }), mailboxes: fc.option(fc.subarray(MAILBOXES), { nil: undefined }) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.constantFrom(1, 2_500, 4_999, 15_000, 70_000, -30_000) }) },
);

describe('what is kept', () => {
  it('is never too old, of before a change, another’s, beyond its window, or unknown; and what is left is what an answer said, event by event', () => {
    let hits = 0;
    let stales = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
        let now = at(10_000);
        const cache = new AnswerCache({ now: () => now });
        let told: Told[] = [];
        for (const one of steps) {
          if (one.what === 'pass') now += one.ms;
          else if (one.what === 'change') {
            cache.forget(one.system, one.mailboxes);
            told = told.filter(({ system, mailbox }) => one.system !== undefined && (system !== one.system || (one.mailboxes !== undefined && !one.mailboxes.includes(mailbox))));
          } else if (one.what === 'keep') {
            const { system, mailbox } = one;
            const stretches = one.stretches.map(({ from, length, busyType }) => ({ ...span(from, from + length), busyType }));
            const events: readonly CalendarEvent[] = stretches.filter((stretch) => stretch.busyType !== 'no-data' && overlaps(stretch, one.window));
            const freeBusy = { ...freeBusyFrom(mailbox, one.window, { busy: stretches }), ...(one.kind.details ? { events } : {}) };
            const begunAt = now - one.tookMs;
            cache.keep(system, one.kind, begunAt, { mailbox, freeBusy, asOf: begunAt });
            told.push({ system, mailbox, kind: one.kind, window: one.window, begunAt, minutes: new Map(minutesOf(one.window).map((minute) => [minute, minuteOf(minute, stretches)])) });
            const isWhole = freeBusy.busy.every(({ busyType }) => busyType !== 'no-data');
            if (isWhole && one.tookMs === 0) expect(cache.fresh(system, mailbox, one.window, one.kind, 1)).toBeDefined();
          } else {
            const { system, mailbox, maxAgeMs } = one;
            const mine = told.filter((other) => other.system === system && other.mailbox === mailbox && other.kind.hops === one.kind.hops && now - other.begunAt >= 0 && now - other.begunAt < maxAgeMs);
            const fresh = cache.fresh(system, mailbox, one.window, one.kind, maxAgeMs);
            if (fresh !== undefined) {
              hits += 1;
              wellFormed(fresh, mailbox, one.window);
              // Some answer that was allowed said exactly this, knew all of it, and had all that is wanted.
              const said = mine.filter((other) => other.begunAt === fresh.asOf && (other.kind.details || !one.kind.details) && (other.kind.workingHours || !one.kind.workingHours));
              expect(said.some(({ minutes }) => minutesOf(one.window).every((minute) => minutes.get(minute) !== undefined && minutes.get(minute) !== 'no-data' && minutes.get(minute) === shown(fresh, minute)))).toBe(true);
            }
            const stale = cache.stale(system, mailbox, one.window, one.kind, maxAgeMs);
            expect(stale === undefined || stale.stale === true).toBe(true);
            if (stale !== undefined) {
              stales += 1;
              wellFormed(stale, mailbox, one.window);
              // Every minute is what some allowed answer said of it, or unknown; never free by default.
              for (const minute of minutesOf(one.window)) if (shown(stale, minute) !== 'no-data') expect(mine.some(({ minutes, begunAt }) => begunAt >= stale.asOf && minutes.get(minute) === shown(stale, minute))).toBe(true);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
    // A cache that never answers would pass.
    expect(hits).toBeGreaterThan(100);
    expect(stales).toBeGreaterThan(100);
  });

  const shown = ({ freeBusy }: GoodResult, minute: number): string => freeBusy.busy.find((one) => one.start <= at(minute) && at(minute) < one.end)?.busyType ?? 'free';
  const wellFormed = ({ mailbox, freeBusy }: GoodResult, wanted: MailboxAddress, over: Interval): void => {
    expect([mailbox, freeBusy.mailbox, freeBusy.window]).toEqual([wanted, wanted, over]);
    for (const one of freeBusy.busy) expect(one.start >= over.start && one.end <= over.end && one.start < one.end).toBe(true);
    for (const event of freeBusy.events ?? []) expect(event.start < over.end && event.end > over.start).toBe(true);
  };
});

describe('the cache', () => {
  const answer = (busy: readonly BusyInterval[] = [], over: Interval = WINDOW, mailbox = ANNA): GoodResult => ({ mailbox, freeBusy: freeBusyFrom(mailbox, over, { busy }), asOf: at(0) });

  it('answers what is known inside an answer with a hole, and nothing that touches the hole', () => {
    const cache = new AnswerCache({ now: () => at(0) });
    cache.keep('corp', PLAIN, at(0), answer([{ ...span(100, 120), busyType: 'no-data' }, { ...span(60, 70), busyType: 'busy' }]));
    const has = (from: number, to: number): boolean => cache.fresh('corp', ANNA, span(from, to), PLAIN, 1) !== undefined;
    expect([has(60, 100), has(120, 300), has(60, 101), has(119, 300), has(105, 110), has(60, 300)]).toEqual([true, true, false, false, false, false]);
  });

  it('keeps nothing of which nothing is known, nor what its source calls stale', () => {
    const cache = new AnswerCache({ now: () => at(0) });
    cache.keep('corp', PLAIN, at(0), answer([{ ...WINDOW, busyType: 'no-data' }]));
    cache.keep('corp', PLAIN, at(0), { ...answer(), stale: true });
    expect(cache.size).toEqual({ mailboxes: 0, weight: 0 });
  });

  it('where an answer has a hole, fills it from an older one for those who take stale answers; its age is the oldest one’s', () => {
    let now = at(0);
    const cache = new AnswerCache({ now: () => now });
    cache.keep('corp', PLAIN, now, answer([{ ...span(60, 200), busyType: 'busy' }]));
    now = at(1);
    cache.keep('corp', PLAIN, now, { ...answer([{ ...span(100, 110), busyType: 'no-data' }, { ...span(150, 160), busyType: 'oof' }]), asOf: at(1) });
    expect(cache.stale('corp', ANNA, span(60, 400), PLAIN, 600_000)).toEqual({
      mailbox: ANNA,
      asOf: at(0),
      stale: true,
      freeBusy: { mailbox: ANNA, window: span(60, 400), busy: [{ ...span(100, 110), busyType: 'busy' }, { ...span(150, 160), busyType: 'oof' }, { ...span(300, 400), busyType: 'no-data' }] },
    });
  });

  it('an answer that was long on its way takes the place of none that was asked for later', () => {
    const cache = new AnswerCache({ now: () => at(2) });
    cache.keep('corp', PLAIN, at(1), answer([{ ...span(100, 110), busyType: 'busy' }]));
    cache.keep('corp', PLAIN, at(0), answer([]));
    for (const given of [cache.fresh('corp', ANNA, WINDOW, PLAIN, 600_000), cache.stale('corp', ANNA, WINDOW, PLAIN, 600_000)]) expect(given!.freeBusy.busy).toEqual([{ ...span(100, 110), busyType: 'busy' }]);
  });

  it('is bounded in mailboxes, in answers of one, and in weight; who was not asked about for the longest time goes first', () => {
    const cache = new AnswerCache({ now: () => at(0) });
    const empty = answer();
    const names = Array.from({ length: LIMITS.cachedMailboxes }, (_, index) => `u${index}@corp.example` as MailboxAddress);
    for (const name of names) cache.keep('corp', PLAIN, at(0), { ...empty, mailbox: name });
    expect(cache.fresh('corp', names[0]!, WINDOW, PLAIN, 1)).toBeDefined();
    cache.keep('corp', PLAIN, at(0), answer([], WINDOW, ANNA));
    expect([cache.size.mailboxes, cache.fresh('corp', names[1]!, WINDOW, PLAIN, 1)]).toEqual([LIMITS.cachedMailboxes, undefined]);
    expect(cache.fresh('corp', names[0]!, WINDOW, PLAIN, 1)).toBeDefined();
    cache.forget();
    expect(cache.size).toEqual({ mailboxes: 0, weight: 0 });

    for (let day = 0; day < 50; day++) cache.keep('corp', PLAIN, at(0), answer([], span(day * 1_440, day * 1_440 + 60)));
    expect(cache.size.weight).toBeLessThan(50);

    const crowded = Array.from({ length: 5_000 }, (_, index): BusyInterval => ({ ...span(60 + index * 2, 61 + index * 2), busyType: 'busy' }));
    const { freeBusy } = answer(crowded, span(60, 20_000));
    for (const name of names.slice(0, 200)) cache.keep('corp', PLAIN, at(0), { mailbox: name, freeBusy: { ...freeBusy, mailbox: name }, asOf: at(0) });
    expect(cache.size.weight).toBeLessThanOrEqual(LIMITS.cachedWeight);
    expect(cache.size.mailboxes).toBeGreaterThan(50);
    const before = cache.size;
    const huge = Array.from({ length: LIMITS.cachedWeightPerAnswer }, (_, index): BusyInterval => ({ ...span(index * 2, index * 2 + 1), busyType: 'busy' }));
    cache.keep('corp', PLAIN, at(0), answer(huge, span(0, 100_000), KIM));
    expect(cache.size).toEqual(before);
    cache.forget('corp');
    expect(cache.size).toEqual({ mailboxes: 0, weight: 0 });
  });
});
