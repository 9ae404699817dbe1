import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { askInParts, groupsOf } from '../../src/freebusy/ask-in-parts.ts';
import type { PartsPlan, QueryPart } from '../../src/freebusy/ask-in-parts.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyResult } from '../../src/freebusy/source.ts';
import { context, pending, turns } from './asking.ts';
import { at, span } from './oracle.ts';

const DAY = 24 * 60;
const people = (count: number): readonly MailboxAddress[] => Array.from({ length: count }, (_, index) => `u${index}@corp.example` as MailboxAddress);

const busyThrough = (part: QueryPart): readonly FreeBusyResult[] =>
  part.mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, part.window, { busy: [{ ...part.window, busyType: 'busy' }] }), asOf: at(7) }));

const plan = (ask: PartsPlan['ask'], changes: Partial<PartsPlan> = {}): PartsPlan => ({ group: (mailboxes) => groupsOf(mailboxes, 2), maxDays: 1, now: () => at(9), ask, ...changes });
const query = (count: number, days: number): { mailboxes: readonly MailboxAddress[]; window: { start: number; end: number }; details: boolean } => ({ mailboxes: people(count), window: span(0, days * DAY), details: false });

describe('a question asked in parts', () => {
  it('asks every mailbox about every piece once, in parts that fit, and answers in the order asked', async () => {
    const parts: QueryPart[] = [];
    const results = await askInParts(query(5, 3), context(), plan(async (part) => {
      parts.push(part);
      return [...busyThrough(part)].reverse();
    }));
    expect(parts).toHaveLength(9);
    expect(parts.every((part) => part.mailboxes.length <= 2)).toBe(true);
    for (const mailbox of people(5)) {
      expect(parts.filter((part) => part.mailboxes.includes(mailbox)).map((part) => part.window)).toEqual([span(0, DAY), span(DAY, 2 * DAY), span(2 * DAY, 3 * DAY)]);
    }
    expect(results.map((one) => one.mailbox)).toEqual(people(5));
    for (const one of results) expect(one).toMatchObject({ freeBusy: { window: span(0, 3 * DAY), busy: [{ ...span(0, 3 * DAY), busyType: 'busy' }] }, asOf: at(7) });
  });

  it('runs at most four parts at a time', async () => {
    const open: { resolve: () => void }[] = [];
    let most = 0;
    let running = 0;
    const asked = askInParts(query(12, 1), context(), plan(async (part) => {
      most = Math.max(most, ++running);
      const wait = pending<void>();
      open.push({ resolve: () => wait.resolve() });
      await wait.promise;
      running -= 1;
      return busyThrough(part);
    }));
    for (let round = 0; round < 6; round++) {
      await turns();
      open.shift()?.resolve();
    }
    expect((await asked).every((one) => 'freeBusy' in one)).toBe(true);
    expect(most).toBe(4);
  });

  it('makes a piece that failed no data, inside an answer of which the rest came', async () => {
    const results = await askInParts(query(3, 3), context(), plan(async (part) => {
      if (part.window.start === at(DAY) && part.mailboxes.includes(people(1)[0]!)) throw new BridgeError('BACKEND_MALFORMED', 'broken');
      return busyThrough(part);
    }));
    const hole = [{ ...span(0, DAY), busyType: 'busy' }, { ...span(DAY, 2 * DAY), busyType: 'no-data' }, { ...span(2 * DAY, 3 * DAY), busyType: 'busy' }];
    expect(results.map((one) => ('freeBusy' in one ? one.freeBusy.busy : one.error.code))).toEqual([hole, hole, [{ ...span(0, 3 * DAY), busyType: 'busy' }]]);
  });

  it('makes a mailbox that one part does not mention no data for that piece', async () => {
    const results = await askInParts(query(2, 2), context(), plan(async (part) => busyThrough(part).slice(part.window.start === at(0) ? 0 : 1)));
    expect(results[0]).toMatchObject({ freeBusy: { busy: [{ ...span(0, DAY), busyType: 'busy' }, { ...span(DAY, 2 * DAY), busyType: 'no-data' }] } });
  });

  it('says that the calendar system did not speak about a mailbox that no part mentions', async () => {
    for (const days of [1, 2]) {
      const results = await askInParts(query(2, days), context(), plan(async (part) => busyThrough(part).slice(1)));
      expect(results[0]).toMatchObject({ mailbox: people(1)[0], error: { code: 'NO_DATA' } });
      expect(results[1]).toHaveProperty('freeBusy');
    }
  });

  it('gives the first error where nothing came, whichever part failed first in time', async () => {
    const codes = ['BACKEND_BUSY', 'BACKEND_FAULT', 'BACKEND_MALFORMED'] as const;
    const results = await askInParts(query(1, 3), context(), plan(async (part) => {
      const piece = (part.window.start - at(0)) / (DAY * 60_000);
      for (let wait = 3 - piece; wait > 0; wait--) await turns();
      throw new BridgeError(codes[piece]!, 'x');
    }));
    expect(results).toMatchObject([{ error: { code: 'BACKEND_BUSY' } }]);
  });

  it('gives the error that came where the first piece said nothing at all', async () => {
    const results = await askInParts(query(1, 2), context(), plan(async (part) => {
      if (part.window.start === at(0)) return [];
      throw new BridgeError('BACKEND_FAULT', 'x');
    }));
    expect(results).toMatchObject([{ error: { code: 'BACKEND_FAULT' } }]);
  });

  it('keeps one mailbox that failed in its place, and the others whole', async () => {
    const results = await askInParts(query(3, 2), context(), plan(async (part) =>
      busyThrough(part).map((one) => (one.mailbox === people(2)[1] ? { mailbox: one.mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'x') } : one)),
    ));
    expect(results.map((one) => ('error' in one ? one.error.code : 'ok'))).toEqual(['ok', 'MAILBOX_UNKNOWN', 'ok']);
  });

  it('sends no further part once the credentials were refused', async () => {
    let sent = 0;
    const results = await askInParts(query(40, 1), context(), plan(async () => {
      sent += 1;
      throw new BridgeError('BACKEND_AUTH', 'refused');
    }));
    expect(sent).toBeLessThanOrEqual(4);
    expect(results.every((one) => 'error' in one && one.error.code === 'BACKEND_AUTH')).toBe(true);
  });

  it('sends no further part once nobody waits, and keeps what it has', async () => {
    const gone = new AbortController();
    let sent = 0;
    const results = await askInParts(query(2, 8), context({ signal: gone.signal }), plan(async (part) => {
      if (++sent === 4) gone.abort();
      return busyThrough(part);
    }));
    expect(sent).toBe(4);
    expect(results).toMatchObject([{ freeBusy: { busy: [{ ...span(0, 4 * DAY), busyType: 'busy' }, { ...span(4 * DAY, 8 * DAY), busyType: 'no-data' }] } }, { freeBusy: {} }]);
  });

  it('turns what a client threw by mistake into INTERNAL without its text', async () => {
    const results = await askInParts(query(1, 1), context(), plan(async () => {
      throw new TypeError('password=canary');
    }));
    expect(results).toMatchObject([{ error: { code: 'INTERNAL', publicMessage: 'internal error' } }]);
  });

  it('says that an answer is as old as its oldest piece, and that a stale piece makes it stale', async () => {
    const results = await askInParts(query(1, 2), context(), plan(async (part) =>
      busyThrough(part).map((one): FreeBusyResult => ('error' in one || part.window.start !== at(0) ? one : { ...one, asOf: at(-500), stale: true })),
    ));
    expect(results).toMatchObject([{ asOf: at(-500), stale: true }]);
  });
});

describe('groups', () => {
  it('keep order and lose nobody', () => {
    expect(groupsOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(groupsOf([], 2)).toEqual([]);
    expect(groupsOf([1], 100)).toEqual([[1]]);
  });
});
