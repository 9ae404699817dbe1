import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusySource } from '../../../src/freebusy/source.ts';
import { redact } from '../../../src/freebusy/detail.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { openApi } from './serving.ts';
import type { Api, ApiOptions } from './serving.ts';

const T = (text: string): number => Date.parse(text);
const WINDOW = 'start=2026-03-02T08:00:00Z&end=2026-03-02T18:00:00Z';

let queries: FreeBusyQuery[] = [];
/** Anna has one of each kind; everybody else is unknown. As the lookup does, it gives what the client may see. */
const source: FreeBusySource = {
  freeBusy: async (query, ctx) => {
    queries.push(query);
    return query.mailboxes.map((mailbox) => {
      if (mailbox === 'dead@corp.example') return { mailbox, error: new BridgeError('BACKEND_UNREACHABLE', 'the calendar system cannot be reached', { details: { reason: 'ECONNREFUSED' }, cause: new Error('canary') }) };
      if (mailbox !== 'anna@corp.example' && mailbox !== "o'brien@corp.example") return { mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox') };
      const events = [
        { start: T('2026-03-02T09:00:00Z'), end: T('2026-03-02T10:00:00Z'), busyType: 'busy', subject: 'Budget', location: 'Room 1' },
        { start: T('2026-03-02T10:00:00Z'), end: T('2026-03-02T11:00:00Z'), busyType: 'oof', subject: 'canary', isPrivate: true },
        { start: T('2026-03-02T11:00:00Z'), end: T('2026-03-02T12:00:00Z'), busyType: 'tentative' },
        { start: T('2026-03-02T12:00:00Z'), end: T('2026-03-02T13:00:00Z'), busyType: 'working-elsewhere' },
        { start: T('2026-03-02T13:00:00Z'), end: T('2026-03-02T13:00:00.001Z'), busyType: 'no-data' },
      ] as const;
      const { detail } = ctx.requester;
      return { mailbox, freeBusy: redact(freeBusyFrom(mailbox, query.window, { events }), detail === 'none' ? 'free-busy' : detail, 'free'), asOf: T('2026-03-02T07:30:00Z'), ...(mailbox.startsWith('o') ? { stale: true as const } : {}) };
    });
  },
};

const apis: Api[] = [];
afterEach(async () => {
  queries = [];
  for (const api of apis.splice(0)) await api.close();
});
async function api(options: Partial<ApiOptions> = {}): Promise<Api> {
  const opened = await openApi({ source, ...options });
  apis.push(opened);
  return opened;
}

describe('GET /api/v1/freebusy', () => {
  it('answers as configuration.md promises: in the order asked, in the caller’s spelling, UTC', async () => {
    const requester: Requester = { ...ASKER, detail: 'busy-type' };
    const { status, headers, json } = await (await api({ requester })).get(`/api/v1/freebusy?mailbox=nobody@corp.example&mailbox=SMTP:Anna%40Corp.example&${WINDOW}&mailbox=a/cn=ceo@corp.example&mailbox=dead@corp.example`);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json; charset=utf-8', 'no-store']);
    const unknown = { code: 'MAILBOX_UNKNOWN', message: 'no such mailbox' };
    expect(json).toEqual({
      window: { start: '2026-03-02T08:00:00.000Z', end: '2026-03-02T18:00:00.000Z' },
      results: [
        { mailbox: 'nobody@corp.example', error: unknown },
        {
          mailbox: 'SMTP:Anna@Corp.example',
          busy: [
            { start: '2026-03-02T09:00:00.000Z', end: '2026-03-02T10:00:00.000Z', type: 'busy' },
            { start: '2026-03-02T10:00:00.000Z', end: '2026-03-02T11:00:00.000Z', type: 'oof' },
            { start: '2026-03-02T11:00:00.000Z', end: '2026-03-02T12:00:00.000Z', type: 'tentative' },
            { start: '2026-03-02T12:00:00.000Z', end: '2026-03-02T13:00:00.000Z', type: 'working-elsewhere' },
            { start: '2026-03-02T13:00:00.000Z', end: '2026-03-02T13:00:00.001Z', type: 'no-data' },
          ],
          asOf: '2026-03-02T07:30:00.000Z',
          stale: false,
        },
        { mailbox: 'a/cn=ceo@corp.example', error: unknown },
        { mailbox: 'dead@corp.example', error: { code: 'BACKEND_UNREACHABLE', message: 'the calendar system cannot be reached' } },
      ],
    });
    expect(queries).toHaveLength(1);
    expect(queries[0]).toMatchObject({ mailboxes: ['nobody@corp.example', 'anna@corp.example', 'dead@corp.example'], details: false });
  });

  it('gives subjects and places to clients with details only, and of private events to none', async () => {
    const { body } = await (await api()).get(`/api/v1/freebusy?mailbox=anna@corp.example&${WINDOW}`);
    expect(body).toContain('"subject":"Budget","location":"Room 1"');
    expect(body).not.toContain('canary');
    expect(queries[0]!.details).toBe(true);
    for (const detail of ['busy-type', 'free-busy'] as const) expect((await (await api({ requester: { ...ASKER, detail } })).get(`/api/v1/freebusy?mailbox=anna@corp.example&${WINDOW}`)).body).not.toMatch(/subject|location/);
  });

  it('says when an answer is stale', async () => {
    const { json } = await (await api()).get(`/api/v1/freebusy?mailbox=o'brien@corp.example&${WINDOW}`);
    expect(json).toMatchObject({ results: [{ stale: true }] });
  });

  it('reads zones as they are written into a URL, plus signs and all', async () => {
    for (const zone of ['start=2026-03-02T09:00:00+01:00&end=2026-03-02T10:00:00%2B0100', 'start=2026-03-02T03:00-05:00&end=2026-03-02T09:00Z', 'start=2026-03-02T08:00:00&end=2026-03-02T09%3A00%3A00.000Z']) {
      expect((await (await api()).get(`/api/v1/freebusy?mailbox=anna@corp.example&${zone}`)).json).toMatchObject({ window: { start: '2026-03-02T08:00:00.000Z', end: '2026-03-02T09:00:00.000Z' } });
    }
  });

  it.each([
    ['no mailbox', WINDOW, 'INVALID_REQUEST'],
    ['no window', 'mailbox=anna@corp.example', 'INVALID_WINDOW'],
    ['no end', 'mailbox=anna@corp.example&start=2026-03-02T08:00:00Z', 'INVALID_WINDOW'],
    ['an end that is no time', 'mailbox=anna@corp.example&start=2026-03-02T08:00:00Z&end=canary', 'INVALID_WINDOW'],
    ['30 February', 'mailbox=anna@corp.example&start=2026-02-30T08:00:00Z&end=2026-03-02T08:00:00Z', 'INVALID_WINDOW'],
    ['a reversed window', 'mailbox=anna@corp.example&start=2026-03-02T08:00:00Z&end=2026-03-01T08:00:00Z', 'INVALID_WINDOW'],
    ['an empty window', 'mailbox=anna@corp.example&start=2026-03-02T08:00:00Z&end=2026-03-02T08:00:00Z', 'INVALID_WINDOW'],
    ['a hundred years', 'mailbox=anna@corp.example&start=2026-03-02T08:00:00Z&end=2126-03-02T08:00:00Z', 'WINDOW_TOO_LARGE'],
    ['501 mailboxes', `${'mailbox=a@b.example&'.repeat(501)}${WINDOW}`, 'TOO_MANY_MAILBOXES'],
  ])('refuses %s as a whole, in words, and asks nobody', async (_name, query, code) => {
    const { status, json, body } = await (await api()).get(`/api/v1/freebusy?${query}`);
    expect([status, json]).toMatchObject([400, { error: { code, message: expect.stringMatching(/\w+ \w+/) as string } }]);
    expect(body).not.toContain('canary');
    expect(queries).toEqual([]);
  });

  it('answers 500 mailboxes', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `mailbox=u${index}@b.example&`).join('');
    const { json } = await (await api()).get(`/api/v1/freebusy?${names}${WINDOW}`);
    expect((json as { results: unknown[] }).results).toHaveLength(500);
  });

  it('does not take what is no pair for a pair: a[]=, a mailbox in another case of path', async () => {
    const { json } = await (await api()).get(`/api/v1/freebusy?mailbox[]=x@b.example&mailbox=anna@corp.example&__proto__=1&${WINDOW}`);
    expect((json as { results: unknown[] }).results).toHaveLength(1);
  });
});

describe('who may not ask', () => {
  it.each([
    [new BridgeError('AUTH_REQUIRED', 'sign in first'), 401],
    [new BridgeError('AUTH_FAILED', 'wrong user name or password'), 401],
    [new BridgeError('TOO_MANY_ATTEMPTS', 'too many failed attempts, try again later', { retryAfterMs: 4_500 }), 429],
  ] as const)('gets %s and nothing else, whatever was asked', async (error, status) => {
    const refusing = await api({ requester: error, optIn: ['anna@corp.example'] });
    const bodies = new Set<string>();
    for (const target of [`/api/v1/freebusy?mailbox=anna@corp.example&${WINDOW}`, '/api/v1/freebusy', '/api/v1/presence/anna@corp.example', '/api/v1/presence/nobody@corp.example', '/api/v1/openapi.json']) {
      const answer = await refusing.get(target);
      expect(answer.status).toBe(status);
      expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Basic realm="freebusy-bridge"' : undefined);
      expect(answer.headers['retry-after']).toBe(status === 429 ? '5' : undefined);
      bodies.add(answer.body);
    }
    expect(bodies).toEqual(new Set([JSON.stringify({ error: { code: error.code, message: error.publicMessage } })]));
    expect(queries).toEqual([]);
  });
});
