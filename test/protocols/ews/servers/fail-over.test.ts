import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/clock.ts';
import { BridgeError } from '../../../../src/core/errors.ts';
import { EwsKnowledge } from '../../../../src/protocols/ews/servers/knowledge.ts';
import { contextWith, ewsStub, SILENCE } from '../ews-stub.ts';
import type { Reply } from '../ews-stub.ts';
import { fault } from '../answer-text.ts';
import { FakeExchange2010 } from '../fake-exchange-2010.ts';
import { EX, IDENTITY, sinkAt, thrownBy, WORKED_EXAMPLE } from '../sink-bench.ts';
import { accounts, busyAnswer, hands, outcomes, people, systemOf, WINDOW } from './bench.ts';

const question = { mailboxes: people(2), window: WINDOW, details: false };
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** Nobody listens there any more. */
async function deadUrl(): Promise<URL> {
  const stub = createServer();
  await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve));
  const { port } = stub.address() as AddressInfo;
  await new Promise<void>((resolve) => stub.close(() => resolve()));
  return new URL(`http://127.0.0.1:${port}/EWS/Exchange.asmx`);
}

/** Takes connections and does with them what it is told. */
async function rawServer(onConnection: (write: (text: string) => void, end: () => void) => void): Promise<URL> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => onConnection((text) => void socket.write(text), () => void socket.destroy()));
    closing.push(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => void server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/EWS/Exchange.asmx`);
}

describe('several servers of one system', () => {
  it('asks the first, and none of the others while it answers', async () => {
    const [first, second] = [await ewsStub(busyAnswer), await ewsStub(busyAnswer)];
    const system = systemOf([first.url, second.url]);
    for (let round = 0; round < 3; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy', 'busy']);
    expect([first.seen.length, second.seen.length]).toEqual([3, 0]);
  });

  it.each<readonly [string, Reply]>([
    ['502', { status: 502, body: '<html>bad gateway</html>' }],
    ['503 without SOAP', { status: 503, body: 'Service Unavailable' }],
    ['504', { status: 504 }],
    ['404 without SOAP', { status: 404, body: '<html>HTTP Error 404.0</html>' }],
    ['405', { status: 405 }],
    ['a logon page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><html><form/></html>' }],
    ['a redirect elsewhere', { status: 302, headers: { location: 'https://elsewhere.example/owa/' } }],
    ['an empty 200', { status: 200, body: '' }],
    ['half an answer', { status: 200, body: '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Bo' }],
    ['a 500 that is no SOAP', { status: 500, body: 'Runtime Error' }],
  ])('asks the next within the same lookup where the first gives %s, and leaves the first alone until its time', async (_name, reply) => {
    let isWell = false;
    const first = await ewsStub((request) => (isWell ? busyAnswer(request) : reply));
    const second = await ewsStub(busyAnswer);
    const clock = hands();
    const system = systemOf([first.url, second.url], { clock });
    for (let round = 0; round < 3; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy', 'busy']);
    expect([first.seen.length, second.seen.length]).toEqual([1, 3]);
    isWell = true;
    clock.pass(5_001);
    for (let round = 0; round < 2; round++) await system.freeBusy(question, contextWith({ deadline: clock.now() + 5_000 }));
    expect([first.seen.length, second.seen.length]).toEqual([3, 3]);
  });

  it('does not wait longer and longer for ever: pauses grow to five minutes and no further', async () => {
    const first = await ewsStub(() => ({ status: 502 }));
    const second = await ewsStub(busyAnswer);
    const clock = hands();
    const system = systemOf([first.url, second.url], { clock });
    const askedAt: number[] = [];
    for (let second = 0; second < 3_000; second += 5) {
      const before = first.seen.length;
      await system.freeBusy({ ...question, mailboxes: people(1) }, contextWith({ deadline: clock.now() + 5_000 }));
      if (first.seen.length > before) askedAt.push(second);
      clock.pass(5_000);
    }
    const pauses = askedAt.slice(1).map((at, index) => at - askedAt[index]!);
    expect(pauses.slice(0, 6)).toEqual([5, 10, 20, 40, 80, 160]);
    expect(new Set(pauses.slice(6))).toEqual(new Set([300]));
  });

  it('goes on where nobody listens, where the connection is reset in the middle of an answer, and where it is no HTTP', async () => {
    const torn = await rawServer((write, end) => {
      write('HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n<s:Envelope');
      setImmediate(end);
    });
    const noise = await rawServer((write, end) => {
      write('\u0000\u0001 this is no HTTP\r\n\r\n');
      setImmediate(end);
    });
    const good = await ewsStub(busyAnswer);
    const notes = contextWith();
    expect(outcomes(await systemOf([await deadUrl(), torn, noise, good.url]).freeBusy(question, notes))).toEqual(['busy', 'busy']);
    expect(notes.notes.filter((one) => one.kind === 'route')).toHaveLength(3);
  });

  it('does not let a silent one eat the whole time: the next has its share of the deadline', async () => {
    const silent = await ewsStub(() => SILENCE);
    const good = await ewsStub(busyAnswer);
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), 2_000);
    closing.push(() => clearTimeout(timer));
    const results = await systemOf([silent.url, good.url], { clock: systemClock }).freeBusy(question, contextWith({ deadline: Date.now() + 2_000, signal: over.signal }));
    expect(outcomes(results)).toEqual(['busy', 'busy']);
    expect([silent.seen.length, good.seen.length]).toEqual([1, 1]);
  });

  it('gives the error of the first where all are dead, and asks them all the same the next time', async () => {
    const first = await ewsStub(() => ({ status: 502 }));
    const urls = [first.url, await deadUrl()];
    const system = systemOf(urls);
    for (let round = 1; round <= 3; round++) {
      const [result] = await system.freeBusy({ ...question, mailboxes: people(1) }, contextWith());
      expect(result).toMatchObject({ error: { code: 'BACKEND_FAULT', temporary: true, details: { status: 502 } } });
      expect(first.seen).toHaveLength(round);
    }
  });

  it.each<readonly [string, Reply, string]>([
    ['a Fault about the question', { status: 500, body: fault('ErrorInvalidRequest') }, 'BACKEND_FAULT'],
    ['SOAP in a 404', { status: 404, body: fault('ErrorInvalidOperation') }, 'BACKEND_FAULT'],
    ['a refused sign-in', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }, 'BACKEND_AUTH'],
    ['an access policy', { status: 403 }, 'BACKEND_AUTH'],
  ])('asks no other server after %s: it is not about the server', async (_name, reply, code) => {
    const [first, second] = [await ewsStub(() => reply), await ewsStub(busyAnswer)];
    expect(outcomes(await systemOf([first.url, second.url]).freeBusy(question, contextWith()))).toEqual([code, code]);
    expect([first.seen.length, second.seen.length]).toEqual([1, 0]);
  });

  it('asks another where the account is to wait at the first', async () => {
    const [first, second] = [await ewsStub(() => ({ status: 500, body: fault('ErrorServerBusy', '<t:Value Name="BackOffMilliseconds">60000</t:Value>') })), await ewsStub(busyAnswer)];
    const system = systemOf([first.url, second.url]);
    for (let round = 0; round < 2; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy', 'busy']);
    expect([first.seen.length, second.seen.length]).toEqual([1, 2]);
  });

  it('never sends a message to be created to a second server, though the first did not answer', async () => {
    const [first, second] = [await FakeExchange2010.start(EX), await FakeExchange2010.start(EX)];
    first.mischief = ({ operation }) => (operation === 'CreateItem' ? { status: 502 } : undefined);
    const creations = (exchange: FakeExchange2010): number => exchange.operations().filter((one) => one === 'CreateItem').length;
    const sink = sinkAt(first.url, { servers: [first.url, second.url] });
    expect(await thrownBy(sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith()))).toMatchObject({ code: 'BACKEND_FAULT', temporary: true });
    expect([creations(first), creations(second)]).toEqual([1, 0]);
    // Put aside now, so the next publication goes to the second; there it looks first what is there.
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    expect(second.operations().slice(-2)).toEqual(['FindItem', 'CreateItem']);
    expect([creations(first), creations(second)]).toEqual([1, 1]);
  });

  it('shares what it knows with whatever else asks the same servers', async () => {
    const [first, second] = [await ewsStub(() => ({ status: 502 })), await ewsStub(busyAnswer)];
    const knowledge = new EwsKnowledge();
    for (let round = 0; round < 2; round++) await systemOf([first.url, second.url], { knowledge }).freeBusy(question, contextWith());
    expect([first.seen.length, second.seen.length]).toEqual([1, 2]);
  });
});

describe('servers that are found', () => {
  it('are looked for once for all who wait, and kept for an hour', async () => {
    const stub = await ewsStub(busyAnswer);
    const clock = hands();
    let asked = 0;
    const system = systemOf([], { clock, discover: async () => [stub.url].slice(0, (asked += 1)) });
    await Promise.all([1, 2, 3].map(() => system.freeBusy(question, contextWith())));
    expect([asked, stub.seen.length]).toEqual([1, 3]);
    clock.pass(61 * 60_000);
    await system.freeBusy(question, contextWith());
    expect(asked).toBe(2);
  });

  it.each<readonly [string, Reply | 'dead']>([
    ['are gone', 'dead'],
    ['answer 404', { status: 404 }],
    ['redirect', { status: 302, headers: { location: 'https://elsewhere.example/EWS/Exchange.asmx' } }],
  ])('are looked for again within the same lookup where all that were found %s', async (_name, old) => {
    const before = old === 'dead' ? await deadUrl() : (await ewsStub(() => old)).url;
    const after = await ewsStub(busyAnswer);
    const clock = hands();
    const found = [[before], [after.url]];
    const system = systemOf([], { clock, discover: async () => found.shift() ?? [after.url] });
    await system.freeBusy(question, contextWith()).catch(() => undefined);
    // Not within a minute of the last time.
    clock.pass(61_000);
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy', 'busy']);
  });

  it('that cannot be found give the error of looking for them, and are not looked for again at once', async () => {
    let asked = 0;
    const clock = hands();
    const discover = async (): Promise<readonly URL[]> => {
      asked += 1;
      throw new BridgeError('BACKEND_AUTH', 'Autodiscover refuses the sign-in of the bridge', { details: { status: 401 } });
    };
    const system = systemOf([], { clock, discover, accounts: accounts('a') });
    for (let round = 0; round < 3; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_AUTH', 'BACKEND_AUTH']);
    expect(asked).toBe(1);
    clock.pass(1_001);
    await system.freeBusy(question, contextWith());
    expect(asked).toBe(2);
  });

  it('that are none are said to be none', async () => {
    const results = await systemOf([], { discover: async () => [] }).freeBusy({ ...question, mailboxes: people(1) }, contextWith());
    expect(results[0]).toMatchObject({ error: { code: 'BACKEND_UNREACHABLE', publicMessage: 'Autodiscover names no EWS server' } });
  });
});
