import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { decodeFreeBusyReply } from '../../../src/protocols/icalendar/free-busy-reply.ts';

const FIXTURES = new URL('../../../fixtures/icalendar/free-busy-reply/', import.meta.url);

const iso = (instant: number): string => new Date(instant).toISOString();

async function readable(text: string): Promise<unknown> {
  try {
    const { window, busy } = await decodeFreeBusyReply(text);
    return {
      window: { start: iso(window.start), end: iso(window.end) },
      busy: busy.map(({ start, end, busyType }) => ({ start: iso(start), end: iso(end), busyType })),
    };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { error: error.code };
  }
}

describe('decodeFreeBusyReply', () => {
  for (const name of readdirSync(FIXTURES)) {
    it(`reads the case ${name} as its expected.json says`, async () => {
      const folder = new URL(`${name}/`, FIXTURES);
      const expected: unknown = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'));
      expect(await readable(readFileSync(new URL('message.ics', folder), 'utf8'))).toEqual(expected);
    });
  }

  const whole = readFileSync(new URL('zimbra-ifb/message.ics', FIXTURES), 'utf8');

  it('reads a file with a byte order mark', async () => {
    expect(await readable(`\uFEFF${whole}`)).toEqual(await readable(whole));
  });

  it('refuses an answer that was cut off anywhere', async () => {
    for (let length = 0; length < whole.trimEnd().length; length++) {
      expect(await readable(whole.slice(0, length)), `cut after ${length}`).toHaveProperty('error');
    }
  });

  it('reads the same however the lines are folded', async () => {
    const expected = await readable(whole);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 75 }), fc.constantFrom('\r\n ', '\n\t'), async (width, fold) => {
        const folded = whole.split('\r\n').map((line) => line.match(new RegExp(`.{1,${width}}`, 'g'))?.join(fold) ?? '');
        expect(await readable(folded.join('\r\n'))).toEqual(expected);
      }),
    );
  });

  it('never throws anything but a BridgeError, whatever it is given', async () => {
    const lines = ['BEGIN:VCALENDAR', 'BEGIN:VFREEBUSY', 'DTSTART:20261118T080000Z', 'DTEND:20261119T080000Z', 'END:VFREEBUSY', 'END:VCALENDAR'];
    const odd = fc.oneof(
      fc.constantFrom(...lines, 'FREEBUSY;VALUE=constructor:1/2', 'FREEBUSY;__proto__=x:', 'FREEBUSY;FBTYPE:', ';', ':', 'FREEBUSY;A="', 'FREEBUSY:/', 'DTSTART;VALUE=PERIOD:x'),
      fc.string(),
      fc.string().map((text) => `FREEBUSY;${text}`),
      fc.string().map((text) => `FREEBUSY:20261118T090000Z/${text}`),
    );
    await fc.assert(fc.asyncProperty(fc.array(odd, { maxLength: 12 }), async (some) => void (await readable([...lines.slice(0, 4), ...some, ...lines.slice(4)].join('\n')))));
  });
});

describe('the bounds of decodeFreeBusyReply', () => {
  const head = 'BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nDTSTART:20260101T000000Z\r\nDTEND:20270101T000000Z\r\n';
  const tail = 'END:VFREEBUSY\r\nEND:VCALENDAR\r\n';
  const period = '20261118T090000Z/20261118T100000Z';
  const list = (count: number): string => `${head}FREEBUSY:${Array.from({ length: count }, () => period).join(',')}\r\n${tail}`;

  it('takes as many periods as a mailbox may have events, and one more not', async () => {
    expect((await decodeFreeBusyReply(list(LIMITS.eventsPerMailbox))).busy).toHaveLength(LIMITS.eventsPerMailbox);
    expect(await readable(list(LIMITS.eventsPerMailbox + 1))).toEqual({ error: 'BACKEND_TOO_LARGE' });
  });

  it('refuses more than 4 Mi characters', async () => {
    expect(await readable(head + 'X:y\r\n'.repeat(900_000) + tail)).toEqual({ error: 'BACKEND_TOO_LARGE' });
  });

  it('refuses components nested too deep', async () => {
    expect(await readable('BEGIN:VCALENDAR\r\n'.repeat(2_000))).toEqual({ error: 'BACKEND_MALFORMED' });
  });

  const hostile: Readonly<Record<string, string>> = {
    '50,000 lines': head + `FREEBUSY;FBTYPE=BUSY:${period}\r\n`.repeat(50_000) + tail,
    'a list of 50,000 periods': list(50_000),
    'a million empty folds': `${head}FREEBUSY:${period}${'\r\n '.repeat(1_000_000)}\r\n${tail}`,
    'four million line feeds': head + '\n'.repeat(4_000_000) + tail,
    'a line of a million parameters': `${head}FREEBUSY${';A=B'.repeat(1_000_000)}:${period}\r\n${tail}`,
    'one line of 4 MB': `${head}${'X'.repeat(4_000_000)}\r\n${tail}`,
    'four million commas': `${head}FREEBUSY:${','.repeat(4_000_000)}\r\n${tail}`,
  };
  for (const [name, text] of Object.entries(hostile)) {
    it(`lets the event loop go on while it reads ${name}`, async () => {
      const holds = [await longestHold(text)];
      // The first read warms up, and other programs may have the processor: one undisturbed round in five is enough.
      while (holds.length < 5 && Math.min(...holds) >= 50) holds.push(await longestHold(text));
      expect(Math.min(...holds)).toBeLessThan(50);
    });
  }
});

/** The longest time between two turns of a timer while the text is read, in milliseconds. */
async function longestHold(text: string): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const note = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(note, 1);
  // Nothing but the reading itself; what it says of these is tested above.
  await decodeFreeBusyReply(text).catch((error: unknown) => expect(error).toBeInstanceOf(BridgeError));
  note();
  clearInterval(timer);
  return longest;
}

describe('a Zimbra that answers', () => {
  // zimbra.md §3.1 and §3.2: for people it does not know it sends a whole VFREEBUSY without a single period.
  const answer = (product: string, periods: string): string =>
    `BEGIN:VCALENDAR\r\nPRODID:${product}\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\nDTSTART:20261118T080000Z\r\nDTEND:20261118T180000Z\r\n${periods}END:VFREEBUSY\r\nEND:VCALENDAR\r\n`;

  it('without a period says nothing: it may be about nobody', async () => {
    await expect(decodeFreeBusyReply(answer('Zimbra-Calendar-Provider', ''))).rejects.toMatchObject({ code: 'NO_DATA' });
  });

  it('with a period is believed, and so is another product without one', async () => {
    expect((await decodeFreeBusyReply(answer('Zimbra-Calendar-Provider', 'FREEBUSY;FBTYPE=BUSY:20261118T090000Z/20261118T103000Z\r\n'))).busy).toHaveLength(1);
    expect((await decodeFreeBusyReply(answer('-//Example//EN', ''))).busy).toEqual([]);
  });
});
