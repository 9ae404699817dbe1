import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BusyType } from '../../src/freebusy/busy-type.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import { slotCount, slotRanks, slotString, stretchesFromSlots, tiles } from '../../src/freebusy/slots.ts';
import { ANNA, anyStretch, at, MINUTE, minuteOf, ORIGIN, span, WINDOW } from './oracle.ts';

/** One letter a type, weakest first: Free, No data, Elsewhere, Tentative, Busy, Out. */
const LETTERS = ['F', 'N', 'E', 'T', 'B', 'O'];
const LETTER: Readonly<Record<string, string>> = { free: 'F', 'no-data': 'N', 'working-elsewhere': 'E', tentative: 'T', busy: 'B', oof: 'O' };
const WEAK_TO_STRONG = 'FNETBO';

const digits = (busy: readonly BusyInterval[], window: { start: number; end: number }, slotMinutes: number, known = WINDOW): string =>
  slotString(slotRanks(freeBusyFrom(ANNA, known, { busy }), window, slotMinutes), LETTERS);

describe('slots', () => {
  it('are, slot by slot, the strongest minute they hold; outside of what is known they are no data', () => {
    fc.assert(
      fc.property(
        fc.array(anyStretch, { maxLength: 10 }) as fc.Arbitrary<BusyInterval[]>,
        fc.constantFrom(1, 5, 6, 7, 15, 30, 60, 500),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 201, max: 420 }),
        (busy, slotMinutes, from, to) => {
          const expected: string[] = [];
          for (let slot = from; slot < to; slot += slotMinutes) {
            let strongest = 'F';
            for (let minute = slot; minute < Math.min(slot + slotMinutes, to); minute++) {
              const inside = minute >= 60 && minute < 300;
              const letter = LETTER[minuteOf(minute, inside ? busy : [], [WINDOW])]!;
              if (WEAK_TO_STRONG.indexOf(letter) > WEAK_TO_STRONG.indexOf(strongest)) strongest = letter;
            }
            expected.push(strongest);
          }
          expect(digits(busy, span(from, to), slotMinutes)).toBe(expected.join(''));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('count by what they touch: one millisecond takes a slot, a touching end takes none', () => {
    const four = span(60, 180);
    expect(digits([{ start: at(90), end: at(90) + 1, busyType: 'busy' }], four, 30)).toBe('FBFF');
    expect(digits([{ start: at(90) - 1, end: at(90), busyType: 'busy' }], four, 30)).toBe('BFFF');
    expect(digits([{ ...span(90, 120), busyType: 'busy' }], four, 30)).toBe('FBFF');
    expect(digits([{ start: at(90) - 1, end: at(120) + 1, busyType: 'oof' }], four, 30)).toBe('OOOF');
  });

  it('take the strongest where two types share one', () => {
    expect(digits([{ ...span(60, 70), busyType: 'tentative' }, { ...span(80, 85), busyType: 'oof' }, { ...span(85, 90), busyType: 'busy' }], span(60, 90), 30)).toBe('O');
  });

  it('are no data on both sides of what is known', () => {
    expect(digits([], span(0, 360), 60)).toBe('NFFFFN');
    expect(digits([], span(30, 330), 60)).toBe('NFFFN');
    expect(digits([], span(310, 400), 30)).toBe('NNN');
    expect(digits([], span(0, 30), 30)).toBe('N');
  });

  it('cover the window: the last one may overrun it', () => {
    expect(slotCount(span(0, 60), 30)).toBe(2);
    expect(slotCount(span(0, 61), 30)).toBe(3);
    expect(slotCount({ start: at(0), end: at(0) + 1 }, 30)).toBe(1);
    expect(digits([{ ...span(295, 300), busyType: 'busy' }], span(60, 300), 50)).toBe('FFFFB');
  });
});

describe('a string of slots', () => {
  const typeOf = (character: string): BusyType => (['free', 'tentative', 'busy', 'oof', 'no-data'] as const)[Number(character)] ?? 'no-data';

  it('becomes stretches, and says how far it reaches', () => {
    expect(stretchesFromSlots('0022201', ORIGIN, 30, typeOf)).toEqual({
      busy: [
        { start: ORIGIN + 60 * MINUTE, end: ORIGIN + 150 * MINUTE, busyType: 'busy' },
        { start: ORIGIN + 180 * MINUTE, end: ORIGIN + 210 * MINUTE, busyType: 'tentative' },
      ],
      covered: { start: ORIGIN, end: ORIGIN + 210 * MINUTE },
    });
  });

  it('that is empty covers nothing', () => {
    expect(stretchesFromSlots('', ORIGIN, 30, typeOf)).toEqual({ busy: [], covered: { start: ORIGIN, end: ORIGIN } });
  });

  it('has one stretch where different characters mean the same', () => {
    expect(stretchesFromSlots('2x4', ORIGIN, 30, (character) => (character === 'x' ? 'no-data' : typeOf(character))).busy).toEqual([
      { start: ORIGIN, end: ORIGIN + 30 * MINUTE, busyType: 'busy' },
      { start: ORIGIN + 30 * MINUTE, end: ORIGIN + 90 * MINUTE, busyType: 'no-data' },
    ]);
  });
});

describe('tiles', () => {
  it('cover the window without gap or overlap, neighbours differ, and say the same as the stretches', () => {
    fc.assert(
      fc.property(fc.array(anyStretch, { maxLength: 10 }) as fc.Arbitrary<BusyInterval[]>, (busy) => {
        const made = freeBusyFrom(ANNA, WINDOW, { busy });
        const all = tiles(made);
        expect(all[0]!.start).toBe(WINDOW.start);
        expect(all.at(-1)!.end).toBe(WINDOW.end);
        for (const [index, tile] of all.entries()) {
          expect(tile.start).toBeLessThan(tile.end);
          if (index === 0) continue;
          expect(tile.start).toBe(all[index - 1]!.end);
          expect(tile.busyType).not.toBe(all[index - 1]!.busyType);
        }
        for (let minute = 60; minute < 300; minute++) expect(minuteOf(minute, all)).toBe(minuteOf(minute, busy));
      }),
    );
  });
});
