import { Router } from 'express';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { adminEndpoint } from '../../../src/protocols/rest-api/admin-endpoint.ts';
import { ask as send, serve } from '../../platform/http-server/serving.ts';
import { FakePresence, shownAs } from '../../presence/fake-presence.ts';

let presence: FakePresence | undefined;
let listener: Listener;
let checks = 0;
beforeAll(async () => {
  const router = adminEndpoint({ queue: () => undefined, presence: () => presence, checkPresence: async () => (checks++, [{ kind: 'gateway' }]), hosts: [] });
  listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger: silentLogger, metrics: noMetrics }));
});
afterAll(() => listener.close(0));
beforeEach(() => {
  presence = new FakePresence();
  presence.show('anna@corp.example', shownAs('in-a-meeting'));
  presence.show('lee@corp.example', shownAs('available'));
});

async function ask(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly json: unknown }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await send(listener.url, `/api/v1/admin/${path}`, { method, headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(text === undefined ? {} : { body: text }) });
  return { status: answer.status, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
}

it('shows how it stands, with times as text', async () => {
  expect(await ask('GET', 'presence')).toMatchObject({
    status: 200,
    json: {
      optedIn: 2,
      states: { available: 1, 'in-a-meeting': 1, offline: 0 },
      gateways: [{ description: 'Head office', label: 'Exchange -- EWS Server', watch: { live: 2, heardAt: '2026-03-02T09:00:00.000Z', trouble: null } }],
      publishers: [{ label: 'sip im.corp.example:5060', failing: 1, publishedAt: null }],
      appliedAt: '2026-03-02T09:00:00.000Z',
      pending: ['the notification port moves: 3 subscriptions are left'],
      idle: null,
    },
  });
  expect(await ask('GET', 'presence/mailboxes')).toEqual({
    status: 200,
    json: { mailboxes: [['anna@corp.example', 'in-a-meeting', 'In a meeting'], ['lee@corp.example', 'available', '']].map(([address, state, text]) => ({ address, state, text, until: '2026-03-02T10:00:00.000Z', since: '2026-03-02T09:00:00.000Z', reason: 'calendar', language: 'en', through: 'Head office', mode: 'live', readAt: '2026-03-02T09:00:00.000Z', trouble: null })) },
  });
});

it('reads again whom it is told, or all', async () => {
  expect(await ask('POST', 'presence/resync', { mailboxes: 'all' })).toEqual({ status: 200, json: { count: 2 } });
  expect(await ask('POST', 'presence/resync', { mailboxes: ['Anna@corp.example', 'x@y.example'] })).toEqual({ status: 200, json: { count: 1 } });
});

it('switches those who are named, each with its outcome', async () => {
  expect(await ask('POST', 'presence/opt-in', { mailboxes: ['new@corp.example', 'lee@corp.example', 'ghost@corp.example'], optIn: true })).toEqual({
    status: 200,
    json: { count: 1, outcomes: [{ mailbox: 'new@corp.example', changed: true }, { mailbox: 'lee@corp.example', changed: false }, { mailbox: 'ghost@corp.example', error: { code: 'NOT_FOUND', message: 'nobody knows this mailbox' } }] },
  });
  expect(presence!.calls[0]).toEqual(['switch', 'new@corp.example', true, { by: 'administrator', via: 'api' }]);
});

it('switches everybody off only when that is confirmed, and nobody on without a name', async () => {
  expect((await ask('POST', 'presence/opt-in', { mailboxes: 'all', optIn: false })).status).toBe(400);
  expect((await ask('POST', 'presence/opt-in', { mailboxes: 'all', optIn: true, confirm: true })).status).toBe(400);
  expect(presence!.calls).toEqual([]);
  expect(await ask('POST', 'presence/opt-in', { mailboxes: 'all', optIn: false, confirm: true })).toMatchObject({ status: 200, json: { count: 2 } });
  expect(presence!.optIns().every(({ isOptedIn }) => !isOptedIn)).toBe(true);
});

it.each([[{}], [{ mailboxes: [] , optIn: true }], [{ mailboxes: ['nonsense'], optIn: true }], [{ mailboxes: ['a@b.example'] }], [{ mailboxes: ['a@b.example'], optIn: 'yes' }], [{ mailboxes: Array.from({ length: LIMITS.presenceSwitches + 1 }, () => 'a@b.example'), optIn: true }]])('refuses %j', async (body) => {
  expect((await ask('POST', 'presence/opt-in', body)).status).toBe(400);
  expect(presence!.calls).toEqual([]);
});

it('has the guards of the queue', async () => {
  for (const path of ['presence/resync', 'presence/opt-in', 'presence/check']) {
    expect((await ask('POST', path, { mailboxes: 'all', optIn: false, confirm: true }, { 'content-type': 'text/plain' })).status).toBe(400);
    expect((await ask('POST', path, { mailboxes: 'all', optIn: false, confirm: true }, { host: 'evil.example' })).status).toBe(403);
    expect((await ask('GET', path)).status).toBe(405);
  }
  expect((await ask('POST', 'presence')).status).toBe(405);
  expect(presence!.calls).toEqual([]);
  expect(checks).toBe(0);
});

it('checks when it is asked to', async () => {
  expect(await ask('POST', 'presence/check', {})).toEqual({ status: 200, json: [{ kind: 'gateway' }] });
});

it('is 404 where there is no presence, 503 where it cannot be stored', async () => {
  presence!.refusal = new BridgeError('STORE_UNAVAILABLE', 'full', { temporary: true });
  expect(await ask('POST', 'presence/opt-in', { mailboxes: ['anna@corp.example'], optIn: false })).toMatchObject({ json: { count: 0, outcomes: [{ error: { code: 'STORE_UNAVAILABLE' } }] } });
  presence = undefined;
  expect((await ask('GET', 'presence')).status).toBe(404);
});
