import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, deadPort, systemFor } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import { DOMAINS, JUDGE, JUDGE_CLIENT, NAMES, NOTHING_KNOWN, TRUTH, digitsOfJson, openHouse } from './every-kind.ts';
import type { House } from './every-kind.ts';
import { askJson, askOwa, askSoap, basic, exchange } from './raw-http.ts';

/** A lookup answers by its deadline with what it has; configuration.md `deadline`, issue 2 part 4. */

const DEADLINE = 800;
const HASTY = basic('hasty', 'pw-of-the-hasty');
let house: House;
let silent: Server;
const silentSockets = new Set<Socket>();

beforeAll(async () => {
  silent = createServer((socket) => silentSockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const dead = await deadPort();
  house = await openHouse(
    {
      deadline: `${DEADLINE}ms`,
      clients: [
        { ...JUDGE_CLIENT, mayAsk: [...Object.values(NAMES), 'silent', 'dead', 'nowhere'] },
        { name: 'hasty', username: 'hasty', password: 'pw-of-the-hasty', mayAsk: [...Object.values(NAMES), 'silent'], deadline: '250ms' },
        { name: 'patient', username: 'patient', password: 'pw-of-the-patient', mayAsk: ['silent', 'webdav'], deadline: '1500ms' },
      ],
    },
    {
      silent: systemFor('exchange-ews', { url: silentUrl }, { domains: ['silent.example'] }),
      dead: systemFor('exchange-webdav', { url: `http://127.0.0.1:${dead}` }, { domains: ['dead.example'] }),
      nowhere: systemFor('ifb', { url: 'http://nowhere.invalid' }, { domains: ['nowhere.example'] }),
    },
  );
});
afterAll(async () => {
  await house.close();
  for (const socket of silentSockets) socket.destroy();
  silent.close();
});
afterEach(() => {
  for (const kind of KINDS) house.backEnds[kind].reset();
});

const annas = KINDS.map((kind) => `anna@${DOMAINS[kind]}`);

describe('a back end that accepts and stays silent', () => {
  it('costs the deadline and no more, and the answers of all others are intact', async () => {
    const { results, tookMs } = await askJson(house.bridge.url, JUDGE, ['x@silent.example', ...annas]);
    expect(results[0]!.error?.code).toBe('DEADLINE');
    expect(results.slice(1).map(digitsOfJson)).toEqual(annas.map(() => TRUTH));
    expect(tookMs).toBeGreaterThan(DEADLINE * 0.8);
    expect(tookMs).toBeLessThanOrEqual(DEADLINE + 150);
  });

  it('is 4s and n at the other faces', async () => {
    const [owa, soap] = await Promise.all([askOwa(house.bridge.url, JUDGE, ['x@silent.example', annas[0]!]), askSoap(house.bridge.url, JUDGE, ['x@silent.example', annas[0]!])]);
    expect(owa.digits).toEqual({ 'x@silent.example': NOTHING_KNOWN, [annas[0]!]: TRUTH });
    expect(soap.slots['x@silent.example']!.map((one) => one.letter)).toEqual(['n']);
    expect(soap.slots[annas[0]!]!.map((one) => one.letter)).toEqual(['f', 'b', 'f', 't', 'f']);
    expect(Math.max(owa.tookMs, soap.tookMs)).toBeLessThanOrEqual(DEADLINE + 150);
  });

  it('costs a client with its own deadline that one, shorter or longer', async () => {
    const [hasty, patient] = await Promise.all([
      askJson(house.bridge.url, HASTY, ['x@silent.example', 'anna@ews.example']),
      askJson(house.bridge.url, basic('patient', 'pw-of-the-patient'), ['y@silent.example']),
    ]);
    expect(hasty.results[1]!.error).toBeUndefined();
    expect(hasty.tookMs).toBeGreaterThan(180);
    expect(hasty.tookMs).toBeLessThanOrEqual(400);
    expect(patient.tookMs).toBeGreaterThan(1_300);
    expect(patient.tookMs).toBeLessThanOrEqual(1_650);
  });

  it('does not shorten the wait of the patient who asks the same as the hasty', async () => {
    house.backEnds['exchange-webdav'].override = async (_seen, honest) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return honest();
    };
    const [hasty, patient] = await Promise.all([
      askJson(house.bridge.url, HASTY, ['anna@webdav.example']),
      askJson(house.bridge.url, basic('patient', 'pw-of-the-patient'), ['anna@webdav.example']),
    ]);
    expect(hasty.results[0]!.error?.code).toBe('DEADLINE');
    expect(hasty.tookMs).toBeLessThanOrEqual(400);
    expect(digitsOfJson(patient.results[0])).toBe(TRUTH);
  });

  it('is silent for 40 questions at once as for one', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => askJson(house.bridge.url, JUDGE, [`person-${index}@silent.example`, 'anna@ews.example'])));
    for (const { results, tookMs } of answers) {
      expect(digitsOfJson(results[1])).toBe(TRUTH);
      expect(tookMs).toBeLessThanOrEqual(DEADLINE + 500);
    }
  });
});

describe.each(KINDS)('%s', (kind) => {
  it('that stays silent after its connection is good is no data by the deadline', async () => {
    house.backEnds[kind].override = () => 'silent';
    const { results, tookMs } = await askJson(house.bridge.url, JUDGE, [`anna@${DOMAINS[kind]}`, kind === 'zimbra' ? 'anna@ews.example' : 'anna@zimbra-side.example']);
    expect(results[0]!.error?.code).toBe('DEADLINE');
    expect(digitsOfJson(results[1])).toBe(TRUTH);
    expect(tookMs).toBeLessThanOrEqual(DEADLINE + 150);
  });
});

it('a back end that drips a byte now and then is no data by the deadline', async () => {
  const drip = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\nContent-Length: 100000\r\n\r\n');
      const timer = setInterval(() => socket.write('B'), 20);
      socket.once('close', () => clearInterval(timer));
    });
  });
  await new Promise<void>((resolve) => drip.listen(0, '127.0.0.1', resolve));
  const bridge = await startBridge({
    deadline: `${DEADLINE}ms`,
    systems: { drip: systemFor('ifb', { url: `http://127.0.0.1:${(drip.address() as AddressInfo).port}` }, { domains: ['drip.example'] }) },
    clients: [{ ...JUDGE_CLIENT, mayAsk: ['drip'] }],
  });
  const { results, tookMs } = await askJson(bridge.url, JUDGE, ['anna@drip.example']);
  expect(results[0]!.error?.code).toBe('DEADLINE');
  expect(tookMs).toBeLessThanOrEqual(DEADLINE + 150);
  await bridge.stop();
  drip.close();
});

describe('a dead back end', () => {
  it('is no data at once, and the others are intact', async () => {
    const { results, tookMs } = await askJson(house.bridge.url, JUDGE, ['x@dead.example', 'x@nowhere.example', ...annas]);
    expect(results[0]!.error?.code).toBe('BACKEND_UNREACHABLE');
    expect(results[1]!.error).toBeDefined();
    expect(results.slice(2).map(digitsOfJson)).toEqual(annas.map(() => TRUTH));
    expect(tookMs).toBeLessThanOrEqual(DEADLINE + 150);
  });

  it('is told as temporary trouble, not as an unknown mailbox', async () => {
    const { results } = await askJson(house.bridge.url, JUDGE, ['x@dead.example']);
    expect(results[0]!.error?.code).not.toBe('MAILBOX_UNKNOWN');
  });
});

it('a client that goes away leaves the bridge well', async () => {
  const { port } = house.bridge;
  await exchange(port, `GET /api/v1/freebusy?mailbox=x@silent.example&start=2026-03-02T08:00:00Z&end=2026-03-02T09:00:00Z HTTP/1.1\r\nHost: x\r\nAuthorization: ${JUDGE['authorization']!}\r\n\r\n`, { timeoutMs: 60 });
  const { results } = await askJson(house.bridge.url, JUDGE, ['anna@ews.example']);
  expect(digitsOfJson(results[0])).toBe(TRUTH);
});
