import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, isAuthRequest, readEwsQuery, readOwaQuery, readZimbraQuery } from './back-ends.ts';
import { DOMAINS, JUDGE, NAMES, TRUTH, digitsOfJson, openHouse } from './every-kind.ts';
import type { House } from './every-kind.ts';
import { WINDOW, askJson, askOwa, askSoap } from './raw-http.ts';

/** What the bridge sends: issue 2 part 4, exchange.md §2.4, §3.2, ews-server-measured.md. */

const DAY = 86_400_000;
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const people = (count: number, domain: string): string[] => Array.from({ length: count }, (_, index) => `person-with-a-long-name-${index}@${domain}`);
const SIXTY = { start: WINDOW.start, end: WINDOW.start + 60 * DAY };

it('asks EWS about at most 100 mailboxes and 35 days at once, with Content-Length, and about each exactly once', async () => {
  const backEnd = house.backEnds['exchange-ews'];
  backEnd.reset();
  const all = people(230, 'ews.example');
  await askJson(house.bridge.url, JUDGE, all, SIXTY);
  const queries = backEnd.requests.map((seen) => readEwsQuery(seen.body));
  expect(queries).toHaveLength(6);
  for (const query of queries) {
    expect(query.addresses.length).toBeLessThanOrEqual(100);
    expect(query.end - query.start).toBeLessThanOrEqual(35 * DAY);
  }
  expect(queries.flatMap((query) => query.addresses)).toHaveLength(460);
  for (const mailbox of all) {
    const mine = queries.filter((query) => query.addresses.includes(mailbox)).sort((a, b) => a.start - b.start);
    expect([mine[0]!.start <= SIXTY.start, mine[0]!.end >= mine[1]!.start, mine[1]!.end >= SIXTY.end]).toEqual([true, true, true]);
  }
  for (const seen of backEnd.requests) {
    expect(seen.headers['transfer-encoding']).toBeUndefined();
    expect(Number(seen.headers['content-length'])).toBe(Buffer.byteLength(seen.body));
    expect(seen.headers['content-type']).toMatch(/^text\/xml; ?charset=utf-8/i);
    expect(seen.url).toBe('/EWS/Exchange.asmx');
  }
});

it('asks one upstream request for every 35 days about 100 mailboxes over 42 days', async () => {
  const backEnd = house.backEnds['exchange-ews'];
  backEnd.reset();
  await askJson(house.bridge.url, JUDGE, people(100, 'ews.example'), { start: WINDOW.start, end: WINDOW.start + 42 * DAY });
  expect(backEnd.requests).toHaveLength(2);
});

it('keeps the query of cmd=freebusy within 1,900 characters, as an MSIE', async () => {
  const backEnd = house.backEnds['exchange-webdav'];
  backEnd.reset();
  const all = [...people(200, 'webdav.example'), 'a+b&c@webdav.example'];
  const { results } = await askJson(house.bridge.url, JUDGE, all, { start: WINDOW.start, end: WINDOW.start + 40 * DAY });
  expect(results).toHaveLength(201);
  for (const seen of backEnd.requests) {
    expect(seen.url.length - seen.url.indexOf('?') - 1).toBeLessThanOrEqual(1_900);
    expect(seen.url.startsWith('/public/?')).toBe(true);
    const query = readOwaQuery(seen.url);
    expect(query.end - query.start).toBeLessThanOrEqual(35 * DAY + 3_600_000);
    expect([query.start % (query.interval * 60_000), query.end % (query.interval * 60_000)]).toEqual([0, 0]);
    expect(seen.headers['user-agent']).toMatch(/^Mozilla\/4\.0 \(compatible; MSIE/);
  }
  expect(new Set(backEnd.requests.flatMap((seen) => readOwaQuery(seen.url).addresses))).toEqual(new Set(all));
});

it('asks Zimbra about windows of at most 190 days, sixty at once, as an ordinary account', async () => {
  const backEnd = house.backEnds.zimbra;
  backEnd.reset();
  await askJson(house.bridge.url, JUDGE, people(20, 'zimbra-side.example'), SIXTY);
  const questions = backEnd.requests.filter((seen) => !isAuthRequest(seen));
  for (const seen of questions) {
    const { start, end } = readZimbraQuery(seen.body);
    expect(end - start).toBeLessThanOrEqual(190 * DAY + 60_000);
    expect(seen.url).toMatch(/^\/service\/soap\//);
    expect(seen.headers['x-zimbra-freebusy-hopcount']).toBeDefined();
  }
  expect(questions.length).toBe(1);
});

describe.each(KINDS)('%s', (kind) => {
  const anna = `anna@${DOMAINS[kind]}`;

  it('is asked identical questions in flight once', async () => {
    const backEnd = house.backEnds[kind];
    await askJson(house.bridge.url, JUDGE, [anna]);
    backEnd.reset();
    await askJson(house.bridge.url, JUDGE, [anna]);
    const alone = backEnd.requests.length;
    backEnd.reset();
    backEnd.override = async (_seen, honest) => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      return honest();
    };
    const answers = await Promise.all(Array.from({ length: 20 }, () => askJson(house.bridge.url, JUDGE, [anna])));
    backEnd.override = undefined;
    expect(new Set(answers.map(({ results }) => digitsOfJson(results[0])))).toEqual(new Set([TRUTH]));
    expect(backEnd.requests).toHaveLength(alone);
  });

  it('is asked about the same mailbox named several ways once, and each spelling is answered', async () => {
    const backEnd = house.backEnds[kind];
    backEnd.reset();
    const { results } = await askJson(house.bridge.url, JUDGE, [anna, anna.toUpperCase(), anna]);
    expect(results.map((one) => one.mailbox)).toEqual([anna, anna.toUpperCase(), anna]);
    expect(results.map(digitsOfJson)).toEqual([TRUTH, TRUTH, TRUTH]);
    expect(JSON.stringify(backEnd.requests.map(({ body, url }) => body + url)).match(/anna/gi)!.length).toBeLessThanOrEqual(kind === 'exchange-ews public-folder' ? 2 : 1);
  });

  it('hears how many hops the question has come', async () => {
    const backEnd = house.backEnds[kind];
    backEnd.reset();
    await askJson(house.bridge.url, JUDGE, [anna]);
    const names = new Set(backEnd.requests.flatMap((seen) => Object.keys(seen.headers).filter((name) => /hop/i.test(name))));
    expect(names.size).toBeGreaterThan(0);
  });
});

it('gmail.com is asked nowhere and answered at once, also between others', async () => {
  for (const kind of KINDS) house.backEnds[kind].reset();
  const [json, owa, soap] = await Promise.all([askJson(house.bridge.url, JUDGE, ['x@gmail.com']), askOwa(house.bridge.url, JUDGE, ['x@gmail.com']), askSoap(house.bridge.url, JUDGE, ['x@gmail.com'])]);
  expect(Math.max(json.tookMs, owa.tookMs, soap.tookMs)).toBeLessThan(150);
  for (const kind of KINDS) expect(house.backEnds[kind].requests).toHaveLength(0);
  await askJson(house.bridge.url, JUDGE, ['x@gmail.com', 'anna@ews.example']);
  expect(JSON.stringify(house.backEnds['exchange-ews'].requests)).not.toContain('gmail');
});

it('asks every system of a mixed question at the same moment', async () => {
  for (const kind of KINDS) {
    house.backEnds[kind].reset();
    house.backEnds[kind].override = async (_seen, honest) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return honest();
    };
  }
  const { results, tookMs } = await askJson(house.bridge.url, JUDGE, KINDS.map((kind) => `anna@${DOMAINS[kind]}`));
  expect(results.map(digitsOfJson)).toEqual(KINDS.map(() => TRUTH));
  expect(Object.keys(NAMES)).toHaveLength(KINDS.length);
  expect(tookMs).toBeLessThan(600);
});
