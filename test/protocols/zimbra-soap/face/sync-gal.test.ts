import { afterEach, describe, expect, it } from 'vitest';
import type { DirectoryChanges } from '../../../../src/directory/directory.ts';
import type { DirectoryEntry } from '../../../../src/directory/entry.ts';
import { entryOf, memoryDirectory } from '../../../directory/memory-directory.ts';
import { turnsDuring } from '../../../event-loop-turns.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { jsonMessage, openGalFace, send, sendJson, xmlMessage } from './asking.ts';
import type { JsonBody } from './asking.ts';

const open: FaceUnderTest[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** An address book that keeps every state it was in: token `S-{life}-{number}`. */
class Book {
  readonly #states: ReadonlyMap<string, DirectoryEntry>[] = [];
  life = 1;
  readonly asked: (string | undefined)[] = [];

  set(...entries: readonly DirectoryEntry[]): void {
    this.#states.push(new Map(entries.map((one) => [one.id, one])));
  }

  changes(token: string | undefined): DirectoryChanges {
    this.asked.push(token);
    const now = this.#states.at(-1)!;
    const to = `S-${this.life}-${this.#states.length - 1}`;
    const [, life, number] = /^S-(\d+)-(\d+)$/.exec(token ?? '') ?? [];
    const then = Number(life) === this.life ? this.#states[Number(number)] : undefined;
    if (then === undefined) return { token: to, isWhole: true, entries: [...now.values()], removed: [] };
    return { token: to, isWhole: false, entries: [...now.values()].filter((one) => then.get(one.id) !== one), removed: [...then.keys()].filter((id) => !now.has(id)) };
  }
}

const people = (count: number, from = 0): readonly DirectoryEntry[] =>
  Array.from({ length: count }, (_, index) => entryOf(`p${from + index}@corp.example`, { id: ((from + index) * 2_654_435_761 % 4_294_967_296).toString(16).padStart(32, '0') }));

async function faceOver(book: Book, options: Parameters<typeof memoryDirectory>[1] = {}, all: readonly DirectoryEntry[] = []): Promise<FaceUnderTest> {
  const face = await openGalFace({ ...memoryDirectory(all, options), changes: (token) => book.changes(token) });
  open.push(face);
  return face;
}

const request = (keys: Record<string, unknown> = {}): Record<string, unknown> => ({ SyncGalRequest: { _jsns: 'urn:zimbraAccount', ...keys } });
type Synced = JsonBody['SyncGalResponse'];
const sync = async (face: FaceUnderTest, keys: Record<string, unknown> = {}): Promise<Synced> => (await sendJson(face, request(keys))).Body.SyncGalResponse;
const emails = ({ cn = [] }: Synced): readonly unknown[] => cn.map((one) => one._attrs?.['email']);

/** Follows `more` as a client does. */
async function syncAll(face: FaceUnderTest, token: string | undefined, limit: number): Promise<{ readonly pages: readonly Synced[]; readonly token: string }> {
  const pages: Synced[] = [];
  for (let at = token; pages.length < 100; at = pages.at(-1)!.token) {
    pages.push(await sync(face, { limit, ...(at === undefined ? {} : { token: at }) }));
    if (!pages.at(-1)!.more) return { pages, token: pages.at(-1)!.token };
  }
  throw new Error('pages without end');
}

describe('SyncGal', () => {
  it('gives everybody first, then only what changed and who is gone', async () => {
    const [a, b, c] = people(3) as [DirectoryEntry, DirectoryEntry, DirectoryEntry];
    const book = new Book();
    book.set(a, b);
    const face = await faceOver(book);
    const first = await sync(face);
    expect([emails(first).length, first.more, first.fullSyncRecommended, first.deleted]).toEqual([2, false, undefined, undefined]);
    book.set(a, c);
    const second = await sync(face, { token: first.token });
    expect([emails(second), second.deleted]).toEqual([[c.address], [{ id: `cn=${b.id},dc=bridge` }]]);
    const third = await sync(face, { token: second.token });
    expect(third).toEqual({ more: false, token: second.token, _jsns: 'urn:zimbraAccount' });
    const { text } = await send(face, xmlMessage(`<SyncGalRequest xmlns="urn:zimbraAccount" token="${first.token}" idOnly="1"/>`));
    expect(text).toContain(`<SyncGalResponse xmlns="urn:zimbraAccount" more="0" token="${second.token}"><cn id="cn=${c.id},dc=bridge" ref="cn=${c.id},dc=bridge"/><deleted id="cn=${b.id},dc=bridge"/></SyncGalResponse>`);
  });

  it('comes in pages whose state is in the token, each entry once, whatever order the directory has', async () => {
    const book = new Book();
    book.set(...people(250));
    const face = await faceOver(book);
    const { pages, token } = await syncAll(face, undefined, 60);
    expect(pages.map((page) => emails(page).length)).toEqual([60, 60, 60, 60, 10]);
    expect(new Set(pages.flatMap(emails)).size).toBe(250);
    expect(token).toBe('S-1-0');
  });

  it('tells with the next question what changed between the pages', async () => {
    const book = new Book();
    const all = [...people(30)].sort((one, other) => (one.id < other.id ? -1 : 1));
    book.set(...all);
    const face = await faceOver(book);
    const first = await sync(face, { limit: 20 });
    // The first is gone, the last one new, and one that was told already is renamed.
    const renamed = { ...all[1]!, name: 'Renamed' };
    book.set(renamed, ...all.slice(2));
    const { token, more } = await sync(face, { token: first.token, limit: 20 });
    expect(more).toBe(false);
    const delta = await sync(face, { token });
    expect([delta.cn?.map((one) => one._attrs?.['fullName']), delta.deleted]).toEqual([['Renamed'], [{ id: `cn=${all[0]!.id},dc=bridge` }]]);
  });

  it('pages changes too, the gone with the last page, and says how many remain', async () => {
    const book = new Book();
    const before = people(10);
    book.set(...before);
    const face = await faceOver(book);
    const { token } = await sync(face);
    book.set(...people(25, 100));
    const first = await sync(face, { token, limit: 20, getCount: 1 });
    expect([first.more, first.remain, first.deleted]).toEqual([true, 5, undefined]);
    const last = await sync(face, { token: first.token, limit: 20 });
    expect([last.more, emails(last).length, last.deleted?.length, last.token]).toEqual([false, 5, 10, 'S-1-1']);
  });

  it.each([['of another life', 'S-9-0'], ['of a Zimbra', '20261129120000Z:7d1e2c3b-0000-4000-8000-000000000001:4711'], ['that is garbage', '☃'.repeat(10_000)], ['with a NUL', 'S-1\0-0'], ['of nine parts', '_'.repeat(9)], ['of a page that is none', `x_y_${'z'.repeat(41)}`]])('begins anew for a token %s, and says so', async (_what, token) => {
    const book = new Book();
    book.set(...people(3));
    const face = await faceOver(book);
    const answer = await sync(face, { token });
    expect([emails(answer).length, answer.fullSyncRecommended, answer.token]).toEqual([3, true, 'S-1-0']);
    expect(book.asked.every((one) => one === undefined || /^[0-9A-Za-z.-]{1,100}$/.test(one))).toBe(true);
  });

  it('begins anew inside the pages of changes where the directory has begun another life, and ends in the new one', async () => {
    const book = new Book();
    book.set(...people(1));
    const face = await faceOver(book);
    const { token } = await sync(face);
    book.set(...people(40));
    const page = await sync(face, { token, limit: 10 });
    book.life = 2;
    const again = await sync(face, { token: page.token, limit: 10 });
    expect([again.fullSyncRecommended, again.more]).toEqual([true, true]);
    const rest = await syncAll(face, again.token, 10);
    expect(new Set([again, ...rest.pages].flatMap(emails)).size).toBe(40);
    expect(rest.token).toBe('S-2-1');
  });

  it('has the members of groups, and says where there are too many of them', async () => {
    const all = people(501);
    const group = entryOf('group@corp.example', { kind: 'group' });
    const large = entryOf('large@corp.example', { kind: 'group' });
    const book = new Book();
    book.set(group, large);
    const members = { 'group@corp.example': [all[1]!.address, all[0]!.address], 'large@corp.example': all.map((one) => one.address) };
    const face = await faceOver(book, { members }, [...all, group, large]);
    const { cn = [] } = await sync(face);
    const of = (entry: DirectoryEntry): NonNullable<Synced['cn']>[number] | undefined => cn.find(({ id }) => id === `cn=${entry.id},dc=bridge`);
    expect(of(group)).toMatchObject({ _attrs: { type: 'group', member: [all[1]!.address, all[0]!.address] } });
    expect([of(large)?.tooManyMembers, of(large)?._attrs?.['member']]).toEqual([true, undefined]);
  });

  it('lets a client read the whole list twice at the same time, and tells a third that nothing has changed', async () => {
    const book = new Book();
    book.set(...people(5));
    const face = await faceOver(book);
    const { BatchResponse } = (await sendJson(face, { BatchRequest: { _jsns: 'urn:zimbra', SyncGalRequest: [{}, {}, { token: 'S-0-0' }, { token: 'S-1-0' }].map((keys) => ({ _jsns: 'urn:zimbraAccount', ...keys })) } })).Body;
    expect(BatchResponse.SyncGalResponse.map((one) => [one.throttled, one.token, one.cn?.length])).toEqual([[undefined, 'S-1-0', 5], [undefined, 'S-1-0', 5], [true, 'S-0-0', undefined], [undefined, 'S-1-0', undefined]]);
    // Their places are free again, also after one that failed.
    expect(emails(await sync(face))).toHaveLength(5);
  });

  it('ends a page early rather than saying more than a request may, and a batch shares that', async () => {
    const book = new Book();
    const long = 'x'.repeat(256);
    const wordy = people(12_000).map((one) => ({ ...one, name: long, title: long, department: long, company: long, office: long, street: long, city: long, country: long, phone: long }));
    book.set(...wordy);
    const face = await faceOver(book);
    const answers: JsonBody[] = [];
    const turns = await turnsDuring(async () => {
      answers.push((await sendJson(face, { BatchRequest: { _jsns: 'urn:zimbra', SyncGalRequest: [{ _jsns: 'urn:zimbraAccount' }, { _jsns: 'urn:zimbraAccount' }] } })).Body);
    });
    const { SyncGalResponse, Fault } = answers[0]!.BatchResponse;
    expect(SyncGalResponse[0]!.more).toBe(true);
    expect(SyncGalResponse[0]!.cn!.length).toBeLessThan(12_000);
    expect([SyncGalResponse.length + Fault.length, Fault[0]?.Detail.Error.Code ?? SyncGalResponse[1]!.cn!.length < 10]).toEqual([2, expect.anything()]);
    expect(turns).toBeGreaterThan(50);
  });

  it('is refused to one who may only search', async () => {
    const face = await openGalFace(memoryDirectory(people(1)), 'search');
    open.push(face);
    expect((await sendJson(face, request())).Body.Fault.Detail.Error.Code).toBe('service.PERM_DENIED');
    for (const keys of [{ limit: -1 }, { limit: 'all' }]) expect((await sendJson(face, request(keys))).Body.Fault.Detail.Error.Code).toBe('service.INVALID_REQUEST');
  });

  it('of 30,000 people is one page, of one more two', async () => {
    const book = new Book();
    book.set(...people(30_001));
    const face = await faceOver(book);
    const { text } = await send(face, jsonMessage(request()));
    const first = (JSON.parse(text) as { Body: JsonBody }).Body.SyncGalResponse;
    expect([first.cn?.length, first.more]).toEqual([30_000, true]);
    expect((await sync(face, { token: first.token })).cn).toHaveLength(1);
  });
});
