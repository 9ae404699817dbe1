import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyResult } from '../../src/freebusy/source.ts';
import { Flights } from '../../src/lookup/flights.ts';
import type { FlightPlan } from '../../src/lookup/flights.ts';
import type { SystemQuestion } from '../../src/lookup/question.ts';
import { pending, turns } from '../freebusy/asking.ts';
import { ANNA, at, KIM, span, WINDOW } from '../freebusy/oracle.ts';

const never = new AbortController().signal;
const soon = (ms: number): number => Date.now() + ms;
const question = (changes: Partial<SystemQuestion> = {}): SystemQuestion => ({ mailboxes: [ANNA], window: WINDOW, details: false, workingHours: false, hops: 0, ...changes });
const plan = (ask: FlightPlan['ask'], changes: Partial<FlightPlan> = {}): FlightPlan => ({ system: 'corp', question: question(), until: soon(5_000), isShared: true, ask, onResult: () => undefined, ...changes });
const free = (mailbox: MailboxAddress): FreeBusyResult => ({ mailbox, freeBusy: freeBusyFrom(mailbox, WINDOW, {}), asOf: at(0) });
const found = (flights: Flights, changes: Partial<SystemQuestion> = {}, system = 'corp'): boolean => {
  const { mailboxes, window, ...kind } = question(changes);
  return flights.find(system, mailboxes[0]!, window, kind) !== undefined;
};
const code = (error: unknown): string => (error as { code: string }).code;

describe('a call under way', () => {
  it('is found by whoever wants no more than it will say, and by nobody else', () => {
    const flights = new Flights(systemClock);
    flights.begin(plan(() => new Promise(() => undefined), { question: question({ mailboxes: [ANNA, KIM], details: true, hops: 1 }) }));
    const asked: readonly (readonly [Partial<SystemQuestion>, boolean])[] = [
      [{ hops: 1 }, true],
      [{ hops: 1, mailboxes: [KIM] }, true],
      [{ hops: 1, details: true }, true],
      [{ hops: 1, window: span(60, 61) }, true],
      [{ hops: 1, window: span(299, 300) }, true],
      [{ hops: 1, window: span(59, 300) }, false],
      [{ hops: 1, window: span(60, 301) }, false],
      [{ hops: 1, workingHours: true }, false],
      [{ hops: 0 }, false],
      [{ hops: 1, mailboxes: ['anna@corp.example.x' as MailboxAddress] }, false],
    ];
    expect(asked.map(([changes]) => found(flights, changes))).toEqual(asked.map(([, is]) => is));
    expect(found(flights, { hops: 1 }, 'other')).toBe(false);
    flights.retire();
  });

  it('gives everyone its answer; where it fails as a whole it fails for each mailbox', async () => {
    const flights = new Flights(systemClock);
    const call = pending<readonly FreeBusyResult[]>();
    const flight = flights.begin(plan(() => call.promise));
    const both = [flights.wait(flight, soon(5_000), never), flights.wait(flights.find('corp', ANNA, WINDOW, question())!, soon(5_000), never)];
    call.resolve([free(ANNA)]);
    for (const one of await Promise.all(both)) expect(one.get(ANNA)).toEqual(free(ANNA));
    for (const ask of [() => Promise.reject(new BridgeError('BACKEND_FAULT', 'x')), () => { throw new BridgeError('BACKEND_FAULT', 'x'); }]) {
      const failed = await flights.wait(flights.begin(plan(ask, { question: question({ mailboxes: [ANNA, KIM] }) })), soon(5_000), never);
      expect([...failed.values()]).toMatchObject([{ mailbox: ANNA, error: { code: 'BACKEND_FAULT' } }, { mailbox: KIM, error: { code: 'BACKEND_FAULT' } }]);
    }
  });

  it('lives as long as its most patient waiter: who gives up early gets DEADLINE, who waits gets the answer', async () => {
    const flights = new Flights(systemClock);
    const call = pending<readonly FreeBusyResult[]>();
    let signal: AbortSignal | undefined;
    const flight = flights.begin(plan((given) => {
      signal = given;
      return call.promise;
    }, { until: soon(50) }));
    const hasty = flights.wait(flight, soon(50), never).catch(code);
    const patient = flights.wait(flight, soon(5_000), never);
    expect(await hasty).toBe('DEADLINE');
    expect(signal!.aborted).toBe(false);
    call.resolve([free(ANNA)]);
    expect((await patient).get(ANNA)).toEqual(free(ANNA));
  });

  it('is aborted when its last waiter has gone, not before', async () => {
    const flights = new Flights(systemClock);
    const leaving = [new AbortController(), new AbortController()];
    let signal: AbortSignal | undefined;
    const flight = flights.begin(plan((given) => {
      signal = given;
      return new Promise(() => undefined);
    }));
    const waiting = leaving.map((one) => flights.wait(flight, soon(5_000), one.signal).catch(code));
    leaving[0]!.abort();
    expect(await waiting[0]).toBe('DEADLINE');
    await turns();
    expect([signal!.aborted, found(flights)]).toEqual([false, true]);
    leaving[1]!.abort();
    expect(await waiting[1]).toBe('DEADLINE');
    await turns();
    expect([signal!.aborted, found(flights)]).toEqual([true, false]);
  });

  it('is over once it has been aborted, though it takes its time to end: nobody joins it, and nothing of it is kept', async () => {
    const flights = new Flights(systemClock);
    const told: FreeBusyResult[] = [];
    const call = pending<readonly FreeBusyResult[]>();
    const flight = flights.begin(plan(() => call.promise, { until: soon(20), onResult: (result) => void told.push(result) }));
    expect(await flights.wait(flight, soon(20), never).catch(code)).toBe('DEADLINE');
    expect(found(flights)).toBe(false);
    call.resolve([free(ANNA)]);
    await flight.results;
    expect(told).toEqual([]);
  });

  it('is not found once it has ended, nor where it is shared with nobody', async () => {
    const flights = new Flights(systemClock);
    const told: FreeBusyResult[] = [];
    const flight = flights.begin(plan(async () => [free(ANNA)], { isShared: false, onResult: (result) => void told.push(result) }));
    expect(found(flights)).toBe(false);
    await flights.wait(flight, soon(5_000), never);
    await flights.begin(plan(async () => [free(ANNA)], { onResult: (result) => void told.push(result) })).results;
    expect(found(flights)).toBe(false);
    expect(told).toEqual([free(ANNA), free(ANNA)]);
  });
});

describe('a change', () => {
  it.each([
    ['of everything', [], [false, false, false]],
    ['of a system', ['corp'], [false, false, true]],
    ['of a mailbox', ['corp', [ANNA]], [false, true, true]],
    ['of a mailbox of another system', ['other', [KIM]], [true, true, true]],
  ] as readonly (readonly [string, readonly [system?: string, mailboxes?: readonly MailboxAddress[]], readonly boolean[]])[])('%s makes those calls nobody’s but of those who wait already, and tells nothing of them', async (_name, changed, stillFound) => {
    const flights = new Flights(systemClock);
    const told: string[] = [];
    const call = pending<readonly FreeBusyResult[]>();
    const both = question({ mailboxes: [ANNA, KIM] });
    const corp = flights.begin(plan(() => call.promise, { question: both, onResult: ({ mailbox }) => void told.push(`corp ${mailbox}`) }));
    const other = flights.begin(plan(() => call.promise, { question: question(), system: 'other', onResult: ({ mailbox }) => void told.push(`other ${mailbox}`) }));
    const waiting = flights.wait(corp, soon(5_000), never);
    flights.retire(...changed);
    expect([found(flights), found(flights, { mailboxes: [KIM] }), found(flights, {}, 'other')]).toEqual(stillFound);
    call.resolve([free(ANNA), free(KIM)]);
    expect([...(await waiting).values()]).toEqual([free(ANNA), free(KIM)]);
    await other.results;
    expect(told.map((one) => one.split('@')[0])).toEqual(['corp anna', 'corp kim', 'other anna'].filter((_one, index) => stillFound[index]));
  });
});
