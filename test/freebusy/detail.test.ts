import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsByStretch, redact, stretchKey } from '../../src/freebusy/detail.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { CalendarEvent, FreeBusy } from '../../src/freebusy/free-busy.ts';
import { ANNA, anyEvent, at, minuteOf, span, WINDOW } from './oracle.ts';

const workingHours = { timeZone: { bias: -60 }, periods: [] } as never;
const SECRETS = { subject: 'canary-subject', location: 'canary-place', id: 'canary-id' };

describe('what a client may see', () => {
  const whole = freeBusyFrom(ANNA, WINDOW, {
    workingHours,
    events: [
      { ...span(60, 90), busyType: 'tentative', ...SECRETS },
      { ...span(90, 120), busyType: 'oof', isPrivate: true, isAllDay: true, isMeeting: true, isRecurring: true, isException: true, isReminderSet: true, isCancelled: false, ownReply: 'accepted', ...SECRETS },
      { ...span(120, 150), busyType: 'working-elsewhere' },
      { ...span(150, 180), busyType: 'no-data' },
      { ...span(180, 210), busyType: 'busy' },
    ],
  });

  it('free-busy: taken or not, unknown stays unknown, nothing else', () => {
    expect(redact(whole, 'free-busy', 'free')).toEqual({
      mailbox: ANNA,
      window: WINDOW,
      busy: [
        { ...span(60, 120), busyType: 'busy' },
        { ...span(150, 180), busyType: 'no-data' },
        { ...span(180, 210), busyType: 'busy' },
      ],
    });
  });

  it('free-busy: working elsewhere is taken where the site says so', () => {
    for (const as of ['tentative', 'busy'] as const) expect(redact(whole, 'free-busy', as).busy[0]).toEqual({ ...span(60, 150), busyType: 'busy' });
  });

  it('busy-type: the kind of each stretch and the working hours, no event', () => {
    expect(redact(whole, 'busy-type', 'free')).toEqual({ mailbox: ANNA, window: WINDOW, busy: whole.busy, workingHours });
  });

  it('details: everything, but of a private event its time and type only', () => {
    const { events, ...rest } = redact(whole, 'details', 'free');
    expect(rest).toEqual({ mailbox: ANNA, window: WINDOW, busy: whole.busy, workingHours });
    expect(events![0]).toEqual(whole.events![0]);
    expect(events![1]).toEqual({ ...span(90, 120), busyType: 'oof', isPrivate: true, isCancelled: false, ownReply: 'accepted' });
  });

  it('never holds a subject, place or id below details, nor of a private event at all, whatever the events', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEvent, fc.boolean()), { maxLength: 8 }), fc.constantFrom('free-busy', 'busy-type', 'details'), (pairs, level) => {
        const events = pairs.map(([event, isPrivate]) => ({ ...event, isPrivate, ...(isPrivate || level !== 'details' ? SECRETS : {}) }));
        const made = freeBusyFrom(ANNA, WINDOW, { events });
        const seen = redact(made, level, 'free');
        expect(JSON.stringify(seen)).not.toContain('canary');
        // Whatever is hidden, unknown time never becomes free and taken time never either (but for working elsewhere).
        for (let minute = 60; minute < 300; minute += 7) {
          const before = minuteOf(minute, made.busy);
          if (before !== 'free' && before !== 'working-elsewhere') expect(minuteOf(minute, seen.busy)).not.toBe('free');
        }
      }),
    );
  });

  it('what was given stays as it was', () => {
    const before = JSON.stringify(whole);
    for (const level of ['free-busy', 'busy-type', 'details'] as const) redact(whole, level, 'free');
    expect(JSON.stringify(whole)).toBe(before);
  });
});

describe('the event that is a stretch', () => {
  const stretch = { ...span(60, 90), busyType: 'busy' } as const;
  const eventOf = (freeBusy: FreeBusy): CalendarEvent | undefined => eventsByStretch(freeBusy).get(stretchKey(stretch));

  it('is the one with its very times and type', () => {
    const events = [{ ...span(60, 91), busyType: 'busy', subject: 'longer' }, { ...span(60, 90), busyType: 'oof', subject: 'other type' }, { ...stretch, subject: 'this' }] as const;
    expect(eventOf(freeBusyFrom(ANNA, WINDOW, { events }))?.subject).toBe('this');
    expect(eventOf(freeBusyFrom(ANNA, WINDOW, { events: events.slice(0, 2) }))).toBeUndefined();
    expect(eventOf(freeBusyFrom(ANNA, WINDOW, { busy: [stretch] }))).toBeUndefined();
    expect(at(60)).toBe(stretch.start);
  });

  it('is never one that was cancelled or declined', () => {
    const events = [{ ...stretch, subject: 'cancelled', isCancelled: true }, { ...stretch, subject: 'declined', ownReply: 'declined' }, { ...stretch, subject: 'held' }] as const;
    expect(eventOf(freeBusyFrom(ANNA, WINDOW, { events }))?.subject).toBe('held');
  });
});
