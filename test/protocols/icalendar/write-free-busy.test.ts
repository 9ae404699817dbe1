import { readFileSync, readdirSync } from 'node:fs';
import ICAL from 'ical.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUSY_TYPES } from '../../../src/freebusy/busy-type.ts';
import type { BusyType, WorkingElsewhereAs } from '../../../src/freebusy/busy-type.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../../src/freebusy/free-busy.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { encodeBusyEvents } from '../../../src/protocols/icalendar/write-busy-events.ts';
import { encodeFreeBusyDocument } from '../../../src/protocols/icalendar/write-free-busy.ts';
import type { FreeBusyDocument } from '../../../src/protocols/icalendar/write-free-busy.ts';
import { turnsDuring } from '../../event-loop-turns.ts';

const at = (text: string): number => Date.parse(text);
const MAILBOX = 'kim@zimbra.example' as MailboxAddress;
const WINDOW = { start: at('2026-11-18T08:00:00Z'), end: at('2026-11-18T18:00:00Z') };

function calendar(...busy: readonly (readonly [from: string, to: string, busyType: BusyType])[]): FreeBusy {
  const day = '2026-11-18T';
  return freeBusyFrom(MAILBOX, WINDOW, { busy: busy.map(([from, to, busyType]) => ({ start: at(`${day}${from}Z`), end: at(`${day}${to}Z`), busyType })) });
}

function document(freeBusy: FreeBusy, more: Partial<FreeBusyDocument> = {}): FreeBusyDocument {
  return { method: 'PUBLISH', freeBusy, organizer: 'kim@zimbra.example', uid: 'one', stamp: at('2026-11-18T12:00:00Z'), url: 'https://bridge.example/home/kim', ...more };
}

async function written(freeBusy: FreeBusy, as: WorkingElsewhereAs = 'free', more: Partial<FreeBusyDocument> = {}): Promise<string> {
  return encodeFreeBusyDocument(document(freeBusy, more), as);
}

const ofFreeBusy = (text: string): readonly string[] => text.replaceAll('\r\n ', '').split('\r\n').filter((line) => line.startsWith('FREEBUSY'));

/** What ical.js, which never saw our writer, makes of a document. */
function judged(text: string): { readonly component: ICAL.Component; readonly window: { start: number; end: number }; readonly busy: readonly { start: number; end: number; fbType: string; noData: boolean }[] } {
  const component = new ICAL.Component(ICAL.parse(text) as unknown[]).getFirstSubcomponent('vfreebusy')!;
  const time = (name: string): number => (component.getFirstPropertyValue(name) as ICAL.Time).toUnixTime() * 1000;
  const busy = component.getAllProperties('freebusy').map((property) => {
    const period = property.getFirstValue() as unknown as { start: ICAL.Time; end: ICAL.Time };
    return { start: period.start.toUnixTime() * 1000, end: period.end.toUnixTime() * 1000, fbType: String(property.getParameter('fbtype')), noData: property.getParameter('x-fb-nodata') === 'TRUE' };
  });
  return { component, window: { start: time('dtstart'), end: time('dtend') }, busy };
}

const FIXTURES = new URL('../../../fixtures/icalendar/write-free-busy/', import.meta.url);

interface Message {
  readonly method: 'PUBLISH' | 'REPLY';
  readonly organizer: string;
  readonly attendee?: string;
  readonly uid: string;
  readonly stamp: string;
  readonly url?: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly busy: readonly { readonly start: string; readonly end: string; readonly busyType: BusyType }[];
}

describe('encodeFreeBusyDocument', () => {
  for (const name of readdirSync(FIXTURES)) {
    it(`writes the case ${name} as its expected.ics says`, async () => {
      const folder = new URL(`${name}/`, FIXTURES);
      const { window, busy, stamp, ...rest } = JSON.parse(readFileSync(new URL('message.json', folder), 'utf8')) as Message;
      const freeBusy = freeBusyFrom(MAILBOX, { start: at(window.start), end: at(window.end) }, { busy: busy.map((one) => ({ ...one, start: at(one.start), end: at(one.end) })) });
      expect(await encodeFreeBusyDocument({ ...rest, freeBusy, stamp: at(stamp) }, 'free')).toBe(readFileSync(new URL('expected.ics', folder), 'utf8'));
    });
  }

  it("writes Zimbra's form (zimbra.md §3.2), with a PRODID that is not Zimbra's", async () => {
    const text = await written(calendar(['09:00:00', '10:30:00', 'busy'], ['12:00:00', '13:00:00', 'tentative'], ['15:00:00', '16:00:00', 'oof']));
    expect(text).toBe(
      [
        'BEGIN:VCALENDAR',
        'PRODID:-//freebusy-bridge//freebusy-bridge//EN',
        'VERSION:2.0',
        'METHOD:PUBLISH',
        'BEGIN:VFREEBUSY',
        'UID:one',
        'ORGANIZER:mailto:kim@zimbra.example',
        'DTSTAMP:20261118T120000Z',
        'DTSTART:20261118T080000Z',
        'DTEND:20261118T180000Z',
        'URL:https://bridge.example/home/kim',
        'FREEBUSY;FBTYPE=BUSY:20261118T090000Z/20261118T103000Z',
        'FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261118T120000Z/20261118T130000Z',
        'FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261118T150000Z/20261118T160000Z',
        'END:VFREEBUSY',
        'END:VCALENDAR',
        '',
      ].join('\r\n'),
    );
  });

  it('says what is unknown as configuration.md does', async () => {
    const text = await written(calendar(['09:00:00', '10:00:00', 'no-data']));
    expect(ofFreeBusy(text)).toEqual(['FREEBUSY;FBTYPE=BUSY-TENTATIVE;X-FB-NODATA=TRUE:20261118T090000Z/20261118T100000Z']);
  });

  it.each([
    ['free', []],
    ['tentative', ['FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261118T090000Z/20261118T100000Z']],
    ['busy', ['FREEBUSY;FBTYPE=BUSY:20261118T090000Z/20261118T100000Z']],
  ] as const)('writes working elsewhere as %s where the site says so', async (as, lines) => {
    expect(ofFreeBusy(await written(calendar(['09:00:00', '10:00:00', 'working-elsewhere']), as))).toEqual(lines);
  });

  it('joins working elsewhere and what it has become', async () => {
    expect(ofFreeBusy(await written(calendar(['09:00:00', '10:00:00', 'working-elsewhere'], ['10:00:00', '11:00:00', 'busy']), 'busy'))).toEqual(['FREEBUSY;FBTYPE=BUSY:20261118T090000Z/20261118T110000Z']);
  });

  it('rounds a part of a second outward', async () => {
    expect(ofFreeBusy(await written(calendar(['09:00:00.999', '10:00:00.001', 'busy'])))).toEqual(['FREEBUSY;FBTYPE=BUSY:20261118T090000Z/20261118T100001Z']);
  });

  it('gives a second that two share to the stronger', async () => {
    expect(ofFreeBusy(await written(calendar(['09:00:00', '10:00:00.500', 'tentative'], ['10:00:00.500', '11:00:00', 'oof'], ['11:00:00', '12:00:00', 'no-data'])))).toEqual([
      'FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261118T090000Z/20261118T100000Z',
      'FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261118T100000Z/20261118T110000Z',
      'FREEBUSY;FBTYPE=BUSY-TENTATIVE;X-FB-NODATA=TRUE:20261118T110000Z/20261118T120000Z',
    ]);
  });

  it('knows nothing of the parts of a second by which its window grows', async () => {
    const window = { start: at('2026-11-18T08:00:00.250Z'), end: at('2026-11-18T18:00:00.750Z') };
    const text = await written(freeBusyFrom(MAILBOX, window, {}));
    expect(text).toContain('DTSTART:20261118T080000Z\r\nDTEND:20261118T180001Z\r\n');
    expect(ofFreeBusy(text)).toEqual([
      'FREEBUSY;FBTYPE=BUSY-TENTATIVE;X-FB-NODATA=TRUE:20261118T080000Z/20261118T080001Z',
      'FREEBUSY;FBTYPE=BUSY-TENTATIVE;X-FB-NODATA=TRUE:20261118T180000Z/20261118T180001Z',
    ]);
  });

  it('writes a reply with the organizer and attendee of the request in their own spelling', async () => {
    const { component } = judged(await written(calendar(), 'free', { method: 'REPLY', organizer: 'mailto:Boss@Corp.example', attendee: 'MAILTO:Kim@zimbra.example', uid: 'a,b;c\\d\ne' }));
    expect([component.getFirstPropertyValue('organizer'), component.getFirstPropertyValue('attendee'), component.getFirstPropertyValue('uid')]).toEqual(['mailto:Boss@Corp.example', 'MAILTO:Kim@zimbra.example', 'a,b;c\\d\ne']);
    expect((component.parent).getFirstPropertyValue('method')).toBe('REPLY');
  });

  it('leaves out what it was not given', async () => {
    expect(await written(calendar(), 'free', { organizer: undefined, uid: undefined, url: undefined })).not.toMatch(/^(?:ORGANIZER|ATTENDEE|UID|URL)/m);
  });

  it.each([
    ['a+b@corp.example', 'mailto:a+b@corp.example'],
    ["o'neil@corp.example", "mailto:o'neil@corp.example"],
    ['50%off@corp.example', 'mailto:50%25off@corp.example'],
    ['a?b&c#d@corp.example', 'mailto:a%3Fb%26c%23d@corp.example'],
    ['a=b@corp.example', 'mailto:a=b@corp.example'],
    ['jörg@corp.example', 'mailto:jörg@corp.example'],
  ])('writes the address %s as %s', async (organizer, expected) => {
    expect(judged(await written(calendar(), 'free', { organizer })).component.getFirstPropertyValue('organizer')).toBe(expected);
  });

  it('folds every line at 75 octets and never inside a character (RFC 5545 §3.1)', async () => {
    for (const name of ['a'.repeat(63), 'ä'.repeat(100), '日'.repeat(80), '😀'.repeat(55), `x${'😀'.repeat(55)}`, `xy${'日'.repeat(55)}`]) {
      const organizer = `mailto:${name}@corp.example`;
      const text = await written(calendar(['09:00:00', '10:00:00', 'no-data']), 'free', { organizer, url: `https://bridge.example/${'p'.repeat(500)}` });
      for (const line of text.split('\r\n')) expect(Buffer.byteLength(line), line).toBeLessThanOrEqual(75);
      expect(text).not.toContain('\ufffd');
      expect(judged(text).component.getFirstPropertyValue('organizer')).toBe(organizer);
    }
  });

  it('lets no value end its line, whatever is in it', async () => {
    const hostile = fc.string({ unit: fc.oneof(fc.constantFrom('\r', '\n', '\r\nFREEBUSY;FBTYPE=FREE:', '\u0085', '\u2028', '\u0000', ';', ':', ',', '"', '\\', 'END:VFREEBUSY', ' ', '\t'), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 })), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (organizer, uid, url) => {
        const text = await written(calendar(['09:00:00', '10:00:00', 'busy']), 'free', { organizer, attendee: organizer, uid, url });
        const names = text.replaceAll('\r\n ', '').split('\r\n').map((line) => line.split(/[:;]/, 1)[0]);
        expect(names).toEqual(['BEGIN', 'PRODID', 'VERSION', 'METHOD', 'BEGIN', 'UID', 'ORGANIZER', 'ATTENDEE', 'DTSTAMP', 'DTSTART', 'DTEND', 'URL', 'FREEBUSY', 'END', 'END', '']);
        expect(text.replaceAll('\r\n', '')).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f\u0085]/);
      }),
    );
  });

  it('says tick by tick what ical.js then reads, for any calendar', async () => {
    const rank: Readonly<Record<string, number>> = { free: 0, 'no-data': 1, 'working-elsewhere': 2, tentative: 3, busy: 4, oof: 5 };
    const read = (one: { fbType: string; noData: boolean }): string => (one.noData ? 'no-data' : { BUSY: 'busy', 'BUSY-TENTATIVE': 'tentative', 'BUSY-UNAVAILABLE': 'oof' }[one.fbType]!);
    const stretch = fc.record({ from: fc.integer({ min: -20, max: 420 }), ticks: fc.integer({ min: 1, max: 120 }), busyType: fc.constantFrom(...BUSY_TYPES) });
    const scales = fc.constantFrom(100, 300, 1_000, 60_000);
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { maxLength: 14 }), scales, fc.integer({ min: 0, max: 9 }), fc.constantFrom<WorkingElsewhereAs>('free', 'tentative', 'busy'), async (stretches, tick, lead, as) => {
        const start = WINDOW.start + lead * tick;
        const end = start + 400 * tick;
        const busy: BusyInterval[] = stretches.map(({ from, ticks, busyType }) => ({ start: start + from * tick, end: start + (from + ticks) * tick, busyType }));
        const { window, busy: found } = judged(await written(freeBusyFrom(MAILBOX, { start, end }, { busy }), as));
        for (let index = 1; index < found.length; index++) expect(found[index]!.start).toBeGreaterThanOrEqual(found[index - 1]!.end);

        // The oracle: every tick for itself, then every second (or tick, where that is longer) has the strongest of what it touches.
        const step = Math.max(tick, 1_000);
        const grain = Math.min(tick, 100);
        expect([window.start, window.end]).toEqual([Math.floor(start / 1_000) * 1_000, Math.ceil(end / 1_000) * 1_000]);
        const truth = (instant: number): string => {
          if (instant < start || instant >= end) return 'no-data';
          const type = busy.filter((one) => one.start <= instant && instant < one.end).reduce((best, one) => (rank[one.busyType]! > rank[best]! ? one.busyType : best), 'free');
          return type === 'working-elsewhere' ? as : type;
        };
        for (let from = window.start; from < window.end; from += step) {
          let expected = 'free';
          for (let instant = from; instant < from + step; instant += step === tick ? step : grain) {
            const here = truth(instant);
            if (rank[here]! > rank[expected]!) expected = here;
          }
          const here = found.filter((one) => one.start <= from && from < one.end).map(read);
          expect(here, new Date(from).toISOString()).toEqual(expected === 'free' ? [] : [expected]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('lets others run while it writes 50,000 periods', async () => {
    const start = WINDOW.start;
    const busy = Array.from({ length: 50_000 }, (_, index): BusyInterval => ({ start: start + index * 120_000, end: start + index * 120_000 + 60_000, busyType: 'busy' }));
    const freeBusy = freeBusyFrom(MAILBOX, { start, end: start + 50_000 * 120_000 }, { busy });
    let text = '';
    expect(await turnsDuring(async () => void (text = await written(freeBusy)))).toBeGreaterThan(20);
    expect(ofFreeBusy(text)).toHaveLength(50_000);
    expect(await turnsDuring(() => encodeBusyEvents({ freeBusy, uid: 'one', stamp: start }, 'free'))).toBeGreaterThan(20);
  });
});

describe('encodeBusyEvents', () => {
  it('writes one event a stretch that is not free (zimbra.md §3.2, fbfmt=event)', async () => {
    const freeBusy = calendar(['09:00:00', '10:00:00', 'busy'], ['10:00:00', '11:00:00', 'tentative'], ['11:00:00', '12:00:00', 'oof'], ['12:00:00', '13:00:00', 'no-data'], ['13:00:00', '14:00:00', 'working-elsewhere']);
    const text = await encodeBusyEvents({ freeBusy, uid: 'tmp_one', stamp: WINDOW.start }, 'free');
    const events = new ICAL.Component(ICAL.parse(text) as unknown[]).getAllSubcomponents('vevent').map((event) => {
      const value = (name: string): string => String(event.getFirstPropertyValue(name) ?? '');
      return ['uid', 'dtstart', 'dtend', 'sequence', 'status', 'x-microsoft-cdo-intendedstatus', 'x-fb-nodata'].map(value);
    });
    expect(events).toEqual([
      ['tmp_one_0', '2026-11-18T09:00:00Z', '2026-11-18T10:00:00Z', '0', 'CONFIRMED', 'BUSY', ''],
      ['tmp_one_1', '2026-11-18T10:00:00Z', '2026-11-18T11:00:00Z', '0', 'TENTATIVE', 'TENTATIVE', ''],
      ['tmp_one_2', '2026-11-18T11:00:00Z', '2026-11-18T12:00:00Z', '0', 'CONFIRMED', 'OOF', ''],
      ['tmp_one_3', '2026-11-18T12:00:00Z', '2026-11-18T13:00:00Z', '0', 'TENTATIVE', 'TENTATIVE', 'TRUE'],
    ]);
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line), line).toBeLessThanOrEqual(75);
  });
});
