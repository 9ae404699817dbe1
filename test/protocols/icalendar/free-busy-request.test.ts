import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { decodeFreeBusyRequest } from '../../../src/protocols/icalendar/free-busy-request.ts';

const FIXTURES = new URL('../../../fixtures/icalendar/free-busy-request/', import.meta.url);

const iso = (instant: number): string => new Date(instant).toISOString();
const bytes = (text: string): Uint8Array => Buffer.from(text);

async function readable(body: Uint8Array, charset?: string): Promise<unknown> {
  try {
    const { uid, organizer, attendees, window } = await decodeFreeBusyRequest(body, charset);
    return { uid, organizer: organizer ?? null, attendees, window: { start: iso(window.start), end: iso(window.end) } };
  } catch (error) {
    if (!(error instanceof BridgeError) || error.details['precondition'] === undefined) throw error;
    return { precondition: error.details['precondition'] };
  }
}

describe('decodeFreeBusyRequest', () => {
  for (const name of readdirSync(FIXTURES)) {
    it(`reads the case ${name} as its expected.json says`, async () => {
      const folder = new URL(`${name}/`, FIXTURES);
      const expected: unknown = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'));
      expect(await readable(readFileSync(new URL('message.ics', folder)))).toEqual(expected);
    });
  }

  const whole = readFileSync(new URL('rfc6638-appendix-b/message.ics', FIXTURES), 'utf8');
  const withAttendees = (count: number): string => whole.replace(/(ATTENDEE.*\r\n)+/, Array.from({ length: count }, (_, at) => `ATTENDEE:mailto:user${at}@example.com\r\n`).join(''));

  it('refuses a message that was cut off anywhere', async () => {
    for (let length = 0; length < whole.trimEnd().length; length++) {
      expect(await readable(bytes(whole.slice(0, length))), `cut after ${length}`).toHaveProperty('precondition');
    }
  });

  it('reads the same however its octets are folded', async () => {
    const odd = whole.replace('Mike Douglass', 'Mïke Dóuglass 道').replace('mike@', 'mïke@');
    const expected = await readable(bytes(odd));
    expect(expected).toHaveProperty('attendees', ['mailto:wilfredo@example.com', 'mailto:bernard@example.net', 'mailto:mïke@example.org']);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 75 }), fc.constantFrom('\r\n ', '\n\t'), async (width, fold) => {
        const lines = odd.split('\r\n').map((line) => Buffer.from(line).toString('latin1').match(new RegExp(`.{1,${width}}`, 'gs'))?.join(fold) ?? '');
        expect(await readable(Buffer.from(lines.join('\r\n'), 'latin1'))).toEqual(expected);
      }),
    );
  });

  it('reads the charset that the media type names, and refuses one that nobody knows', async () => {
    const umlaut = Buffer.from(whole.replace('mike@', 'm\u00fcller@'), 'latin1');
    expect(await readable(umlaut, 'iso-8859-1')).toHaveProperty('attendees.2', 'mailto:müller@example.org');
    expect(await readable(umlaut, 'utf-8')).toEqual({ precondition: 'valid-calendar-data' });
    expect(await readable(bytes(whole), 'x-nobody')).toEqual({ precondition: 'valid-calendar-data' });
  });

  it('takes as many attendees as an outbox does, and one more not', async () => {
    expect(await readable(bytes(withAttendees(LIMITS.outboxAttendees)))).toHaveProperty(`attendees.${LIMITS.outboxAttendees - 1}`);
    expect(await readable(bytes(withAttendees(LIMITS.outboxAttendees + 1)))).toEqual({ precondition: 'max-attendees-per-instance' });
    expect(await readable(bytes(withAttendees(10_000)))).toEqual({ precondition: 'max-attendees-per-instance' });
  });

  it('knows the rules of Morocco for no wall clock, and says so instead of being an hour off', async () => {
    const inZone = (zone: string): Uint8Array => bytes(whole.replace(/DTSTART.*/, `DTSTART;TZID=${zone}:20260310T090000`).replace(/DTEND.*/, `DTEND;TZID=${zone}:20260310T100000`));
    expect(await readable(inZone('Africa/Casablanca'))).toEqual({ precondition: 'valid-calendar-data' });
    expect(await readable(inZone('Africa/Tunis'))).toHaveProperty('window.start', '2026-03-10T08:00:00.000Z');
  });

  it('never throws anything but what names a precondition, whatever it is given', async () => {
    const lines = whole.split('\r\n');
    const odd = fc.oneof(
      fc.constantFrom('BEGIN:VTIMEZONE', 'TZID:__proto__', 'BEGIN:STANDARD', 'END:STANDARD', 'END:VTIMEZONE', 'RRULE:=;=', 'TZOFFSETTO:+9999', 'DTSTART;TZID=constructor:20261118T090000', 'ATTENDEE;A="', 'UID:', ';', ':'),
      fc.string(),
      fc.string().map((text) => `ATTENDEE;${text}`),
      fc.string().map((text) => `DTSTART;TZID=${text}:20261118T090000`),
    );
    await fc.assert(fc.asyncProperty(fc.array(odd, { maxLength: 8 }), fc.nat({ max: lines.length }), async (some, at) => void (await readable(bytes([...lines.slice(0, at), ...some, ...lines.slice(at)].join('\r\n'))))));
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (some) => void (await readable(some))));
  });
});

describe('the bounds of decodeFreeBusyRequest', () => {
  const head = 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:1\r\nDTSTART:20260101T000000Z\r\nDTEND:20260102T000000Z\r\n';
  const tail = 'END:VFREEBUSY\r\nEND:VCALENDAR\r\n';
  const zone = 'BEGIN:VTIMEZONE\r\nTZID:x\r\n';

  it('refuses components nested too deep, and a zone of too many parts', async () => {
    expect(await readable(bytes('BEGIN:VCALENDAR\r\n' + 'BEGIN:X-A\r\n'.repeat(2_000)))).toEqual({ precondition: 'valid-calendar-data' });
    expect(await readable(bytes(`BEGIN:VCALENDAR\r\n${zone}${'BEGIN:STANDARD\r\nEND:STANDARD\r\n'.repeat(100_000)}`))).toEqual({ precondition: 'valid-calendar-data' });
  });

  const hostile: Readonly<Record<string, string>> = {
    'a million empty folds': `${head}ATTENDEE:mailto:a@b${'\r\n '.repeat(1_000_000)}\r\n${tail}`,
    'four million line feeds': head + '\n'.repeat(4_000_000) + tail,
    '200,000 lines that nobody wants': head + 'X-A;B=C:d e f g h\r\n'.repeat(200_000) + tail,
    'a line of a million parameters': `${head}ATTENDEE${';A=B'.repeat(1_000_000)}:mailto:a@b\r\n${tail}`,
    '100,000 zones': `BEGIN:VCALENDAR\r\n${`${zone}END:VTIMEZONE\r\n`.repeat(100_000)}END:VCALENDAR\r\n`,
    'one line of 4 MB': `${head}ATTENDEE:${'x'.repeat(4_000_000)}\r\n${tail}`,
  };
  for (const [name, text] of Object.entries(hostile)) {
    it(`lets the event loop go on while it reads ${name}`, async () => {
      const body = bytes(text);
      const holds = [await longestHold(body)];
      // The first read warms up, and other programs may have the processor: one undisturbed round in eight is enough.
      while (holds.length < 8 && Math.min(...holds) >= 50) holds.push(await longestHold(body));
      expect(Math.min(...holds)).toBeLessThan(50);
    });
  }
});

/** The longest time between two turns of a timer while the message is read, in milliseconds. */
async function longestHold(body: Uint8Array): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const note = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(note, 1);
  await readable(body);
  note();
  clearInterval(timer);
  return longest;
}
