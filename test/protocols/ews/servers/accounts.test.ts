import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../../src/core/clock.ts';
import { availability, fault, response } from '../answer-text.ts';
import { contextWith, ewsStub } from '../ews-stub.ts';
import type { Reply, Seen } from '../ews-stub.ts';
import { accountOf, accounts, addressesOf, busyAnswer, hands, outcomes, people, systemOf, tellingLoads, WINDOW } from './bench.ts';

const question = { mailboxes: people(1), window: WINDOW, details: false };
const M = 'http://schemas.microsoft.com/exchange/services/2006/messages';
const T = 'http://schemas.microsoft.com/exchange/services/2006/types';
const REFUSED: Reply = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
const BACK_OFF = '<t:Value Name="BackOffMilliseconds">7000</t:Value>';

/** The Fault of exchange.md §3.7, types namespace; the response message of the same, messages namespace. */
const busyFault = (figure = BACK_OFF): Reply => ({ status: 500, body: fault('ErrorServerBusy', figure) });
const busyMessage = (request: Seen, code = 'ErrorServerBusy', inside = BACK_OFF): Reply => ({
  body: availability(
    ...addressesOf(request).map(() => `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Error"><m:MessageText>busy</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:MessageXml>${inside}</m:MessageXml></m:ResponseMessage></m:FreeBusyResponse>`),
  ),
});

/** One server with accounts, some of which it treats badly. */
async function exchange(treats: Readonly<Record<string, (request: Seen) => Reply>>, ...names: readonly string[]) {
  const stub = await ewsStub((request) => (treats[accountOf(request)] ?? busyAnswer)(request));
  const clock = hands();
  const loads = tellingLoads();
  return { stub, clock, loads, asked: () => stub.seen.map(accountOf), system: systemOf([stub.url], { accounts: accounts(...names), clock, loads }) };
}

describe('several accounts', () => {
  it('are asked in turn', async () => {
    const { system, asked } = await exchange({}, 'a', 'b', 'c');
    for (let round = 0; round < 6; round++) await system.freeBusy(question, contextWith());
    expect(asked()).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('are asked by what is under way: the parts of one lookup are spread', async () => {
    const { system, asked } = await exchange({}, 'a', 'b');
    await system.freeBusy({ ...question, mailboxes: people(400) }, contextWith());
    expect([...asked()].sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  it.each<readonly [string, Reply]>([
    ['401', REFUSED],
    ['403', { status: 403 }],
    ['ErrorAccountDisabled', { status: 500, body: fault('ErrorAccountDisabled') }],
    ['ErrorPasswordExpired', { status: 500, body: fault('ErrorPasswordExpired') }],
    ['456 of Exchange Online', { status: 456 }],
  ])('one that is refused (%s) is left out until its time, and the others go on', async (_name, refusal) => {
    const { system, asked, clock } = await exchange({ a: () => refusal }, 'a', 'b');
    for (let round = 0; round < 4; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
    expect(asked()).toEqual(['a', 'b', 'b', 'b', 'b']);
    clock.pass(5_001);
    for (let round = 0; round < 2; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
    expect(asked().slice(5).sort()).toEqual(['a', 'b', 'b']);
  });

  it('fail the lookup only when none is left, each refused once; nobody is asked again before its time, or the accounts are locked', async () => {
    const { system, asked, clock } = await exchange({ a: () => REFUSED, b: () => REFUSED, c: () => REFUSED }, 'a', 'b', 'c');
    for (let round = 0; round < 3; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_AUTH']);
    expect(asked()).toEqual(['a', 'b', 'c']);
    clock.pass(5_001);
    await system.freeBusy(question, contextWith());
    expect(asked()).toHaveLength(6);
  });

  it('send a wrong password once, however many lookups begin at the same time, and one by one once it was refused', async () => {
    const { system, asked } = await exchange({ a: () => REFUSED }, 'a');
    const together = (): Promise<string[][]> => Promise.all(Array.from({ length: 12 }, async () => outcomes(await system.freeBusy(question, contextWith()))));
    expect((await together()).flat()).toEqual(Array.from({ length: 12 }, () => 'BACKEND_AUTH'));
    expect(asked()).toHaveLength(1);
  });

  it('are asked all at once as soon as one was let in', async () => {
    const { system, asked } = await exchange({}, 'a');
    const answers = await Promise.all(Array.from({ length: 12 }, async () => outcomes(await system.freeBusy(question, contextWith()))));
    expect(answers.flat()).toEqual(Array.from({ length: 12 }, () => 'busy'));
    expect(asked()).toHaveLength(12);
  });

  it('are at most ten requests to a server that refuses every one of them', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `account${index}`);
    const { system, asked } = await exchange(Object.fromEntries(names.map((name) => [name, () => REFUSED])), ...names);
    await system.freeBusy({ mailboxes: people(500), window: { start: WINDOW.start, end: WINDOW.start + 210 * DAY_MS }, details: false }, contextWith());
    expect(asked().length).toBeLessThanOrEqual(10);
  });
});

describe('a busy server', () => {
  it.each<readonly [string, (request: Seen) => Reply, number]>([
    ['ErrorServerBusy in a Fault, with BackOffMilliseconds in the types namespace', () => busyFault(), 7_000],
    ['the same in the messages namespace', () => ({ status: 500, body: fault('ErrorServerBusy', BACK_OFF).replaceAll('<t:MessageXml', '<m:MessageXml').replaceAll('</t:MessageXml', '</m:MessageXml').replace('xmlns:t="' + T + '">' + BACK_OFF, `xmlns:m="${M}" xmlns:t="${T}">${BACK_OFF}`) }), 7_000],
    ['ErrorServerBusy inside a 200', (request) => busyMessage(request), 7_000],
    ['ErrorInternalServerError around it', (request) => busyMessage(request, 'ErrorInternalServerError', `<t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value>${BACK_OFF}`), 7_000],
    ['a Fault inside a 200', () => ({ status: 200, body: fault('ErrorServerBusy', BACK_OFF) }), 7_000],
    ['503 with seconds', () => ({ status: 503, headers: { 'retry-after': '7' } }), 7_000],
    ['503 with SOAP', () => ({ status: 503, body: fault('ErrorServerBusy', BACK_OFF) }), 7_000],
    ['429', () => ({ status: 429, headers: { 'retry-after': '7' } }), 7_000],
    ['503 without a word', () => ({ status: 503 }), 1_000],
    ['503 with a word that is none', () => ({ status: 503, headers: { 'retry-after': 'soon' } }), 1_000],
    ['ErrorServerBusy without a figure', () => busyFault(''), 1_000],
    ['a figure that is none', () => busyFault('<t:Value Name="BackOffMilliseconds">-5e99</t:Value>'), 1_000],
    ['ErrorExceededConnectionCount', () => ({ status: 500, body: fault('ErrorExceededConnectionCount') }), 1_000],
    ['ErrorTooManyObjectsOpened', () => ({ status: 500, body: fault('ErrorTooManyObjectsOpened') }), 1_000],
    ['a figure of a day', () => busyFault('<t:Value Name="BackOffMilliseconds">86400000</t:Value>'), 900_000],
  ])('is left alone as long as it says (%s); meanwhile the answer is "busy" at once, with the rest of the time', async (_name, reply, ms) => {
    let isBusy = true;
    const { system, stub, clock, loads } = await exchange({ a: (request) => (isBusy ? reply(request) : busyAnswer(request)) }, 'a');
    const [first] = await system.freeBusy(question, contextWith());
    expect(first).toMatchObject({ error: { code: 'BACKEND_BUSY', temporary: true, retryAfterMs: ms } });
    // A second is only our guess: where nobody else is left the next question is asked.
    const isGuess = ms === 1_000;
    // By HTTP's own word it is told by the HTTP client, too.
    expect([...new Set(loads.told.get('a')?.heldOff)]).toEqual(isGuess ? [] : [ms]);
    clock.pass(ms - 100);
    const [second] = await system.freeBusy(question, contextWith());
    expect(second).toMatchObject({ error: { code: 'BACKEND_BUSY', retryAfterMs: 100 } });
    expect(stub.seen).toHaveLength(isGuess ? 2 : 1);
    isBusy = false;
    clock.pass(100);
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
  });

  it('may give a date', async () => {
    const { system } = await exchange({ a: () => ({ status: 503, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() } }) }, 'a');
    const [result] = await system.freeBusy(question, contextWith());
    expect('error' in result! ? result.error.retryAfterMs : 0).toBeGreaterThan(50_000);
  });

  it('that gives no figure is asked again after a second, and then later and later, until it is well', async () => {
    let isBusy = true;
    const { system, clock, asked } = await exchange({ a: (request) => (isBusy ? { status: 503 } : busyAnswer(request)) }, 'a');
    const pauses: unknown[] = [];
    for (let round = 0; round < 8; round++) {
      const [result] = await system.freeBusy(question, contextWith());
      const ms = 'error' in result! ? result.error.retryAfterMs! : 0;
      pauses.push(ms);
      clock.pass(ms);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((one) => one * 1_000));
    expect(asked()).toHaveLength(8);
    isBusy = false;
    await system.freeBusy(question, contextWith());
    isBusy = true;
    expect((await system.freeBusy(question, contextWith()))[0]).toMatchObject({ error: { retryAfterMs: 1_000 } });
  });

  it('is asked by the other accounts meanwhile', async () => {
    const { system, asked } = await exchange({ a: () => busyFault() }, 'a', 'b');
    for (let round = 0; round < 4; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
    expect(asked()).toEqual(['a', 'b', 'b', 'b', 'b']);
  });

  it('for one mailbox spoils no other, and that one is asked for by another account', async () => {
    const one = (request: Seen): Reply => ({
      body: availability(
        ...addressesOf(request).map((address) => (address.startsWith('p1@') ? /<m:FreeBusyResponse>.*<\/m:FreeBusyResponse>/.exec(busyMessage(request).body!.replace(/(<\/m:FreeBusyResponse>).*(?=<\/m:FreeBusyResponseArray>)/, '$1'))![0] : response('<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray/>'))),
      ),
    });
    const several = await exchange({ a: one }, 'a', 'b');
    expect(outcomes(await several.system.freeBusy({ ...question, mailboxes: people(3) }, contextWith()))).toEqual(['free', 'busy', 'free']);
    expect(several.stub.seen.map(addressesOf)).toEqual([['p0@works.example', 'p1@works.example', 'p2@works.example'], ['p1@works.example']]);
    const alone = await exchange({ a: one }, 'a');
    expect(outcomes(await alone.system.freeBusy({ ...question, mailboxes: people(3) }, contextWith()))).toEqual(['free', 'BACKEND_BUSY', 'free']);
  });
});

describe('a 401 of an account that was let in a moment ago', () => {
  it('is asked once more after a pause, and nothing is known of it', async () => {
    let refusals = 0;
    const { system, stub } = await exchange({ a: (request) => (stub.seen.length > 1 && refusals++ === 0 ? REFUSED : busyAnswer(request)) }, 'a');
    for (let round = 0; round < 2; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
    expect(stub.seen).toHaveLength(3);
  });

  it('is "busy" the second time, and a refusal when it stays so', async () => {
    let isRefusing = false;
    const { system, stub, clock } = await exchange({ a: (request) => (isRefusing ? REFUSED : busyAnswer(request)) }, 'a');
    await system.freeBusy(question, contextWith());
    isRefusing = true;
    expect((await system.freeBusy(question, contextWith()))[0]).toMatchObject({ error: { code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 1_000 } });
    expect(stub.seen).toHaveLength(3);
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_BUSY']);
    expect(stub.seen).toHaveLength(3);
    clock.pass(1_000);
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_AUTH']);
    expect(stub.seen).toHaveLength(4);
  });

  it('is a refusal at once where the account was never let in, or long ago', async () => {
    let isRefusing = false;
    const { system, stub, clock } = await exchange({ a: (request) => (isRefusing ? REFUSED : busyAnswer(request)) }, 'a');
    await system.freeBusy(question, contextWith());
    isRefusing = true;
    clock.pass(6 * 60_000);
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_AUTH']);
    expect(stub.seen).toHaveLength(2);
  });

  it('costs no pause where another account is left', async () => {
    let isRefusing = false;
    const { system, asked } = await exchange({ a: (request) => (isRefusing ? REFUSED : busyAnswer(request)) }, 'a', 'b');
    for (let round = 0; round < 2; round++) await system.freeBusy(question, contextWith());
    isRefusing = true;
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
    expect(asked()).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('how much is asked at the same time', () => {
  const old = (request: Seen): Reply => ({ body: busyAnswer(request).body!.replace('MajorVersion="15"', 'MajorVersion="14"') });

  it('is ten until the server says that it is 2013 or later, then 27', async () => {
    const { system, loads } = await exchange({ a: old, b: busyAnswer }, 'a', 'b');
    for (let round = 0; round < 4; round++) await system.freeBusy(question, contextWith());
    expect([loads.told.get('a')?.concurrency, loads.told.get('b')?.concurrency.slice(0, 2)]).toEqual([[10], [10, 27]]);
  });

  it('is what is configured, whatever the server says', async () => {
    const stub = await ewsStub(busyAnswer);
    const loads = tellingLoads();
    await systemOf([stub.url], { accounts: accounts('a'), loads, concurrency: 5 }).freeBusy(question, contextWith());
    expect(loads.told.get('a')?.concurrency).toEqual([5]);
  });

  it('is less for good after the server has refused one request too many', async () => {
    let refusals = 0;
    const { system, loads, clock } = await exchange({ a: (request) => (refusals++ === 3 ? { status: 500, body: fault('ErrorExceededConnectionCount') } : busyAnswer(request)) }, 'a');
    await system.freeBusy({ ...question, mailboxes: people(400) }, contextWith());
    clock.pass(2_000);
    await system.freeBusy(question, contextWith());
    expect(loads.told.get('a')!.concurrency.at(-1)).toBeLessThan(4);
  });
});
