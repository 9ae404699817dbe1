import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { OVER } from '../../src/core/over.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusySource } from '../../src/freebusy/source.ts';
import { CalendarReader } from '../../src/presence/calendar-reader.ts';
import type { Channel } from '../../src/presence/calendar-reader.ts';

/** The original's three advanced parameters, as they reach a gateway (presence.md A71 to A73). */

const PEOPLE = Array.from({ length: 30 }, (_, index) => `user${index}@corp.example` as MailboxAddress);

let reader: CalendarReader | undefined;
afterEach(() => reader?.stop());

function reads(channel: Partial<Channel>, freeBusy: FreeBusySource['freeBusy'], mailboxes = PEOPLE) {
  const warned: string[] = [];
  const read = new Set<MailboxAddress>();
  let done = (): void => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  const logger: Logger = { ...silentLogger, warn: (fields, text) => void warned.push(`${String(fields.code ?? fields.reason)}: ${text}`) };
  reader = new CalendarReader({
    channel: { name: 'Head office', source: { freeBusy }, watch: undefined, mailboxesPerRequest: 1, requests: 8, timeoutMs: 20_000, queue: 1_000, ...channel },
    clock: systemClock,
    logger,
    onRead: (mailbox) => {
      read.add(mailbox);
      if (read.size === mailboxes.length) done();
    },
    onLost: () => undefined,
  });
  reader.follow(new Set(mailboxes));
  return { all, warned };
}

const answer: FreeBusySource['freeBusy'] = async ({ mailboxes, window }) => mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: [] }), asOf: Date.now() }));

describe('a gateway is asked', () => {
  it('by so many requests at the same time and no more (exchangeThreads, A73)', async () => {
    let underWay = 0;
    let most = 0;
    const { all } = reads({ requests: 3 }, async (query, ctx) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return answer(query, ctx);
    });
    await all;
    expect(most).toBe(3);
  });

  it('for everybody, however many wait: a queue that is too short is worth a warning and loses nobody (exchangeQueue, A72)', async () => {
    const { all, warned } = reads({ requests: 1, queue: 10 }, answer);
    await all;
    expect(warned).toEqual(['exchangeQueue: more calendars wait to be read than planned for; they are read later']);
  });

  it('no longer than its time: what is not answered by then has failed (exchangeTimeout, A71)', async () => {
    let asked = 0;
    const failed = new Promise<unknown>((resolve) => {
      reads({ timeoutMs: 20 }, async (_query, { signal }) => {
        asked += 1;
        await new Promise((over) => signal.addEventListener('abort', over, { once: true }));
        resolve(signal.reason);
        throw signal.reason;
      }, PEOPLE.slice(0, 1));
    });
    // Ours, not the reader's end.
    expect(await failed).toBe(OVER);
    expect(asked).toBe(1);
  });
});
