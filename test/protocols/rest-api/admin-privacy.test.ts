import { Router } from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { PrivacyService } from '../../../src/freebusy/privacy.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { adminEndpoint } from '../../../src/protocols/rest-api/admin-endpoint.ts';
import { ask, serve } from '../../platform/http-server/serving.ts';

const AT = Date.UTC(2026, 2, 2, 9);
const optedOut = new Set<MailboxAddress>();
const actors: unknown[] = [];
let isFull = false;
let listener: Listener;
const service: PrivacyService = {
  reasonToHide: () => undefined,
  of: (mailbox) => ({ mailbox, isHidden: optedOut.has(mailbox), isExcluded: false, isOptedOut: optedOut.has(mailbox), by: optedOut.has(mailbox) ? 'administrator' : undefined, at: optedOut.has(mailbox) ? AT : undefined }),
  all: () => [...optedOut].map((one) => service.of(one)),
  switch: async (mailbox, isOptedOut, actor) => {
    if (isFull) throw new BridgeError('STORE_UNAVAILABLE', 'it cannot be stored: ENOSPC', { temporary: true });
    actors.push(actor);
    if (isOptedOut) optedOut.add(mailbox);
    else optedOut.delete(mailbox);
    return true;
  },
};
beforeAll(async () => {
  const router = adminEndpoint({ queue: () => undefined, privacy: () => service, hosts: ['bridge.example'] });
  listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger: silentLogger, metrics: noMetrics }));
});
afterAll(() => listener.close(0));
beforeEach(() => {
  optedOut.clear();
  isFull = false;
});

const send = async (method: string, path: string, headers: Record<string, string> = {}): Promise<readonly [number, unknown]> => {
  const { status, body } = await ask(listener.url, `/api/v1/admin/privacy${path}`, { method, headers });
  return [status, JSON.parse(body)];
};
const IN = { address: 'anna@corp.example', hidden: false, excluded: false, optedOut: false, by: null, at: null };
const OUT = { ...IN, hidden: true, optedOut: true, by: 'administrator', at: '2026-03-02T09:00:00.000Z' };

describe('privacy on the admin listener', () => {
  it('is seen, switched by PUT and DELETE, and listed', async () => {
    expect(await send('GET', '/Anna@corp.example')).toEqual([200, IN]);
    expect(await send('PUT', '/anna@corp.example')).toEqual([200, OUT]);
    expect(await send('GET', '/anna%40corp.example')).toEqual([200, OUT]);
    expect(await send('GET', '')).toEqual([200, { mailboxes: [OUT] }]);
    expect(await send('DELETE', '/anna@corp.example')).toEqual([200, IN]);
    expect(actors).toEqual([{ by: 'administrator', via: 'api' }, { by: 'administrator', via: 'api' }]);
  });

  it('refuses what is no address, other methods, other hosts, and says when it cannot be stored', async () => {
    expect((await send('PUT', '/anna'))[0]).toBe(400);
    expect((await send('PUT', '/a%2fb@corp.example'))[0]).toBe(400);
    expect((await send('POST', '/anna@corp.example'))[0]).toBe(405);
    expect((await send('PUT', ''))[0]).toBe(405);
    expect((await send('PUT', '/anna@corp.example', { host: 'evil.example' }))[0]).toBe(403);
    isFull = true;
    expect(await send('PUT', '/anna@corp.example')).toEqual([503, { error: { code: 'STORE_UNAVAILABLE', message: 'it cannot be stored: ENOSPC' } }]);
    expect(optedOut.size).toBe(0);
  });
});
