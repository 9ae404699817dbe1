import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { SourceBatch, SourceEntry, SourceRead } from '../../../src/directory/entry-source.ts';
import { ZimbraGalSource } from '../../../src/protocols/zimbra-soap/gal-source.ts';
import type { ZimbraGalOptions } from '../../../src/protocols/zimbra-soap/gal-source.ts';
import { createCalendarStore } from '../../../src/sandbox/calendar-store.ts';
import { createZimbra } from '../../../src/sandbox/zimbra.ts';
import type { Zimbra } from '../../../src/sandbox/zimbra.ts';
import { envelope, fault, token as tokenAnswer, zimbraServer } from './zimbra-server.ts';
import type { ZimbraAnswer, ZimbraStandIn } from './zimbra-server.ts';

const USER = { username: 'svc@zimbra.example', password: 's3' };
const ADMIN = { username: 'admin@zimbra.example', password: 'a3' };

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function sourceAt(url: string | URL, more: Partial<ZimbraGalOptions> = {}): ZimbraGalSource {
  const source = new ZimbraGalSource({ name: 'south', url: new URL(url), ...USER, hosts: [], domains: ['zimbra.example'], mailboxes: [], clock: { now: () => Date.now() }, logger: silentLogger, timing: { searchPauseMs: 0, throttledPauseMs: 1 }, ...more });
  open.push(source);
  return source;
}

/** What a reader of a source keeps of it: the rules of the port, and no more. */
class Reader {
  readonly entries = new Map<string, SourceEntry>();
  readonly batches: SourceBatch[] = [];
  cursor: string | undefined;
  #seen = new Set<string>();

  async read(source: ZimbraGalSource, cursor = this.cursor): Promise<SourceRead> {
    this.#seen = new Set();
    const read = await source.read(cursor, async (batch) => this.#take(batch), AbortSignal.timeout(10_000));
    if (read.isWhole) for (const id of [...this.entries.keys()]) if (!this.#seen.has(id)) this.entries.delete(id);
    this.cursor = read.cursor;
    return read;
  }

  #take(batch: SourceBatch): void {
    this.batches.push(batch);
    const ids = [...(batch.entries ?? []).map(({ id }) => id), ...(batch.removed ?? [])];
    expect(new Set(ids).size).toBe(ids.length);
    for (const entry of batch.entries ?? []) this.entries.set(entry.id, entry);
    for (const id of batch.removed ?? []) this.entries.delete(id);
    for (const { id } of batch.entries ?? []) this.#seen.add(id);
  }

  get addresses(): readonly string[] {
    return [...this.entries.values()].map(({ address }) => address).sort();
  }

  named(name: string): SourceEntry | undefined {
    return [...this.entries.values()].find((one) => one.name === name);
  }
}

describe('a Zimbra’s address list, read from the stand-in', () => {
  let zimbra: Zimbra;
  let reader: Reader;
  let source: ZimbraGalSource;
  beforeEach(async () => {
    const calendars = createCalendarStore([{ address: 'kim@zimbra.example', displayName: 'Kim Kowalski' }, { address: 'lee@zimbra.example', displayName: 'Lee Larsen' }, { address: 'room@zimbra.example', displayName: 'Room Linden' }]);
    const detailsOf = (address: string): object => ({ foreignPrincipal: `ad:${address.split('@')[0]}.dn`, ...(address.startsWith('room') ? { resource: 'Location' } : {}) });
    zimbra = createZimbra({ ...USER, calendars, clock: { now: () => Date.now() }, admin: ADMIN, detailsOf });
    await zimbra.listen();
    open.push(zimbra);
    reader = new Reader();
    source = sourceAt(zimbra.url);
  });

  it('is whole at first, people, rooms and groups of the right kind', async () => {
    zimbra.gal.put('all@zimbra.example', 'All of us', { type: 'group', zimbraId: 'g-1', objectClass: 'zimbraDistributionList', member: ['kim@zimbra.example', 'anna@corp.example'] });
    zimbra.gal.put('anna@corp.example', 'Anna Albrecht', { objectClass: ['top', 'person', 'contact'] });
    expect(await reader.read(source)).toMatchObject({ isWhole: true, cursor: expect.stringContaining(zimbra.gal.accountId) as unknown });
    expect(reader.named('Kim Kowalski')).toMatchObject({ address: 'kim@zimbra.example', kind: 'person', isMailbox: true, givenName: 'Kim', surname: 'Kowalski', ref: 'uid=kim,ou=people,dc=zimbra,dc=example' });
    expect(reader.named('Room Linden')).toMatchObject({ kind: 'room', isMailbox: true });
    expect(reader.named('All of us')).toMatchObject({ kind: 'group', isMailbox: true, members: ['kim@zimbra.example', 'anna@corp.example'] });
    expect(reader.named('Anna Albrecht')).toMatchObject({ kind: 'contact', isMailbox: false });
    expect(source.pauseMs).toBe(20_000);
    expect(source.wholeEveryMs).toBe(6 * 3_600_000);
  });

  it('follows renamed, new and deleted people by the token, over a restart too', async () => {
    await reader.read(source);
    const { id } = reader.named('Kim Kowalski')!;
    zimbra.gal.rename('kim@zimbra.example', 'Kim Kaiser');
    zimbra.gal.remove('lee@zimbra.example');
    zimbra.gal.put('new@zimbra.example', 'New One', { zimbraId: 'n-1' });
    reader.batches.length = 0;
    expect(await reader.read(sourceAt(zimbra.url))).toMatchObject({ isWhole: false });
    expect(reader.entries.get(id)?.name).toBe('Kim Kaiser');
    expect(reader.addresses).toEqual(['kim@zimbra.example', 'new@zimbra.example', 'room@zimbra.example']);
    expect(reader.batches.flatMap(({ entries = [] }) => entries)).toHaveLength(2);
    reader.batches.length = 0;
    await reader.read(source);
    expect(reader.batches).toEqual([]);
  });

  it('reads a thousand and one in pages', async () => {
    for (let index = 0; index < 1_001; index++) zimbra.gal.put(`p${index}@zimbra.example`, `P ${index}`, { zimbraId: `p-${index}` });
    await reader.read(source);
    expect(reader.entries.size).toBe(1_004);
    expect(reader.batches.map(({ entries = [] }) => entries.length)).toEqual([1_000, 4]);
  });

  it('begins anew where the synchronisation account was made anew: who went meanwhile is gone, though nobody said so', async () => {
    await reader.read(source);
    zimbra.gal.remove('lee@zimbra.example');
    zimbra.gal.startOver();
    expect(await reader.read(source)).toMatchObject({ isWhole: true });
    expect(reader.addresses).toEqual(['kim@zimbra.example', 'room@zimbra.example']);
  });

  it('begins anew for garbage in place of a token, and for a recommendation once an hour', async () => {
    await reader.read(source, 'garbage\u0001%*');
    expect(reader.entries.size).toBe(3);
    zimbra.gal.recommendsFullSync = true;
    expect(await reader.read(source)).toMatchObject({ isWhole: true });
    expect(await reader.read(source)).toMatchObject({ isWhole: false });
  });

  it('keeps the token and comes again where too many others read; waits where it has to read everything', async () => {
    await reader.read(source);
    const { cursor } = reader;
    zimbra.gal.throttledAnswers = 1;
    zimbra.gal.rename('kim@zimbra.example', 'Kim Kaiser');
    expect(await reader.read(source)).toEqual({ cursor, isWhole: false });
    expect(reader.named('Kim Kaiser')).toBeUndefined();
    await reader.read(source);
    expect(reader.named('Kim Kaiser')).toBeDefined();
    zimbra.gal.throttledAnswers = 3;
    expect(await new Reader().read(source)).toMatchObject({ isWhole: true });
    zimbra.gal.throttledAnswers = 100;
    await expect(new Reader().read(source)).rejects.toMatchObject({ code: 'BACKEND_BUSY', temporary: true });
  });

  it('searches for everybody where it may not synchronise, in pages where there are such', async () => {
    zimbra.gal.maySync = false;
    zimbra.gal.maxResults = 2;
    expect(await reader.read(source)).toEqual({ cursor: undefined, isWhole: true });
    expect(reader.entries.size).toBe(3);
    expect(source.pauseMs).toBe(15 * 60_000);
    zimbra.gal.remove('lee@zimbra.example');
    await reader.read(source, 'an old token');
    expect(reader.addresses).toEqual(['kim@zimbra.example', 'room@zimbra.example']);
    zimbra.gal.maySync = true;
    await reader.read(source);
    expect([reader.entries.size, source.pauseMs]).toEqual([2, 20_000]);
  });

  it('searches by the ends of local parts where there are no pages, and finds even whose local part is nothing but a common end', async () => {
    zimbra.gal.maySync = false;
    zimbra.gal.hasPages = false;
    zimbra.gal.maxResults = 12;
    for (let index = 0; index < 60; index++) zimbra.gal.put(`p${index}.a@zimbra.example`, `P${index}`, { zimbraId: `p-${index}` });
    zimbra.gal.put('a@zimbra.example', 'A', { zimbraId: 'a' });
    expect(await reader.read(source)).toEqual({ cursor: undefined, isWhole: true });
    expect([reader.entries.size, reader.addresses.includes('a@zimbra.example')]).toEqual([64, true]);
  });

  it('takes a list for cut off that no search can tell apart', async () => {
    zimbra.gal.maySync = false;
    zimbra.gal.hasPages = false;
    zimbra.gal.maxResults = 2;
    for (let index = 0; index < 25; index++) zimbra.gal.put(`same@d${index}.example`, 'Same', { zimbraId: `p-${index}` });
    await expect(reader.read(source)).rejects.toMatchObject({ code: 'BACKEND_TOO_LARGE', details: { hint: 'zimbraFeatureGalSyncEnabled' } });
  });

  it('tells by an administrator whom contacts in Exchange stand for', async () => {
    const full = sourceAt(zimbra.url, { admin: { adminUrl: new URL(zimbra.url), ...ADMIN } });
    await reader.read(full);
    expect(reader.named('Lee Larsen')).toMatchObject({ foreignPrincipal: 'lee.dn', isMailbox: true });
    zimbra.gal.rename('lee@zimbra.example', 'Lee Lund');
    await reader.read(full);
    expect(reader.named('Lee Lund')).toMatchObject({ foreignPrincipal: 'lee.dn' });
    expect((await full.probe(AbortSignal.timeout(5_000))).map(({ step, outcome }) => [step, outcome])).toEqual([['sign-in', 'ok'], ['address list', 'ok'], ['changes', 'ok'], ['accounts behind the list', 'ok']]);
  });

  it('is probed: what the account may, and what to do where it may not', async () => {
    const steps = async (more: Partial<ZimbraGalOptions> = {}): Promise<unknown> => (await sourceAt(zimbra.url, more).probe(AbortSignal.timeout(5_000))).map(({ step, outcome, advice }) => [step, outcome, advice !== undefined]);
    expect(await steps()).toEqual([['sign-in', 'ok', false], ['address list', 'ok', false], ['changes', 'ok', false]]);
    zimbra.gal.throttledAnswers = 1;
    expect(await steps()).toContainEqual(['changes', 'warn', true]);
    zimbra.gal.maySync = false;
    expect(await steps()).toContainEqual(['changes', 'warn', true]);
    zimbra.gal.maySearch = false;
    expect(await steps()).toEqual([['sign-in', 'ok', false], ['address list', 'fail', true]]);
    expect(await steps({ password: 'wrong' })).toEqual([['sign-in', 'fail', true]]);
    await zimbra.close();
    expect(await steps()).toEqual([['sign-in', 'fail', true]]);
  });
});

describe('a Zimbra’s address list, from servers that are not as they should be', () => {
  const cn = (id: string, address: string): string => `<cn id="${id}"><a n="email">${address}</a><a n="zimbraId">${id}</a></cn>`;
  const synced = (attributes: string, body = ''): { readonly body: string } => ({ body: envelope(`<SyncGalResponse xmlns="urn:zimbraAccount" ${attributes}>${body}</SyncGalResponse>`) });
  async function against(answer: ZimbraAnswer): Promise<{ readonly source: ZimbraGalSource; readonly server: ZimbraStandIn; readonly reader: Reader }> {
    const server = await zimbraServer((body, request) => (body.includes('<AuthRequest') ? { body: tokenAnswer('t1') } : answer(body, request)));
    open.push(server);
    return { source: sourceAt(server.url), server, reader: new Reader() };
  }

  it('asks as an ordinary account, from the beginning without a token, then with the one it got', async () => {
    const { source, server, reader } = await against((body) => (body.includes('token=') ? synced('token="T2" more="0"') : synced('token="T1" more="0"', cn('a', 'a@zimbra.example'))));
    await reader.read(source);
    await reader.read(source);
    expect(server.asked.slice(1).map((body) => /<SyncGalRequest[^>]*>/.exec(body)?.[0])).toEqual(['<SyncGalRequest xmlns="urn:zimbraAccount" limit="1000"/>', '<SyncGalRequest xmlns="urn:zimbraAccount" token="T1" limit="1000"/>']);
    expect(reader.cursor).toBe('T2');
    // Of LDAP alone: deletions are told by whole readings only.
    expect(source.wholeEveryMs).toBe(15 * 60_000);
  });

  it.each([
    ['an empty list', synced('token="T" more="0"'), 'BACKEND_FAULT'],
    ['a list that does not go on', synced('token="" more="1"', cn('a', 'a@zimbra.example')), 'BACKEND_MALFORMED'],
    ['the same page for ever', synced('token="T" more="1"', cn('a', 'a@zimbra.example')), 'BACKEND_MALFORMED'],
    ['another answer', { body: envelope('<NoOpResponse xmlns="urn:zimbraMail"/>') }, 'BACKEND_MALFORMED'],
    ['half an answer', { body: envelope('<SyncGalResponse xmlns="urn:zimbraAccount" token="T"').slice(0, 200) }, 'BACKEND_MALFORMED'],
    ['a fault of its own', fault('service.FAILURE', 'Receiver'), 'BACKEND_FAULT'],
  ])('takes %s for no reading', async (_what, answer, code) => {
    const { source, reader } = await against(() => answer);
    await expect(reader.read(source)).rejects.toMatchObject({ code });
  });

  it('gives up on a server whose synchronisation account changes with every page', async () => {
    let account = 0;
    const { source, reader } = await against(() => synced(`token="T:account-${++account}:1" more="1"`, cn(`a${account}`, 'a@zimbra.example')));
    await expect(reader.read(source)).rejects.toMatchObject({ code: 'BACKEND_BUSY' });
    expect(account).toBeLessThan(20);
  });

  it('hands over what came before a failure, each id once', async () => {
    let pages = 0;
    const { source, reader } = await against(() => (++pages === 1 ? synced('token="T1" more="1"', cn('a', 'a@zimbra.example') + cn('a', 'b@zimbra.example') + cn('', '') + '<cn/>') : fault('service.FAILURE', 'Receiver')));
    await expect(reader.read(source)).rejects.toMatchObject({ code: 'BACKEND_FAULT' });
    expect(reader.addresses).toEqual(['b@zimbra.example']);
  });

  it('takes one without an address for gone, and a deleted id that is there again for there', async () => {
    let answer = synced('token="T1" more="0"', cn('a', 'a@zimbra.example') + cn('b', 'b@zimbra.example'));
    const { source, reader } = await against(() => answer);
    await reader.read(source);
    answer = synced('token="T2" more="0"', `${cn('a', 'nobody')}${cn('c', 'c@zimbra.example')}<deleted id="c"/><deleted id="b"/><deleted/>`);
    await reader.read(source);
    expect(reader.addresses).toEqual(['c@zimbra.example']);
  });

  it('signs in again once where the token is no longer taken', async () => {
    let refused = 0;
    const { source, reader, server } = await against(() => (refused++ === 0 ? fault('service.AUTH_EXPIRED') : synced('token="T1" more="0"', cn('a', 'a@zimbra.example'))));
    await reader.read(source);
    expect(server.asked.filter((body) => body.includes('<AuthRequest'))).toHaveLength(2);
  });

  it('searches where everything comes at once and is too much', async () => {
    const { source, reader } = await against((body) =>
      body.includes('SyncGalRequest') ? synced('token="T1" more="0"', `<cn id="x"><a n="notes">${'x'.repeat(33 * 1024 * 1024)}</a></cn>`) : { body: envelope(`<SearchGalResponse xmlns="urn:zimbraAccount" more="0">${cn('a', 'a@zimbra.example')}</SearchGalResponse>`) },
    );
    expect(await reader.read(source)).toEqual({ cursor: undefined, isWhole: true });
  });

  it('does not search because whoever takes the entries has no room for them', async () => {
    const { source, server } = await against(() => synced('token="T1" more="0"', cn('a', 'a@zimbra.example')));
    const full = new BridgeError('BACKEND_TOO_LARGE', 'full');
    await expect(source.read(undefined, async () => Promise.reject(full), AbortSignal.timeout(5_000))).rejects.toBe(full);
    expect(server.asked).toHaveLength(2);
  });

  it('stops soon where nobody waits any more', async () => {
    const { source } = await against(() => undefined);
    const started = performance.now();
    await expect(source.read(undefined, async () => undefined, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
