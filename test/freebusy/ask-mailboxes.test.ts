import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { askMailboxes, checkQuestion } from '../../src/freebusy/ask-mailboxes.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusySource } from '../../src/freebusy/source.ts';
import { context } from './asking.ts';
import { at, span, WINDOW } from './oracle.ts';

const DAY_MS = 86_400_000;

function recording(): { readonly source: FreeBusySource; readonly queries: FreeBusyQuery[] } {
  const queries: FreeBusyQuery[] = [];
  const source: FreeBusySource = {
    freeBusy: async (query) => {
      queries.push(query);
      return query.mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, query.window, {}), asOf: at(0) }));
    },
  };
  return { source, queries };
}

describe('asking on behalf of a face', () => {
  it('answers every text in its order and spelling, asks every mailbox once, and nobody about what can be none', async () => {
    const { source, queries } = recording();
    const texts = ['SMTP:Anna@Corp.example', 'a/cn=ceo@corp.example', 'anna@corp.example', '', 'kim@zimbra.example', 'a/cn=ceo@corp.example'];
    const asked = await askMailboxes(source, texts, WINDOW, true, context());
    expect(queries).toEqual([{ mailboxes: ['anna@corp.example', 'kim@zimbra.example'], window: WINDOW, details: true }]);
    expect(asked.map((one) => one.text)).toEqual(texts);
    expect(asked.map((one) => ('error' in one.result ? one.result.error.code : one.result.mailbox))).toEqual([
      'anna@corp.example',
      'MAILBOX_UNKNOWN',
      'anna@corp.example',
      'MAILBOX_UNKNOWN',
      'kim@zimbra.example',
      'MAILBOX_UNKNOWN',
    ]);
  });

  it('asks nobody at all where no text names a mailbox', async () => {
    const { source, queries } = recording();
    const asked = await askMailboxes(source, ['x', 'a@b@c'], WINDOW, false, context());
    expect(queries).toEqual([]);
    expect(asked.map((one) => one.mailbox)).toEqual([undefined, undefined]);
  });

  it('refuses the whole question, before anybody is asked, when it names more than 500', async () => {
    const { source, queries } = recording();
    const many = Array.from({ length: 501 }, () => 'anna@corp.example');
    await expect(askMailboxes(source, many, WINDOW, false, context())).rejects.toMatchObject({ code: 'TOO_MANY_MAILBOXES' });
    expect(queries).toEqual([]);
    await expect(askMailboxes(source, many.slice(1), WINDOW, false, context())).resolves.toHaveLength(500);
  });
});

describe('a question that makes no sense', () => {
  it.each([
    ['reversed', span(10, 5)],
    ['empty', span(5, 5)],
    ['unreadable at its start', { start: NaN, end: at(5) }],
    ['unreadable at its end', { start: at(5), end: NaN }],
    ['endless', { start: at(5), end: Infinity }],
    ['in parts of milliseconds', { start: at(5) + 0.5, end: at(9) }],
    ['beyond what integers hold', { start: -(2 ** 60), end: 2 ** 60 }],
  ])('is refused when its window is %s', (_name, window) => {
    expect(() => checkQuestion(1, window)).toThrow(expect.objectContaining({ code: 'INVALID_WINDOW' }));
  });

  it('is refused one over each bound, and accepted at it', () => {
    const days = (count: number): { start: number; end: number } => ({ start: at(0), end: at(0) + count * DAY_MS });
    expect(() => checkQuestion(500, days(LIMITS.windowDays))).not.toThrow();
    expect(() => checkQuestion(1, { ...days(LIMITS.windowDays), end: days(LIMITS.windowDays).end + 1 })).toThrow(expect.objectContaining({ code: 'WINDOW_TOO_LARGE' }));
    expect(() => checkQuestion(1, span(0, 100_000), 1)).not.toThrow();
    expect(() => checkQuestion(1, span(0, 100_001), 1)).toThrow(expect.objectContaining({ code: 'WINDOW_TOO_LARGE' }));
    expect(() => checkQuestion(100, span(0, 100_000), 1)).not.toThrow();
    expect(() => checkQuestion(101, span(0, 100_000), 1)).toThrow(expect.objectContaining({ code: 'WINDOW_TOO_LARGE' }));
  });

  it.each([0, -30, NaN])('is refused when its slots are %d minutes long', (slotMinutes) => {
    expect(() => checkQuestion(1, WINDOW, slotMinutes)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(?:INVALID_WINDOW|WINDOW_TOO_LARGE|INVALID_REQUEST)$/) as string }));
  });
});
