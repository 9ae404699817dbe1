import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import { digestOf } from '../../src/replication/digest.ts';
import { publicationWindow, publishablePart } from '../../src/replication/publication-window.ts';

const DAY = 86_400_000;
const at = (iso: string): number => Date.parse(iso);
const KIM = 'kim@zimbra.example' as MailboxAddress;

describe('the publication window', () => {
  it('goes from today 00:00 UTC − past to today 00:00 UTC + ahead, across the end of a year', () => {
    const window = publicationWindow(at('2026-12-03T23:59:59.999Z'), 7 * DAY, 60 * DAY);
    expect(window).toEqual({ start: at('2026-11-26T00:00:00Z'), end: at('2027-02-01T00:00:00Z') });
  });

  it('slides at midnight UTC and at no other time', () => {
    const early = publicationWindow(at('2026-12-03T00:00:00Z'), DAY, DAY);
    expect(publicationWindow(at('2026-12-03T23:59:59Z'), DAY, DAY)).toEqual(early);
    expect(publicationWindow(at('2026-12-04T00:00:00Z'), DAY, DAY)).toEqual({ start: early.start + DAY, end: early.end + DAY });
  });
});

describe('what of an answer can be published', () => {
  const window = { start: at('2026-03-01T00:00:00Z'), end: at('2026-03-11T00:00:00Z') };
  const now = at('2026-03-05T12:00:00Z');
  const busy = { start: at('2026-03-05T09:00:00Z'), end: at('2026-03-05T10:00:00Z'), busyType: 'busy' as const };

  it('is all of it where all of it is known', () => {
    const part = publishablePart(freeBusyFrom(KIM, window, { busy: [busy] }), now);
    expect(part).toEqual({ mailbox: KIM, window, busy: [busy] });
  });

  it('ends where the unknown begins: a message has no word for it, and the range is the only way to leave it out', () => {
    const known = { start: window.start, end: at('2026-03-08T00:00:00Z') };
    const part = publishablePart(freeBusyFrom(KIM, window, { busy: [busy], known: [known] }), now);
    expect(part).toEqual({ mailbox: KIM, window: known, busy: [busy] });
  });

  it('is the stretch with now in it where the unknown lies between two', () => {
    const gap = { start: at('2026-03-05T13:00:00Z'), end: at('2026-03-05T14:00:00Z'), busyType: 'no-data' as const };
    const part = publishablePart(freeBusyFrom(KIM, window, { busy: [busy, gap] }), now);
    expect(part?.window).toEqual({ start: window.start, end: gap.start });
  });

  it('is the next known stretch where now itself is unknown, else the last one before', () => {
    const unknownNow = { start: at('2026-03-05T11:00:00Z'), end: at('2026-03-05T13:00:00Z'), busyType: 'no-data' as const };
    expect(publishablePart(freeBusyFrom(KIM, window, { busy: [busy, unknownNow] }), now)?.window).toEqual({ start: unknownNow.end, end: window.end });
    const unknownSince = { start: at('2026-03-05T11:00:00Z'), end: window.end, busyType: 'no-data' as const };
    expect(publishablePart(freeBusyFrom(KIM, window, { busy: [busy, unknownSince] }), now)?.window).toEqual({ start: window.start, end: unknownSince.start });
  });

  it('never claims a part of a minute that is unknown', () => {
    const gap = { start: at('2026-03-05T13:00:30Z'), end: window.end, busyType: 'no-data' as const };
    expect(publishablePart(freeBusyFrom(KIM, window, { busy: [gap] }), now)?.window.end).toBe(at('2026-03-05T13:00:00Z'));
  });

  it('is nothing where nothing is known', () => {
    expect(publishablePart(freeBusyFrom(KIM, window, { known: [] }), now)).toBeUndefined();
  });
});

describe('the digest', () => {
  const window = { start: at('2026-03-01T00:00:00Z'), end: at('2026-03-11T00:00:00Z') };
  const busy = [{ start: at('2026-03-05T09:00:00Z'), end: at('2026-03-05T10:00:00Z'), busyType: 'busy' as const }];
  const usual = digestOf('/o=Corp/cn=kim', freeBusyFrom(KIM, window, { busy }));

  it('is the same for equal calendars, however they were told and however the DN is spelled', () => {
    const inTwo = [{ ...busy[0]!, end: at('2026-03-05T09:30:00Z') }, { ...busy[0]!, start: at('2026-03-05T09:30:00Z') }];
    expect(digestOf('/O=CORP/CN=KIM', freeBusyFrom(KIM, window, { busy: inTwo }))).toBe(usual);
  });

  it('differs with a minute, a type, the window and the message', () => {
    const others = [
      digestOf('/o=Corp/cn=kim', freeBusyFrom(KIM, window, { busy: [{ ...busy[0]!, end: busy[0]!.end + 60_000 }] })),
      digestOf('/o=Corp/cn=kim', freeBusyFrom(KIM, window, { busy: [{ ...busy[0]!, busyType: 'oof' }] })),
      digestOf('/o=Corp/cn=kim', freeBusyFrom(KIM, { ...window, end: window.end + DAY }, { busy })),
      digestOf('/o=Corp/cn=kimberly', freeBusyFrom(KIM, window, { busy })),
    ];
    expect(new Set([usual, ...others]).size).toBe(5);
  });
});
