import { Router } from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { adminEndpoint } from '../../../src/protocols/rest-api/admin-endpoint.ts';
import type { AdminQueue } from '../../../src/protocols/rest-api/admin-queue.ts';
import { ask as send, serve } from '../../platform/http-server/serving.ts';

const REPORT = { counts: [{ route: 'zimbra → exchange', waiting: 1 }], entries: [] };
const asked: unknown[] = [];
let queue: AdminQueue | undefined;
let listener: Listener;

beforeAll(async () => {
  const router = adminEndpoint({ queue: () => queue, hosts: ['bridge.example'] });
  listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger: silentLogger, metrics: noMetrics }));
});
afterAll(() => listener.close(0));
beforeEach(() => {
  asked.length = 0;
  queue = {
    report: async () => REPORT,
    retry: async (which) => asked.push(['retry', which]),
    drop: async (which) => asked.push(['drop', which]),
  };
});

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

async function ask(method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await send(listener.url, path, { method, headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
}

describe('the queue on the admin listener', () => {
  it('is shown as queue --json shows it', async () => {
    expect(await ask('GET', '/api/v1/admin/queue')).toEqual({ status: 200, json: REPORT });
  });

  it('retries and drops what is named, or all', async () => {
    expect(await ask('POST', '/api/v1/admin/queue/retry', '{"mailboxes":["Kim@zimbra.example"]}')).toEqual({ status: 200, json: { count: 1 } });
    expect(await ask('POST', '/api/v1/admin/queue/drop', '{"mailboxes":"all"}')).toEqual({ status: 200, json: { count: 2 } });
    expect(asked).toEqual([['retry', ['kim@zimbra.example']], ['drop', 'all']]);
  });

  it.each([
    ['no JSON', 'mailboxes'],
    ['no list', '{"mailboxes": {}}'],
    ['an empty list', '{"mailboxes": []}'],
    ['no object', '"all"'],
    ['nothing', 'null'],
    ['no address', '{"mailboxes": ["kim@zimbra.example", 7]}'],
  ])('refuses %s, and does nothing', async (_what, body) => {
    expect(await ask('POST', '/api/v1/admin/queue/drop', body)).toMatchObject({ status: 400, json: { error: { code: 'INVALID_REQUEST' } } });
    expect(asked).toEqual([]);
  });

  it('refuses what a web page in an administrator’s browser could send', async () => {
    const body = '{"mailboxes":"all"}';
    expect(await ask('POST', '/api/v1/admin/queue/drop', body, { 'content-type': 'text/plain' })).toMatchObject({ status: 400 });
    expect(await ask('POST', '/api/v1/admin/queue/drop', body, { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(await ask('GET', '/api/v1/admin/queue', undefined, { host: 'evil.example:8481' })).toMatchObject({ status: 403 });
    expect(asked).toEqual([]);
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:8481', 'Bridge.example:8481']) expect(await ask('GET', '/api/v1/admin/queue', undefined, { host })).toMatchObject({ status: 200 });
  });

  it('answers other methods 405, a bridge that replicates nothing 404, a store that is away 503', async () => {
    expect(await ask('POST', '/api/v1/admin/queue', '{}')).toMatchObject({ status: 405 });
    expect(await ask('GET', '/api/v1/admin/queue/drop')).toMatchObject({ status: 405 });
    queue = { ...queue!, report: async () => Promise.reject(new BridgeError('STORE_UNAVAILABLE', 'away', { temporary: true })) };
    expect(await ask('GET', '/api/v1/admin/queue')).toMatchObject({ status: 503, json: { error: { code: 'STORE_UNAVAILABLE' } } });
    queue = undefined;
    expect(await ask('GET', '/api/v1/admin/queue')).toMatchObject({ status: 404 });
  });

  it('refuses a body beyond its bound', async () => {
    const body = `{"mailboxes":["${'x'.repeat(2_000_000)}"]}`;
    expect(await ask('POST', '/api/v1/admin/queue/retry', body).catch(() => ({ status: 413 }))).toMatchObject({ status: 413 });
  });
});
