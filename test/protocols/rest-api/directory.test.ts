import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import type { Directory, DirectoryQuery } from '../../../src/directory/directory.ts';
import { NO_DIRECTORY } from '../../../src/directory/no-directory.ts';
import { entryOf, memoryDirectory } from '../../directory/memory-directory.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { ask } from '../../platform/http-server/serving.ts';
import { openApi } from './serving.ts';
import type { Api, ApiOptions } from './serving.ts';

const SEARCHER: Requester = { ...ASKER, gal: 'search' };
const PEOPLE = [
  entryOf('anna.mueller@corp.example', { name: 'Anna Müller', givenName: 'Anna', surname: 'Müller', aliases: ['amueller@corp.example'], title: 'Chief', phone: '+49 30 1', fax: '+49 30 2', street: 'Main 1' }),
  entryOf('board@corp.example', { name: 'Anna’s board', kind: 'group' }),
  entryOf('annex@zimbra.example', { name: 'Annex', kind: 'room', home: 'zimbra', capacity: '12', office: 'House 2' }),
  entryOf('ann@elsewhere.example', { name: 'Ann Else', kind: 'contact', home: undefined }),
];
const BOOK = memoryDirectory(PEOPLE, { members: { 'board@corp.example': ['anna.mueller@corp.example', 'hidden@corp.example', 'ann@elsewhere.example'] } });

const apis: Api[] = [];
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
});
async function api(options: Partial<ApiOptions> = {}): Promise<Api> {
  const opened = await openApi({ source: { freeBusy: async () => [] }, requester: SEARCHER, directory: BOOK, ...options });
  apis.push(opened);
  return opened;
}

/** Keeps what is asked. */
function listening(): { readonly directory: Directory; readonly asked: DirectoryQuery[] } {
  const asked: DirectoryQuery[] = [];
  return { directory: { ...BOOK, search: (query, requester) => (asked.push(query), BOOK.search(query, requester)) }, asked };
}

describe('GET /api/v1/directory', () => {
  const ANNA = { address: 'anna.mueller@corp.example', name: 'Anna Müller', home: 'exchange', kind: 'person', aliases: ['amueller@corp.example'] };

  it('answers with the contract’s five members, and nothing else', async () => {
    const { json, headers } = await (await api()).get('/api/v1/directory?q=anna.m');
    expect(json).toEqual({ results: [ANNA] });
    expect(headers['cache-control']).toBe('no-store');
  });

  it('with details=true also with the details that are known', async () => {
    const { json } = await (await api()).get('/api/v1/directory?q=anna.m&details=true');
    expect(json).toEqual({ results: [{ ...ANNA, givenName: 'Anna', surname: 'Müller', title: 'Chief', phone: '+49 30 1' }] });
  });

  it('has null for a home that nobody knows, and keeps the order of the address book', async () => {
    const { json } = await (await api()).get('/api/v1/directory?q=ann');
    const { results } = json as { results: { address: string; home: string | null }[] };
    expect(results.map(({ address, home }) => [address, home])).toEqual(PEOPLE.map(({ address, home = null }) => [address, home]));
  });

  it('says that there is more', async () => {
    expect((await (await api()).get('/api/v1/directory?q=ann&limit=3')).json).toMatchObject({ more: true, results: { length: 3 } });
    const { json } = await (await api()).get('/api/v1/directory?q=ann&limit=4');
    expect(Object.entries(json as object)).toEqual([['results', expect.objectContaining({ length: 4 })]]);
  });

  it('takes one kind or several', async () => {
    const all = await api();
    const kinds = async (query: string): Promise<string[]> => ((await all.get(`/api/v1/directory?q=ann&${query}`)).json as { results: { kind: string }[] }).results.map(({ kind }) => kind);
    expect(await kinds('kind=room')).toEqual(['room']);
    expect(await kinds('kind=room&kind=contact')).toEqual(['room', 'contact']);
    expect(await kinds('kind=equipment')).toEqual([]);
  });

  it.each([
    ['q=m%C3%BCller', 'müller'],
    ['q=anna+m', 'anna m'],
    ['q=kim%2Bsales%40corp.example', 'kim+sales@corp.example'],
    ['q=%2A', '*'],
    ['q=%', '%'],
    ['q=%25', '%'],
    ['q=%00', '\0'],
    ['q=', ''],
    ['q=a&q=b', 'a'],
    ['limit=3&Q=a', 'a'],
    [`q=${'x'.repeat(10_000)}`, 'x'.repeat(10_000)],
  ])('asks %s as it was meant', async (query, text) => {
    const { directory, asked } = listening();
    expect((await (await api({ directory })).get(`/api/v1/directory?${query}`)).status).toBe(200);
    expect(asked.map((one) => one.text)).toEqual([text]);
  });

  it.each(['', 'text=anna', 'q=a&limit=0', 'q=a&limit=501', 'q=a&limit=-1', 'q=a&limit=1e2', 'q=a&limit=', 'q=a&limit=99999999999999999999', 'q=a&kind=user', 'q=a&kind=', 'q=a&kind=room&kind=constructor'])('refuses ?%s', async (query) => {
    const { directory, asked } = listening();
    expect(await (await api({ directory })).get(`/api/v1/directory?${query}`)).toMatchObject({ status: 400, json: { error: { code: 'INVALID_REQUEST' } } });
    expect(asked).toEqual([]);
  });
});

describe('GET /api/v1/directory/{address}', () => {
  it('finds by address and by alias, in any case', async () => {
    const all = await api();
    for (const address of ['anna.mueller@corp.example', 'AMueller@Corp.example', 'smtp%3Aamueller%40corp.example']) expect((await all.get(`/api/v1/directory/${address}`)).json).toMatchObject({ address: 'anna.mueller@corp.example', name: 'Anna Müller' });
  });

  it('has, with details=true, the members of a group: those whom the address book shows', async () => {
    const board = { address: 'board@corp.example', name: 'Anna’s board', home: 'exchange', kind: 'group', aliases: [] };
    const all = await api();
    expect((await all.get('/api/v1/directory/board@corp.example')).json).toEqual(board);
    expect((await all.get('/api/v1/directory/board@corp.example?details=true')).json).toEqual({ ...board, members: ['anna.mueller@corp.example', 'ann@elsewhere.example'] });
  });

  it('answers about nobody, byte for byte, as about what can name nobody', async () => {
    const all = await api();
    const seen = new Set<string>();
    for (const name of ['nobody@corp.example', 'hidden@corp.example', 'nonsense', '%00', '*', '%25', 'a%2Fb@corp.example', '..%2f..', 'x'.repeat(5_000)]) {
      const { status, body, headers } = await all.get(`/api/v1/directory/${name}`);
      const { 'x-request-id': _id, date: _date, ...rest } = headers;
      seen.add(JSON.stringify([status, body, rest]));
    }
    expect([...seen]).toHaveLength(1);
    expect([...seen][0]).toMatch(/^\[404,/);
  });
});

const TARGETS = ['/api/v1/directory?q=anna', '/api/v1/directory', '/api/v1/directory?q=a&limit=0', '/api/v1/directory/anna.mueller@corp.example', '/api/v1/directory/nonsense'];

describe('who may not ask', () => {
  it.each(['none', undefined] as const)('gal: %s is 403 whatever is asked, also where no address book is kept', async (gal) => {
    for (const directory of [BOOK, NO_DIRECTORY]) {
      const refusing = await api({ requester: { ...ASKER, gal }, directory });
      for (const target of TARGETS) expect([target, (await ask(refusing.url, target)).status]).toEqual([target, 403]);
    }
  });

  it('nobody is told anything without signing in', async () => {
    const closed = await api({ requester: new BridgeError('AUTH_REQUIRED', 'sign in first') });
    for (const target of TARGETS) for (const method of ['GET', 'POST', 'OPTIONS']) expect([target, method, (await ask(closed.url, target, { method })).status]).toEqual([target, method, 401]);
  });

  it('beyond its rate it is 429 with Retry-After', async () => {
    const tooMany = (): never => {
      throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many searches', { temporary: true, retryAfterMs: 2_500 });
    };
    const slowed = await api({ directory: { ...BOOK, search: tooMany, resolve: tooMany } });
    for (const target of [TARGETS[0]!, TARGETS[3]!]) {
      const { status, headers } = await slowed.get(target);
      expect([status, headers['retry-after']]).toEqual([429, '3']);
    }
  });

  it('only GET and HEAD are answered', async () => {
    const all = await api();
    expect(await ask(all.url, TARGETS[0]!, { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await ask(all.url, TARGETS[0]!, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });
});

describe('where no address book is kept', () => {
  it('nobody is found', async () => {
    const empty = await api({ directory: NO_DIRECTORY });
    expect((await empty.get('/api/v1/directory?q=anna')).json).toEqual({ results: [] });
    expect((await empty.get('/api/v1/directory/anna.mueller@corp.example')).status).toBe(404);
  });
});
