import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { AddressBook } from '../../src/gal/address-book.ts';
import { Departures } from '../../src/gal/departures.ts';
import { ZimbraGalSource } from '../../src/protocols/zimbra-soap/gal-source.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import type { Zimbra } from '../../src/sandbox/zimbra.ts';
import { AD, HandClock, ZIMBRA, entry, gal, put } from '../gal/gal-world.ts';
import type { FaceUnderTest } from '../protocols/face-under-test.ts';
import { openGalFace, sendJson } from '../protocols/zimbra-soap/face/asking.ts';
import type { JsonBody } from '../protocols/zimbra-soap/face/asking.ts';

/** A Zimbra's own address list, read into the real address book beside an Active Directory, and asked for by Zimbra's own requests. */
const USER = { username: 'svc@zimbra.example', password: 's3' };
const clock = new HandClock();
const book = gal(clock);
let zimbra: Zimbra;
let source: ZimbraGalSource;
let face: FaceUnderTest;
let departures: Departures;
let cursor: string | undefined;

beforeAll(async () => {
  departures = Departures.inMemory(clock);
  const directory = new AddressBook({ gal: book, search: { minimumLength: 1, results: 100, perMinute: 60_000 }, book: () => departures.book, departures: () => departures, clock });
  put(book, AD, entry('anna@corp.example', { name: 'Anna Albrecht' }));
  const calendars = createCalendarStore([{ address: 'kim@zimbra.example', displayName: 'Kim Kowalski' }, { address: 'lee@zimbra.example', displayName: 'Lee Larsen' }]);
  zimbra = createZimbra({ ...USER, calendars, clock: { now: () => Date.now() } });
  await zimbra.listen();
  source = new ZimbraGalSource({ name: 'zimbra', url: new URL(zimbra.url), ...USER, hosts: [], domains: ['zimbra.example'], mailboxes: [], clock: { now: () => Date.now() }, logger: silentLogger });
  face = await openGalFace(directory);
});
afterAll(async () => {
  await face?.close();
  await source?.close();
  await zimbra?.close();
});

async function read(): Promise<void> {
  const result = await source.read(
    cursor,
    async ({ entries = [], removed = [] }) => {
      const { rowsGone } = book.apply(ZIMBRA, entries.map((one) => ({ entry: one })), removed);
      await departures.add(rowsGone, book.lastChange);
    },
    AbortSignal.timeout(10_000),
  );
  cursor = result.cursor;
}

const complete = async (name: string): Promise<readonly string[]> => ((await sendJson(face, { AutoCompleteRequest: { _jsns: 'urn:zimbraMail', name } })).Body.AutoCompleteResponse.match ?? []).map(({ email }) => email);
const sync = async (keys: Record<string, unknown> = {}): Promise<JsonBody['SyncGalResponse']> => (await sendJson(face, { SyncGalRequest: { _jsns: 'urn:zimbraAccount', ...keys } })).Body.SyncGalResponse;
const names = ({ cn = [] }: JsonBody['SyncGalResponse']): readonly unknown[] => cn.map((one) => one._attrs?.['fullName']);

describe('one address book', () => {
  it('completes people of both sides, follows them by tokens on both ends, and tells who is gone', async () => {
    await read();
    expect([await complete('kow'), await complete('anna')]).toEqual([['"Kim Kowalski" <kim@zimbra.example>'], ['"Anna Albrecht" <anna@corp.example>']]);
    const first = await sync();
    expect([names(first).length, first.more]).toEqual([3, false]);
    const page = await sync({ limit: 2 });
    const rest = await sync({ limit: 2, token: page.token });
    expect([page.more, rest.more, new Set([...names(page), ...names(rest)]).size]).toEqual([true, false, 3]);
    clock.time += 1_000;
    zimbra.gal.rename('kim@zimbra.example', 'Kim Kaiser');
    zimbra.gal.remove('lee@zimbra.example');
    await read();
    const second = await sync({ token: first.token });
    expect([names(second).includes('Kim Kaiser'), second.deleted?.length, second.fullSyncRecommended]).toEqual([true, 1, undefined]);
    expect([await complete('kaiser'), await complete('lee')]).toEqual([['"Kim Kaiser" <kim@zimbra.example>'], []]);
  });
});
