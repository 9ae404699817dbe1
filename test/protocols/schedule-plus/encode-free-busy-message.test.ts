import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { BUSY_TYPES } from '../../../src/freebusy/busy-type.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../../src/freebusy/free-busy.ts';
import type { Interval } from '../../../src/freebusy/interval.ts';
import { encodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/encode-free-busy-message.ts';
import { minutesOf } from './message-minutes.ts';
import { freeBusyFromMessage } from '../../../src/protocols/schedule-plus/free-busy-from-message.ts';
import { decodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/free-busy-message.ts';

const kim = parseMailboxAddress('kim@zimbra.example')!;
const DN = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim';
const FIXTURES = new URL('../../../fixtures/schedule-plus/encode-free-busy-message/', import.meta.url);
const MINUTE = 60_000;
const DAY = 86_400_000;

interface GivenMessage {
  readonly legacyExchangeDn: string;
  readonly now: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly busy: readonly { readonly start: string; readonly end: string; readonly busyType: BusyInterval['busyType'] }[];
}

interface ExpectedMessage {
  readonly set: readonly (readonly [string, readonly string[]])[];
  readonly removed: readonly string[];
  readonly window: { readonly start: string; readonly end: string };
}

const load = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as T;
const hex = (tag: number) => `0x${tag.toString(16).toUpperCase().padStart(8, '0')}`;
const iso = ({ start, end }: Interval) => ({ start: new Date(start).toISOString(), end: new Date(end).toISOString() });
const made = (window: Interval, busy: readonly BusyInterval[]): FreeBusy => ({ mailbox: kim, window, busy });

describe('what is written', () => {
  it.each(readdirSync(FIXTURES))('the calendar of fixture %s becomes these properties, byte for byte and in this order', (name) => {
    const given = load<GivenMessage>(`${name}/message.json`);
    const window = { start: Date.parse(given.window.start), end: Date.parse(given.window.end) };
    const busy = given.busy.map((one) => ({ start: Date.parse(one.start), end: Date.parse(one.end), busyType: one.busyType }));
    const message = encodeFreeBusyMessage(given.legacyExchangeDn, made(window, busy), Date.parse(given.now));
    const expected = load<ExpectedMessage>(`${name}/expected.json`);
    expect(message.set.map((one) => [hex(one.tag), one.values])).toEqual(expected.set);
    expect(message.removed.map(hex)).toEqual(expected.removed);
    expect(iso(message.window)).toEqual(expected.window);
    expect(message.subject).toBe(expected.set[0]![1][0]);
  });

  it('a calendar with nothing in it removes all four pairs and still says what time it is about', () => {
    const message = encodeFreeBusyMessage(DN, made({ start: 0, end: DAY }, []), 0);
    expect(message.removed.map(hex)).toEqual(['0x684F1003', '0x68501102', '0x68511003', '0x68521102', '0x68531003', '0x68541102', '0x68551003', '0x68561102']);
    // Minutes from 1601 to 1970: 11644473600 s, exchange.md §1.4.
    expect(message.set.find((one) => hex(one.tag) === '0x68470003')!.values).toEqual(['194074560']);
    expect(message.set.find((one) => hex(one.tag) === '0x68480003')!.values).toEqual(['194076000']);
  });

  it('a part of a minute at either end of the window is not claimed to be known', () => {
    const start = Date.UTC(2026, 2, 1, 8, 0, 30);
    const end = Date.UTC(2026, 2, 1, 9, 0, 59);
    const message = encodeFreeBusyMessage(DN, made({ start, end }, [{ start, end: start + 10_000, busyType: 'busy' }]), 0);
    expect(iso(message.window)).toEqual({ start: '2026-03-01T08:01:00.000Z', end: '2026-03-01T09:00:00.000Z' });
    expect(message.removed).toHaveLength(8);
  });
});

describe('what is refused', () => {
  const window = { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 2, 2) };
  const refusal = (code: string): unknown => expect.objectContaining({ code });

  it('time that nobody knows is never written as free', () => {
    const freeBusy = freeBusyFrom(kim, window, { known: [{ start: window.start, end: window.start + MINUTE }] });
    expect(() => encodeFreeBusyMessage(DN, freeBusy, 0)).toThrow(refusal('NO_DATA'));
  });

  it.each([
    ['empty', { start: 5, end: 5 }],
    ['reversed', { start: DAY, end: 0 }],
    ['without a whole minute', { start: 30_000, end: 80_000 }],
    ['not a number', { start: Number.NaN, end: DAY }],
    ['infinite', { start: 0, end: Number.POSITIVE_INFINITY }],
    ['before 1601', { start: Date.UTC(1500, 0, 1), end: 0 }],
    ['in the year 9999', { start: 0, end: Date.UTC(9999, 0, 1) }],
  ])('a window that is %s', (_name, odd) => {
    expect(() => encodeFreeBusyMessage(DN, made(odd, []), 0)).toThrow(refusal('INVALID_WINDOW'));
  });

  it('more stretches than are worked through at one go, and no fewer', () => {
    const busy = Array.from({ length: 10_001 }, (_, index) => ({ start: index * 2 * MINUTE, end: (index * 2 + 1) * MINUTE, busyType: index % 2 === 0 ? ('tentative' as const) : ('oof' as const) }));
    expect(() => encodeFreeBusyMessage(DN, made({ start: 0, end: 365 * DAY }, busy), 0)).toThrow(refusal('BACKEND_TOO_LARGE'));
    expect(encodeFreeBusyMessage(DN, made({ start: 0, end: 365 * DAY }, busy.slice(1)), 0).removed).toHaveLength(2);
  });

  it('stretches that become too many where the months cut them', () => {
    const busy = Array.from({ length: 9_999 }, (_, index) => ({ start: index * 2 * MINUTE, end: (index * 2 + 1) * MINUTE, busyType: 'busy' as const }));
    const long = { start: 30 * DAY, end: 365 * DAY, busyType: 'busy' as const };
    expect(() => encodeFreeBusyMessage(DN, made({ start: 0, end: 365 * DAY }, [...busy, long]), 0)).toThrow(refusal('BACKEND_TOO_LARGE'));
  });

  it('a DN that names no message', () => {
    expect(() => encodeFreeBusyMessage('/o=Corp', made(window, []), 0)).toThrow(refusal('NO_DATA'));
  });
});

const SECOND = 1000;
/** A window of up to 90 days around any month's end of three years, leap February and the years' ends included; to the second, mostly to the minute. */
const calendars = fc
  .record({
    base: fc.integer({ min: Date.UTC(2026, 10, 1) / MINUTE, max: Date.UTC(2029, 0, 1) / MINUTE }),
    minutes: fc.integer({ min: 2, max: 90 * 1440 }),
    seconds: fc.constantFrom(0, 0, 0, 1, 30, 59),
    events: fc.array(
      fc.record({
        at: fc.integer({ min: -2000, max: 90 * 1440 }),
        seconds: fc.constantFrom(0, 0, 0, 1, 30, 59),
        length: fc.oneof(fc.integer({ min: 1, max: 3 * 3600 }), fc.constantFrom(0, 1, 45, 60, 86_400), fc.integer({ min: 1, max: 45 * 86_400 })),
        busyType: fc.constantFrom(...BUSY_TYPES.filter((one) => one !== 'no-data')),
      }),
      { maxLength: 40 },
    ),
  })
  .map(({ base, minutes, seconds, events }) => {
    const start = base * MINUTE + seconds * SECOND;
    const window = { start, end: start + minutes * MINUTE };
    const busy = events.map((one) => {
      const from = base * MINUTE + one.at * MINUTE + one.seconds * SECOND;
      return { start: from, end: from + one.length * SECOND, busyType: one.busyType };
    });
    return freeBusyFrom(kim, window, { busy });
  });

describe('random calendars', () => {
  it('every written message has the same minutes of each type, read by a decoder of its own', () => {
    fc.assert(
      fc.property(calendars, (freeBusy) => {
        const message = encodeFreeBusyMessage(DN, freeBusy, 0);
        const found = minutesOf(message);
        const wanted = { merged: new Set<number>(), tentative: new Set<number>(), busy: new Set<number>(), away: new Set<number>() };
        const first = Number(message.set.find((one) => one.tag === 0x68470003)!.values[0]) - 194_074_560;
        const behind = Number(message.set.find((one) => one.tag === 0x68480003)!.values[0]) - 194_074_560;
        expect(first * MINUTE).toBeGreaterThanOrEqual(freeBusy.window.start);
        expect(behind * MINUTE).toBeLessThanOrEqual(freeBusy.window.end);
        expect(behind * MINUTE - first * MINUTE).toBeGreaterThan(freeBusy.window.end - freeBusy.window.start - 2 * MINUTE);
        for (const { start, end, busyType } of freeBusy.busy) {
          // Every minute of the range that any part of the stretch touches.
          for (let minute = Math.max(first, Math.floor(start / MINUTE)); minute < behind && minute * MINUTE < end; minute++) {
            if (busyType === 'tentative') wanted.tentative.add(minute);
            if (busyType === 'busy') wanted.busy.add(minute);
            if (busyType === 'oof') wanted.away.add(minute);
            if (busyType === 'busy' || busyType === 'oof') wanted.merged.add(minute);
          }
        }
        for (const type of ['merged', 'tentative', 'busy', 'away'] as const) {
          expect(found[type].size, type).toBe(wanted[type].size);
          for (const minute of wanted[type]) if (!found[type].has(minute)) throw new Error(`${type}: ${new Date(minute * MINUTE).toISOString()} is missing`);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('our own reader finds nothing odd in them, and the same calendar', () => {
    fc.assert(
      fc.property(calendars, (freeBusy) => {
        const written = encodeFreeBusyMessage(DN, freeBusy, 0);
        const message = decodeFreeBusyMessage(new Map(written.set.map((one) => [one.tag >>> 16, one.values])));
        expect(message.oddities).toEqual([]);
        expect(message).toMatchObject({ subject: 'USER-/CN=RECIPIENTS/CN=KIM', legacyExchangeDn: DN, publishStart: written.window.start, publishEnd: written.window.end, rangeTimestamp: 0 });
        const rounded = freeBusy.busy.flatMap((one) =>
          one.busyType === 'working-elsewhere' ? [] : [{ start: Math.floor(one.start / MINUTE) * MINUTE, end: Math.ceil(one.end / MINUTE) * MINUTE, busyType: one.busyType }],
        );
        expect(freeBusyFromMessage(message, kim, written.window).busy).toEqual(freeBusyFrom(kim, written.window, { busy: rounded }).busy);
      }),
      { numRuns: 300 },
    );
  });
});
