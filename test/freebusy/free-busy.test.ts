import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeBusyFrom, joinPieces, unknownFreeBusy } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../src/freebusy/free-busy.ts';
import { ANNA, anyEvent, anyStretch, at, MINUTE, minuteOf, span, WINDOW } from './oracle.ts';
import type { Stretch } from './oracle.ts';

const stretches = fc.array(anyStretch, { maxLength: 12 }) as fc.Arbitrary<BusyInterval[]>;
const known = fc.option(fc.array(fc.record({ start: fc.integer({ min: 0, max: 360 }).map(at), end: fc.integer({ min: 0, max: 360 }).map(at) }), { maxLength: 4 }), { nil: undefined });

const minutes = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** What the answer says minute by minute: by scanning, without the code under test. */
const read = (freeBusy: FreeBusy): readonly string[] => minutes(60, 300).map((minute) => minuteOf(minute, freeBusy.busy));

function expectCanonical({ busy, window }: FreeBusy): void {
  for (const [index, one] of busy.entries()) {
    expect(one.start).toBeLessThan(one.end);
    expect(one.start).toBeGreaterThanOrEqual(window.start);
    expect(one.end).toBeLessThanOrEqual(window.end);
    expect(one.busyType).not.toBe('free');
    const next = busy[index + 1];
    if (next === undefined) continue;
    expect(next.start).toBeGreaterThanOrEqual(one.end);
    if (next.start === one.end) expect(next.busyType).not.toBe(one.busyType);
  }
}

describe('free/busy made from what a source said', () => {
  it('is, minute by minute, the strongest of what covers it, and no data where nobody spoke', () => {
    fc.assert(
      fc.property(stretches, fc.array(anyEvent, { maxLength: 8 }), known, (busy, events, spoken) => {
        const made = freeBusyFrom(ANNA, WINDOW, { busy, events, ...(spoken === undefined ? {} : { known: spoken }) });
        expectCanonical(made);
        const counted: Stretch[] = [...busy, ...events.filter((event) => event.isCancelled !== true && event.ownReply !== 'declined')];
        expect(read(made)).toEqual(minutes(60, 300).map((minute) => minuteOf(minute, counted, spoken)));
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of what was said, nor changes when made again', () => {
    fc.assert(
      fc.property(stretches.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }))), ([list, shuffled]) => {
        const made = freeBusyFrom(ANNA, WINDOW, { busy: list });
        expect(freeBusyFrom(ANNA, WINDOW, { busy: shuffled })).toEqual(made);
        expect(freeBusyFrom(ANNA, WINDOW, { busy: made.busy })).toEqual(made);
      }),
    );
  });

  it('keeps the events as they came, cancelled and overlapping ones too', () => {
    const events = [
      { ...span(30, 90), busyType: 'busy', subject: 'b', isCancelled: true },
      { ...span(0, 400), busyType: 'oof', subject: 'a', isPrivate: true },
    ] as const;
    expect(freeBusyFrom(ANNA, WINDOW, { events }).events).toEqual(events);
    expect(freeBusyFrom(ANNA, WINDOW, { busy: [] })).toEqual({ mailbox: ANNA, window: WINDOW, busy: [] });
  });

  it('joins neighbours of one type, and only those', () => {
    const made = freeBusyFrom(ANNA, WINDOW, {
      busy: [
        { ...span(90, 120), busyType: 'busy' },
        { ...span(60, 90), busyType: 'busy' },
        { ...span(120, 150), busyType: 'oof' },
        { ...span(151, 180), busyType: 'oof' },
      ],
    });
    expect(made.busy).toEqual([
      { ...span(60, 120), busyType: 'busy' },
      { ...span(120, 150), busyType: 'oof' },
      { ...span(151, 180), busyType: 'oof' },
    ]);
  });

  it('is no data from end to end where nothing is known, and never free', () => {
    expect(unknownFreeBusy(ANNA, WINDOW).busy).toEqual([{ ...WINDOW, busyType: 'no-data' }]);
  });

  it('never lets an event whose times cannot be read pass as free time', () => {
    const made = freeBusyFrom(ANNA, WINDOW, { events: [{ start: NaN, end: at(120), busyType: 'busy' }] });
    expect(made.busy.length).toBeGreaterThan(0);
  });

  it('takes 50,000 overlapping events in a moment', () => {
    const events = Array.from({ length: 50_000 }, (_, index) => ({ ...span(60 + (index % 200), 300 - (index % 37)), busyType: 'busy' }) as const);
    expect(freeBusyFrom(ANNA, WINDOW, { events }).busy).toEqual([{ ...WINDOW, busyType: 'busy' }]);
  });
});

describe('pieces of one window', () => {
  const pieces = [span(60, 140), span(140, 220), span(220, 300)] as const;

  it('join to what one answer would have been; a piece that failed is no data', () => {
    fc.assert(
      fc.property(stretches, fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), (busy, came) => {
        const joined = joinPieces(ANNA, WINDOW, pieces.map((window, index) => ({ window, freeBusy: came[index]! ? freeBusyFrom(ANNA, window, { busy }) : undefined })));
        expectCanonical(joined);
        const answered = pieces.filter((_, index) => came[index]!);
        expect(read(joined)).toEqual(minutes(60, 300).map((minute) => minuteOf(minute, answered.some((one) => one.start <= at(minute) && at(minute) < one.end) ? busy : [], answered)));
      }),
      { numRuns: 300 },
    );
  });

  it('keep an event once that lies over a seam, and two different ones at the same time both', () => {
    const over = { ...span(130, 150), busyType: 'busy', id: '1', subject: 'a' } as const;
    const other = { ...over, id: '2' } as const;
    const made = pieces.map((window) => ({ window, freeBusy: freeBusyFrom(ANNA, window, { events: window.start < at(220) ? [over, other] : [] }) }));
    const joined = joinPieces(ANNA, WINDOW, made);
    expect(joined.events).toEqual([over, other]);
    expect(joined.busy).toEqual([{ ...span(130, 150), busyType: 'busy' }]);
  });

  it('take working hours from whichever piece has them', () => {
    const workingHours = { timeZone: { bias: 0 }, periods: [] } as never;
    const joined = joinPieces(ANNA, WINDOW, [
      { window: pieces[0], freeBusy: undefined },
      { window: pieces[1], freeBusy: freeBusyFrom(ANNA, pieces[1], { workingHours }) },
      { window: pieces[2], freeBusy: freeBusyFrom(ANNA, pieces[2], {}) },
    ]);
    expect(joined.workingHours).toBe(workingHours);
  });

  it('are no data where an answer reaches less far than its piece, and where no piece lies', () => {
    const joined = joinPieces(ANNA, WINDOW, [
      { window: pieces[0], freeBusy: freeBusyFrom(ANNA, span(60, 100), {}) },
      { window: pieces[1], freeBusy: freeBusyFrom(ANNA, pieces[1], {}) },
    ]);
    expect(joined.busy).toEqual([
      { ...span(100, 140), busyType: 'no-data' },
      { ...span(220, 300), busyType: 'no-data' },
    ]);
  });

  it('touch to the millisecond', () => {
    const cut = WINDOW.start + 80 * MINUTE + 1;
    const joined = joinPieces(ANNA, WINDOW, [
      { window: { start: WINDOW.start, end: cut }, freeBusy: freeBusyFrom(ANNA, { start: WINDOW.start, end: cut }, { busy: [{ ...WINDOW, busyType: 'busy' }] }) },
      { window: { start: cut, end: WINDOW.end }, freeBusy: undefined },
    ]);
    expect(joined.busy).toEqual([
      { start: WINDOW.start, end: cut, busyType: 'busy' },
      { start: cut, end: WINDOW.end, busyType: 'no-data' },
    ]);
  });
});
