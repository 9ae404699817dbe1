import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/clock.ts';
import { availability, events, fault, response } from './answer-text.ts';
import { contextWith, ewsStub } from './ews-stub.ts';
import type { Reply, Seen } from './ews-stub.ts';
import { addressesOf, busyAnswer, outcomes, people, systemOf, WINDOW } from './servers/bench.ts';

const start = Date.parse('2026-06-01T00:00:00Z');
const windowOf = (request: Seen): readonly [number, number] => {
  const [from, to] = [...request.body.matchAll(/<t:(?:Start|End)Time>([^<]+)</g)].map((match) => Date.parse(`${match[1]!}Z`));
  return [from!, to!];
};
const daysOf = (request: Seen): number => (windowOf(request)[1] - windowOf(request)[0]) / DAY_MS;
const inEveryPlace = (request: Seen, code: string): Reply => ({ body: availability(...addressesOf(request).map(() => response(undefined, code))) });

describe('a server that takes less at once', () => {
  it.each<readonly [string, (request: Seen) => Reply]>([
    ['a Fault', () => ({ status: 500, body: fault('ErrorMailboxDataArrayTooBig') })],
    ['a Fault in a 200', () => ({ body: fault('ErrorMailboxDataArrayTooBig') })],
    ['every mailbox\'s place', (request) => inEveryPlace(request, 'ErrorMailboxDataArrayTooBig')],
    ['one place for all', () => ({ body: availability(response(undefined, 'ErrorMailboxDataArrayTooBig')) })],
    ['413', () => ({ status: 413, body: '<html/>' })],
    ['404.13', () => ({ status: 404, body: '<html><h2>404.13 - Not Found</h2></html>' })],
  ])('is asked about half as many, and so from then on (said in %s)', async (_name, refusal) => {
    const stub = await ewsStub((request) => (addressesOf(request).length > 30 ? refusal(request) : busyAnswer(request)));
    const system = systemOf([stub.url]);
    const mailboxes = people(100);
    const results = await system.freeBusy({ mailboxes, window: WINDOW, details: false }, contextWith());
    expect(results.map((one) => one.mailbox)).toEqual(mailboxes);
    expect(new Set(outcomes(results))).toEqual(new Set(['busy']));
    // Halves go out side by side.
    expect(stub.seen.map((one) => addressesOf(one).length)).toEqual([100, 50, 50, 25, 25, 25, 25]);
    await system.freeBusy({ mailboxes, window: WINDOW, details: false }, contextWith());
    expect(stub.seen.slice(7).map((one) => addressesOf(one).length)).toEqual([25, 25, 25, 25]);
  });

  it('is asked about narrower windows, joined again, and so from then on', async () => {
    const stub = await ewsStub((request) => (daysOf(request) > 14 ? { status: 500, body: fault('ErrorTimeIntervalTooBig') } : { body: availability(response(events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy'], ['2026-07-04T09:00:00', '2026-07-04T09:30:00', 'OOF']))) }));
    const system = systemOf([stub.url]);
    const question = { mailboxes: people(1), window: { start, end: start + 35 * DAY_MS }, details: false };
    const [result] = await system.freeBusy(question, contextWith());
    expect(result).toMatchObject({ freeBusy: { busy: [{ busyType: 'busy' }, { busyType: 'oof' }] } });
    expect(stub.seen.map(daysOf)).toEqual([35, 31, 4, 20, 11, 14, 6]);
    await system.freeBusy(question, contextWith());
    expect(stub.seen.slice(7).map(daysOf)).toEqual([14, 14, 7]);
  });

  it('is asked for digits of half an hour where it refuses ours, also for a few minutes', async () => {
    const stub = await ewsStub((request) => (request.body.includes('InMinutes>30<') ? busyAnswer(request) : { status: 500, body: fault('ErrorInvalidMergedFreeBusyInterval') }));
    const system = systemOf([stub.url]);
    const window = { start: WINDOW.start + 5 * 60_000, end: WINDOW.start + 10 * 60_000 };
    const [result] = await system.freeBusy({ mailboxes: people(1), window, details: false }, contextWith());
    expect(result).toMatchObject({ freeBusy: { window, busy: [{ ...window, busyType: 'busy' }] } });
    expect(windowOf(stub.seen[1]!)).toEqual([WINDOW.start, WINDOW.start + 30 * 60_000]);
    await system.freeBusy({ mailboxes: people(1), window, details: false }, contextWith());
    expect(stub.seen).toHaveLength(3);
  });

  it('is asked about a list with too many members alone; the others keep their answers', async () => {
    const stub = await ewsStub((request) => ({ body: availability(...addressesOf(request).map((one) => (one.startsWith('p1@') ? response(undefined, 'ErrorFreeBusyDLLimitReached') : response(events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']))))) }));
    const results = await systemOf([stub.url]).freeBusy({ mailboxes: people(3), window: WINDOW, details: false }, contextWith());
    expect(outcomes(results)).toEqual(['busy', 'NO_DATA', 'busy']);
    expect(stub.seen.map(addressesOf)).toEqual([['p0@works.example', 'p1@works.example', 'p2@works.example'], ['p1@works.example']]);
  });

  it('keeps what others were told where one piece fails', async () => {
    const stub = await ewsStub((request) => (addressesOf(request).length > 2 ? { status: 413 } : addressesOf(request).includes('p3@works.example') ? { status: 500, body: fault('ErrorInternalServerError') } : busyAnswer(request)));
    const results = await systemOf([stub.url]).freeBusy({ mailboxes: people(8), window: WINDOW, details: false }, contextWith());
    expect(outcomes(results)).toEqual(['busy', 'busy', 'BACKEND_FAULT', 'BACKEND_FAULT', 'busy', 'busy', 'busy', 'busy']);
  });

  it.each(['ErrorMailboxDataArrayTooBig', 'ErrorTimeIntervalTooBig', 'ErrorInvalidMergedFreeBusyInterval'])('is not asked without end where it always says %s, and nothing is learnt of it', async (code) => {
    let isHostile = true;
    const stub = await ewsStub((request) => (isHostile ? { status: 500, body: fault(code) } : busyAnswer(request)));
    const system = systemOf([stub.url]);
    const question = { mailboxes: people(40), window: { start, end: start + 30 * DAY_MS }, details: false };
    const results = await system.freeBusy(question, contextWith());
    expect(new Set(outcomes(results))).toEqual(new Set(['BACKEND_FAULT']));
    expect(stub.seen.length).toBeLessThan(100);
    isHostile = false;
    expect(new Set(outcomes(await system.freeBusy(question, contextWith())))).toEqual(new Set(['busy']));
  });
});
