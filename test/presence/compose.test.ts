import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../src/core/clock.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import { composedAt, composedUntil } from '../../src/presence/compose.ts';
import type { Known, OwnStates, PrecedenceRule } from '../../src/presence/compose.ts';
import { DEFAULT_PRESENCE_MAPPING } from '../../src/presence/mapping.ts';
import { decodeOwnStates, encodeOwnStates } from '../../src/presence/own-states.ts';
import { Timeline } from '../../src/presence/timeline.ts';
import { rules } from './rules.ts';

/** presence.md §C.5, the proposed order, row by row. */

const NOON = Date.UTC(2026, 10, 30, 12);
const at = (minutes: number): number => NOON + minutes * MINUTE_MS;
const ANNA = 'anna@corp.example' as MailboxAddress;
const ORDER = rules().precedence;
const known = (busyType: BusyInterval['busyType'] | undefined, own: OwnStates): Known => {
  const busy = busyType === undefined ? [] : [{ start: at(-30), end: at(30), busyType }];
  return { timeline: Timeline.of(freeBusyFrom(ANNA, { start: at(-24 * 60), end: at(48 * 60) }, { busy }), DEFAULT_PRESENCE_MAPPING, NOON), own };
};
const said = (state: 'available' | 'away' | 'do-not-disturb' | 'offline' | 'on-the-phone', minutes = -60, until: number | null = null) => ({ state, at: at(minutes), until: until === null ? null : at(until) });

describe('the first rule that applies decides', () => {
  it.each<[what: string, calendar: BusyInterval['busyType'] | undefined, own: OwnStates, state: string, reason: string]>([
    ['nothing but the calendar', 'busy', {}, 'in-a-meeting', 'calendar'],
    ['1: do not disturb over a meeting', 'busy', { manual: said('do-not-disturb') }, 'do-not-disturb', 'manual'],
    ['1: invisible over everything', 'oof', { manual: said('offline'), phone: said('on-the-phone') }, 'offline', 'manual'],
    ['2: said after the meeting began', 'busy', { manual: said('available', -10) }, 'available', 'manual'],
    ['2: said before it began does not count', 'busy', { manual: said('available', -60) }, 'in-a-meeting', 'calendar'],
    ['3: the telephone over a meeting', 'busy', { phone: said('on-the-phone') }, 'on-the-phone', 'phone'],
    ['3: and under what was said since', 'busy', { phone: said('on-the-phone'), manual: said('away', -10) }, 'away', 'manual'],
    ['4: out of office over an older word', 'oof', { manual: said('available') }, 'away', 'calendar'],
    ['5: a meeting over an older away', 'busy', { manual: said('away') }, 'in-a-meeting', 'calendar'],
    ['6: away while free', undefined, { manual: said('away') }, 'away', 'manual'],
    ['7: idle while free', undefined, { idle: said('away') }, 'away', 'idle'],
    ['7: not in a meeting', 'busy', { idle: said('away') }, 'in-a-meeting', 'calendar'],
    ['8: free', undefined, {}, 'available', 'calendar'],
    ['unknown is unknown', 'no-data', {}, 'unknown', 'calendar'],
    ['ended by itself', undefined, { manual: said('away', -60, -1) }, 'available', 'calendar'],
    ['not begun', undefined, { manual: said('away', 5) }, 'available', 'calendar'],
  ])('%s', (_what, calendar, own, state, reason) => {
    expect(composedAt(known(calendar, own), NOON, ORDER)).toEqual({ state, reason });
  });

  it('in whichever order the site wants, and never for a rule that it left out', () => {
    const phoneLast: readonly PrecedenceRule[] = ['out-of-office', 'meeting', 'phone'];
    expect(composedAt(known('busy', { phone: said('on-the-phone') }), NOON, phoneLast).state).toBe('in-a-meeting');
    expect(composedAt(known(undefined, { phone: said('on-the-phone') }), NOON, phoneLast).state).toBe('on-the-phone');
    expect(composedAt(known(undefined, { manual: said('do-not-disturb') }), NOON, phoneLast).state).toBe('available');
  });
});

it('the own state comes back when the meeting is over, and goes when its time has come', () => {
  const own = known('busy', { manual: said('away', -60, 90) });
  expect(composedUntil(own, NOON, ORDER)).toBe(at(30));
  expect(composedAt(own, at(30), ORDER)).toEqual({ state: 'away', reason: 'manual' });
  expect(composedUntil(own, at(30), ORDER)).toBe(at(90));
  expect(composedAt(own, at(90), ORDER).state).toBe('available');
});

it('a state that goes on under another reason has not ended', () => {
  // Out of office until half past, away by hand since before and until two.
  const own = known('oof', { manual: said('away', -60, 120) });
  expect(composedUntil(own, NOON, ORDER)).toBe(at(120));
});

describe('on disk', () => {
  it('is read back', () => {
    const own: OwnStates = { manual: said('away', -5, 30), phone: said('on-the-phone') };
    expect(decodeOwnStates(encodeOwnStates(own))).toEqual(own);
  });

  it.each(['', 'null', '[]', '{"manual": "away"}', '{"manual": ["in-a-meeting", 1, null]}', '{"phone": ["away", 1, null]}', '{"manual": ["away", "1", null]}', '{"__proto__": ["away", 1, null]}', undefined])('%j says nothing', (text) => {
    expect(decodeOwnStates(text)).toEqual({});
  });
});

it('a timeline ends where what is kept of it ends, and is unknown from there', () => {
  const busy = Array.from({ length: 100 }, (_, index) => ({ start: NOON + index * HOUR_MS, end: NOON + index * HOUR_MS + HOUR_MS / 2, busyType: 'busy' as const }));
  const timeline = Timeline.of(freeBusyFrom(ANNA, { start: at(-60), end: at(60 * 24 * 10) }, { busy }), DEFAULT_PRESENCE_MAPPING, NOON);
  expect(timeline.window.end).toBeLessThan(at(60 * 40));
  expect(timeline.stateAt(timeline.window.end - 1)).not.toBe('unknown');
  expect(timeline.stateAt(timeline.window.end)).toBe('unknown');
  expect(timeline.stateAt(timeline.window.start - 1)).toBe('unknown');
});
