import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import type { FreeBusy } from '../../src/freebusy/free-busy.ts';
import { DEFAULT_PRESENCE_MAPPING } from '../../src/presence/mapping.ts';
import { Timeline } from '../../src/presence/timeline.ts';
import { ANNA, anyStretch, at, minuteOf, span, WINDOW } from '../freebusy/oracle.ts';

const presenceAt = (freeBusy: FreeBusy, now: number, mapping = DEFAULT_PRESENCE_MAPPING) => {
  const timeline = Timeline.of(freeBusy, mapping, now);
  return { state: timeline.stateAt(now), until: timeline.changeAfter(now) ?? null };
};
const presence = (busy: readonly BusyInterval[], minute: number): unknown => {
  const { state, until } = presenceAt(freeBusyFrom(ANNA, WINDOW, { busy }), at(minute));
  return [state, until === null ? null : (until - at(0)) / 60_000];
};
const one = (busyType: string): readonly BusyInterval[] => [{ ...span(100, 200), busyType } as BusyInterval];

/** presence.md §C.1, the columns "Calendar state" and "IM&P (seed)"; no data is withdrawn there, which is `unknown` here. */
const ROWS = [
  ['free', 'available'],
  ['tentative', 'available'],
  ['busy', 'in-a-meeting'],
  ['oof', 'away'],
  ['working-elsewhere', 'available'],
  ['no-data', 'unknown'],
] as const;

describe('the mapping of presence.md §C.1', () => {
  it.each(ROWS)('%s is %s', (busyType, state) => {
    expect(DEFAULT_PRESENCE_MAPPING[busyType]).toBe(state);
    expect(presence(one(busyType), 150)).toEqual([state, state === 'available' ? null : 200]);
  });

  it('has these rows and no other', () => {
    expect(Object.keys(DEFAULT_PRESENCE_MAPPING).sort()).toEqual(ROWS.map(([busyType]) => busyType).sort());
  });

  it('can be changed by a site', () => {
    const mapping = { ...DEFAULT_PRESENCE_MAPPING, tentative: 'in-a-meeting' } as const;
    expect(presenceAt(freeBusyFrom(ANNA, WINDOW, { busy: one('tentative') }), at(150), mapping)).toEqual({ state: 'in-a-meeting', until: at(200) });
  });
});

describe('when a state ends', () => {
  it('back-to-back meetings are one, and so are free and tentative', () => {
    const busy = [{ ...span(100, 120), busyType: 'busy' }, { ...span(120, 150), busyType: 'busy' }, { ...span(150, 160), busyType: 'tentative' }, { ...span(180, 190), busyType: 'working-elsewhere' }, { ...span(200, 210), busyType: 'busy' }] as const;
    expect(presence(busy, 110)).toEqual(['in-a-meeting', 150]);
    expect(presence(busy, 90)).toEqual(['available', 100]);
    expect(presence(busy, 155)).toEqual(['available', 200]);
  });

  it('overlapping meetings end with the last of them', () => {
    const busy = [{ ...span(100, 150), busyType: 'busy' }, { ...span(110, 120), busyType: 'busy' }, { ...span(140, 180), busyType: 'busy' }] as const;
    expect(presence(busy, 115)).toEqual(['in-a-meeting', 180]);
  });

  it('to the millisecond: a meeting begins at its start and is over at its end', () => {
    const freeBusy = freeBusyFrom(ANNA, WINDOW, { busy: one('busy') });
    expect(presenceAt(freeBusy, at(100) - 1)).toEqual({ state: 'available', until: at(100) });
    expect(presenceAt(freeBusy, at(100))).toEqual({ state: 'in-a-meeting', until: at(200) });
    expect(presenceAt(freeBusy, at(200) - 1)).toEqual({ state: 'in-a-meeting', until: at(200) });
    expect(presenceAt(freeBusy, at(200))).toEqual({ state: 'available', until: null });
  });

  it('is not known where it lasts to the end of what is known', () => {
    expect(presence([{ ...span(100, 300), busyType: 'oof' }], 150)).toEqual(['away', null]);
  });

  it('a meeting that ends in the unknown ends there', () => {
    expect(presence([{ ...span(100, 120), busyType: 'busy' }, { ...span(120, 300), busyType: 'no-data' }], 110)).toEqual(['in-a-meeting', 120]);
  });

  it('outside of what is known it is unknown', () => {
    for (const minute of [300, 1000]) expect(presence([], minute)).toEqual(['unknown', null]);
    // Before it, it is known when something will be known.
    for (const minute of [0, 59]) expect(presence([], minute)).toEqual(['unknown', 60]);
    expect(presence([], 60)).toEqual(['available', null]);
  });

  it('equals a search minute by minute, whatever the calendar', () => {
    const state = (busyType: string): string => ROWS.find(([name]) => name === busyType)![1];
    fc.assert(
      fc.property(fc.array(anyStretch, { maxLength: 10 }) as fc.Arbitrary<BusyInterval[]>, fc.integer({ min: 60, max: 299 }), (busy, now) => {
        const current = state(minuteOf(now, busy));
        let end = now;
        while (end < 300 && state(minuteOf(end, busy)) === current) end++;
        expect(presence(busy, now)).toEqual([current, end === 300 ? null : end]);
      }),
      { numRuns: 500 },
    );
  });
});
