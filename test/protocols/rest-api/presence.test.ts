import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusySource } from '../../../src/freebusy/source.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { ask } from '../../platform/http-server/serving.ts';
import { openApi } from './serving.ts';
import type { Api, ApiOptions } from './serving.ts';

const NOW = Date.parse('2026-03-02T09:30:15Z');
let queries: FreeBusyQuery[] = [];
const source: FreeBusySource = {
  freeBusy: async (query) => {
    queries.push(query);
    return query.mailboxes.map((mailbox) => {
      if (mailbox === 'dead@corp.example') return { mailbox, error: new BridgeError('DEADLINE', 'no answer in time') };
      return { mailbox, freeBusy: freeBusyFrom(mailbox, query.window, { busy: [{ start: NOW - 60_000, end: Date.parse('2026-03-02T10:00:00Z'), busyType: mailbox.startsWith('kim') ? 'oof' : 'busy' }] }), asOf: NOW };
    });
  },
};

const apis: Api[] = [];
afterEach(async () => {
  queries = [];
  for (const api of apis.splice(0)) await api.close();
});
async function api(options: Partial<ApiOptions> = {}): Promise<Api> {
  const opened = await openApi({ source, now: NOW, optIn: ['anna@corp.example', 'kim@zimbra.example', 'dead@corp.example'], ...options });
  apis.push(opened);
  return opened;
}

describe('GET /api/v1/presence/{address}', () => {
  it('says the state and until when, in the caller’s spelling', async () => {
    const { json, headers } = await (await api()).get('/api/v1/presence/Anna%40Corp.example');
    expect(json).toEqual({ address: 'Anna@Corp.example', state: 'in-a-meeting', until: '2026-03-02T10:00:00.000Z' });
    expect(headers['cache-control']).toBe('no-store');
    expect((await (await api()).get('/api/v1/presence/kim@zimbra.example')).json).toMatchObject({ state: 'away' });
  });

  it('is 200 and unknown where an opted-in mailbox cannot be read', async () => {
    expect(await (await api()).get('/api/v1/presence/dead@corp.example')).toMatchObject({ status: 200, json: { address: 'dead@corp.example', state: 'unknown', until: null } });
  });

  it('answers for a mailbox that has not opted in, byte for byte, as for one that is unknown or none at all, and asks nobody', async () => {
    const all = await api();
    const seen = new Set<string>();
    for (const name of ['notopted@corp.example', 'nobody@gmail.com', 'a%2Fcn=ceo@corp.example', 'nonsense', '%00', "'%20or%201=1", 'a@b@c', '..%2f..%2fetc', 'x'.repeat(5_000)]) {
      const { status, body, headers } = await all.get(`/api/v1/presence/${name}`);
      const { 'x-request-id': _id, date: _date, ...rest } = headers;
      seen.add(JSON.stringify([status, body, rest]));
    }
    expect([...seen]).toHaveLength(1);
    expect([...seen][0]).toMatch(/^\[404,/);
    expect(queries).toEqual([]);
  });

  it('is 403 for a client without the right, whoever is asked about', async () => {
    const refusing = await api({ requester: { ...ASKER, presence: 'none' } });
    for (const name of ['anna@corp.example', 'notopted@corp.example', 'nonsense']) expect((await refusing.get(`/api/v1/presence/${name}`)).status).toBe(403);
    expect(queries).toEqual([]);
  });

  it('needs no right to ask about the calendar itself', async () => {
    expect((await (await api({ requester: { ...ASKER, mayAsk: new Set(), detail: 'none' } })).get('/api/v1/presence/anna@corp.example')).json).toMatchObject({ state: 'in-a-meeting' });
  });

  it('a path of broken escapes is nobody’s', async () => {
    expect((await ask((await api()).url, '/api/v1/presence/%ff')).status).toBe(404);
  });
});

describe('without credentials', () => {
  it.each([
    ['GET', '/api/v1/presence/%ff'],
    ['OPTIONS', '/api/v1/freebusy'],
    ['OPTIONS', '/api/v1/presence/anna@corp.example'],
  ])('%s %s tells nobody that it exists or how it is built', async (method, target) => {
    const closed = await api({ requester: new BridgeError('AUTH_REQUIRED', 'sign in first') });
    const { status, headers, body } = await ask(closed.url, target, { method });
    expect([401, 404]).toContain(status);
    expect(headers.allow).toBeUndefined();
    expect(body).not.toMatch(/GET|HEAD/);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s is nobody’s', async (method) => {
    const closed = await api({ requester: new BridgeError('AUTH_REQUIRED', 'sign in first') });
    for (const target of ['/api/v1/freebusy', '/api/v1/presence/anna@corp.example']) expect([401, 404, 405]).toContain((await ask(closed.url, target, { method, body: '{}', headers: { 'Content-Length': '2' } })).status);
    expect(queries).toEqual([]);
  });
});
