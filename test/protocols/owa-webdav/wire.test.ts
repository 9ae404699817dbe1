import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { busyTypeOfDigit } from '../../../src/protocols/owa-webdav/busy-type.ts';
import { CookieJar } from '../../../src/protocols/owa-webdav/cookie-jar.ts';
import { STATUS_OF } from '../../../src/platform/http-server/status-of.ts';
import { decodeFreeBusyResponse, encodeFreeBusyQuery, freeBusyFromDigits } from '../../../src/protocols/owa-webdav/free-busy-query.ts';
import { parseIsoTime } from '../../../src/core/iso-time.ts';
import { decodeMessagePropfind, encodeMessagePropfind } from '../../../src/protocols/owa-webdav/propfind-message.ts';
import { decodeSessionCookie } from '../../../src/protocols/owa-webdav/session-cookie.ts';
import { freeBusyFromMessage } from '../../../src/protocols/schedule-plus/free-busy-from-message.ts';
import { decodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/free-busy-message.ts';
import { SHARED } from '../../shared.ts';

const FIXTURES = new URL('../../../fixtures/owa-webdav/', import.meta.url);
const CAPTURES = `${SHARED}/captures/exchange-webdav/`;
const hasCaptures = existsSync(CAPTURES);

const anna = parseMailboxAddress('anna@exch.example')!;
const read = (path: string) => readFileSync(new URL(path, FIXTURES));
const json = <T>(path: string): T => JSON.parse(read(path).toString('utf8')) as T;

describe('cmd=freebusy', () => {
  it.each(readdirSync(new URL('free-busy-query/', FIXTURES)))('the answer of fixture %s is read by name', async (name) => {
    const { asked, digits } = json<{ asked: string[]; digits: Record<string, string | null> }>(`free-busy-query/${name}/expected.json`);
    const found = decodeFreeBusyResponse(await readXml(read(`free-busy-query/${name}/message.xml`)), new Set(asked as MailboxAddress[]));
    const seen = asked.map((one) => {
      const of = found.get(one as MailboxAddress);
      if (of === undefined) return [one, null];
      return [one, 'error' in of ? 'error' : of.fbdata];
    });
    expect(Object.fromEntries(seen)).toEqual(digits);
    expect([...found.keys()].every((one) => asked.includes(one))).toBe(true);
  });

  it.skipIf(!hasCaptures)("the captured answer of an Exchange 2003 gives its user's digits", async () => {
    const test = parseMailboxAddress('test@example.org')!;
    const found = decodeFreeBusyResponse(await readXml(readFileSync(`${CAPTURES}FreeBusyResponse.xml`)), new Set([test]));
    const of = found.get(test)!;
    expect('fbdata' in of && of.fbdata.length).toBe(1344);
    const fbdata = 'fbdata' in of ? of.fbdata : '';
    // Counted in the file by another program: runs of 2 begin at these digits and are so long.
    const runs = [...fbdata.matchAll(/2+/g)].map((run) => [run.index, run[0].length]);
    expect(runs).toEqual([[161, 2], [171, 2], [639, 2], [653, 2], [831, 2], [845, 13]]);
    const start = Date.UTC(2008, 0, 1);
    const window = { start, end: start + 1344 * 30 * 60_000 };
    expect(freeBusyFromDigits(test, window, fbdata, start, 30).busy.map((one) => [(one.start - start) / 1_800_000, (one.end - one.start) / 1_800_000, one.busyType])).toEqual(
      runs.map(([at, length]) => [at, length, 'busy']),
    );
  });

  it('digits mean 0 free, 1 tentative, 2 busy, 3 out of office, and everything else no data', () => {
    expect(['0', '1', '2', '3', '4'].map(busyTypeOfDigit)).toEqual(['free', 'tentative', 'busy', 'oof', 'no-data']);
    for (const other of ['5', '9', ' ', '\n', 'x', '٠', '']) expect(busyTypeOfDigit(other)).toBe('no-data');
  });

  it('digits that stop early, begin earlier or say something unknown leave no data, never free time', () => {
    const minute = 60_000;
    const window = { start: 10 * minute, end: 70 * minute };
    const busy = (fbdata: string) => freeBusyFromDigits(anna, window, fbdata, 0, 15).busy.map((one) => [one.start / minute, one.end / minute, one.busyType]);
    expect(busy('22000')).toEqual([[10, 30, 'busy']]);
    expect(busy('200')).toEqual([[10, 15, 'busy'], [45, 70, 'no-data']]);
    expect(busy('0x 50')).toEqual([[15, 60, 'no-data']]);
    expect(busy(`00000${'2'.repeat(1_000_000)}`)).toEqual([]);
  });

  it('the query is the one the sheet shows, times in Z and everything with a meaning escaped', () => {
    const window = { start: Date.UTC(2026, 2, 10, 9), end: Date.UTC(2026, 2, 10, 12) };
    expect(encodeFreeBusyQuery({ window, intervalMinutes: 30, addresses: ['anna@exch.example', "a+b&c=d#e%f'g@exch.example", 'é@exch.example'] })).toBe(
      'cmd=freebusy&start=2026-03-10T09:00:00Z&end=2026-03-10T12:00:00Z&interval=30&u=SMTP:anna@exch.example&u=SMTP:a%2Bb%26c%3Dd%23e%25f%27g@exch.example&u=SMTP:%C3%A9@exch.example',
    );
  });

  it.each([
    ['2026-03-02T08:00:00+05:30', Date.UTC(2026, 2, 2, 2, 30)],
    ['2026-03-02T08:00:00-0800', Date.UTC(2026, 2, 2, 16)],
    ['2026-03-02T08:00Z', Date.UTC(2026, 2, 2, 8)],
    ['2026-03-02t08:00:00.25z', Date.UTC(2026, 2, 2, 8, 0, 0, 250)],
    ['2026-03-02T24:00:00Z', Date.UTC(2026, 2, 3)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ])('the time %s is read', (text, instant) => {
    expect(parseIsoTime(text, 'zoned')).toBe(instant);
  });

  it.each(['', '2026-03-02', '2026-03-02T08:00:00', '2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-03-02T24:00:01Z', '2026-03-02T08:60:00Z', '2026-03-02T08:00:00+15:00', '0000-01-01T00:00:00Z', '2026-03-02T08:00:00Z '])(
    'the time %j is refused',
    (text) => {
      expect(parseIsoTime(text, 'zoned')).toBeUndefined();
    },
  );
});

describe('PROPFIND of the free/busy message', () => {
  it.each(readdirSync(new URL('propfind-message/', FIXTURES)))('the answer of fixture %s', async (name) => {
    const expected = json<{ raw?: Record<string, string[]>; error?: string }>(`propfind-message/${name}/expected.json`);
    const root = await readXml(read(`propfind-message/${name}/message.xml`), { dropIllegalReferences: true });
    if (expected.error !== undefined) {
      expect(() => decodeMessagePropfind(root)).toThrow(expect.objectContaining({ code: expected.error }));
      return;
    }
    expect(decodeMessagePropfind(root)).toEqual(new Map(Object.entries(expected.raw!).map(([id, values]) => [Number(id), values])));
  });

  it.skipIf(!hasCaptures)('the captured message of an Exchange 2003 gives its blocks, and no data outside its range', async () => {
    const root = await readXml(readFileSync(`${CAPTURES}FreeBusyPublicFolderResponse.xml`), { dropIllegalReferences: true });
    const message = decodeFreeBusyMessage(decodeMessagePropfind(root));
    expect(message).toMatchObject({
      subject: 'USER-/CN=RECIPIENTS/CN=PHONEY',
      publishStart: Date.UTC(2007, 11, 1, 8),
      publishEnd: Date.UTC(2008, 2, 1, 8),
      rangeTimestamp: Date.UTC(2007, 11, 30, 5, 19, 7, 423),
      oddities: [],
    });
    const window = { start: Date.UTC(2007, 11, 1), end: Date.UTC(2008, 2, 2) };
    const december = Date.UTC(2007, 11, 1);
    const january = Date.UTC(2008, 0, 1);
    // exchange.md §1.5: the decoded vectors of this very message.
    const minutes = [
      ...[[15630, 15660], [15750, 15780], [16890, 16920], [18450, 18480], [22740, 22770], [25650, 25680], [25830, 25950], [37080, 37110], [37230, 37260], [44250, 44280], [44460, 44490]].map(([from, to]) => [december, from!, to!]),
      ...[[2490, 2520], [2700, 2880]].map(([from, to]) => [january, from!, to!]),
    ] as [number, number, number][];
    expect(freeBusyFromMessage(message, anna, window).busy).toEqual([
      { start: window.start, end: Date.UTC(2007, 11, 1, 8), busyType: 'no-data' },
      ...minutes.map(([month, from, to]) => ({ start: month + from * 60_000, end: month + to * 60_000, busyType: 'busy' })),
      { start: Date.UTC(2008, 2, 1, 8), end: window.end, busyType: 'no-data' },
    ]);
  });

  it('the request asks for every property by its tag', async () => {
    const root = await readXml(encodeMessagePropfind());
    expect([root.ns, root.name]).toEqual(['DAV:', 'propfind']);
    const names = root.children[0]!.children.map((one) => one.name);
    expect(names).toEqual(expect.arrayContaining(['subject', 'x68470003', 'x68480003', 'x68680040', 'x6849001F', 'x684F1003', 'x68501102', 'x68511003', 'x68521102', 'x68531003', 'x68541102', 'x68551003', 'x68561102']));
  });
});

describe('cookies and faults', () => {
  it('a session is found among other cookies, in both spellings', () => {
    expect(decodeSessionCookie('a=b; sessionid=0_ab; c=d')).toBe('0_ab');
    expect(decodeSessionCookie('$Version=0; sessionid=0_ab; $Path=/')).toBe('0_ab');
    expect(decodeSessionCookie('SessionID="0_ab"')).toBe('0_ab');
    for (const none of [undefined, '', 'xsessionid=1', 'sessionid', '$Version=0; 0x409=; $Path=/']) expect(decodeSessionCookie(none)).toBeUndefined();
  });

  it('the jar keeps quotes and forgets what the server deletes', () => {
    const jar = new CookieJar();
    jar.store(['sessionid=abc,0x409; path=/', 'cadata="x=="; HttpOnly; secure', 'gone=1', 'odd']);
    jar.store(['gone=; expires=Thu, 01-Jan-1970 00:00:01 GMT', 'cadata="y"; Max-Age=900']);
    expect(jar.header()).toBe('sessionid=abc,0x409; cadata="y"');
    jar.store(['sessionid=x; Max-Age=0', 'cadata=""']);
    expect(jar.isEmpty).toBe(true);
  });

  it('no failure is answered with a success', () => {
    for (const code of ERROR_CODES) expect(STATUS_OF[code], code).toBeGreaterThanOrEqual(400);
  });
});
