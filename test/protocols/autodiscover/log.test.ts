import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noMetrics } from '../../../src/core/metrics.ts';
import { ServedAddresses } from '../../../src/directory/served-addresses.ts';
import { ClientSignIn } from '../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { autodiscoverEndpoint } from '../../../src/protocols/autodiscover/endpoint.ts';
import { ask, keepingLogger, serve, settled } from '../../platform/http-server/serving.ts';
import { ASKER, ASKER_BASIC } from '../face-under-test.ts';

/** What an administrator reads after Exchange's event 4002. */
const { logger, lines } = keepingLogger();
let listener: Listener;
beforeAll(async () => {
  const clock = { now: () => Date.now() };
  const signIn = new ClientSignIn({ accounts: [{ requester: ASKER, credentials: { username: 'asker', password: 'pw-of-asker' } }], failures: new FailureMemory(clock), tokenKey: Buffer.alloc(32, 7), clock, metrics: noMetrics });
  const router = autodiscoverEndpoint({ signIn, clock, addresses: new ServedAddresses([{ name: 'exchange', domains: ['corp.example'], mailboxes: [] }]), publicUrl: () => 'https://bridge.example.com' });
  listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger, metrics: noMetrics }));
});
afterAll(() => listener.close(0));

describe('the log of a question about a domain that is not served', () => {
  it.each([
    ['POX', '/autodiscover/autodiscover.xml', '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>zoe@elsewhere.example</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>'],
    ['SOAP', '/autodiscover/autodiscover.svc', '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover"><s:Header><a:RequestedServerVersion>Exchange2010</a:RequestedServerVersion></s:Header><s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>zoe@elsewhere.example</a:Mailbox></a:User></a:Users><a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>'],
  ])('names the domain and the client, and not the address: %s', async (_what, target, body) => {
    lines.length = 0;
    await ask(listener.url, target, { method: 'POST', headers: { Authorization: ASKER_BASIC, 'Content-Type': 'text/xml; charset=utf-8' }, body });
    await settled();
    expect(lines).toMatchObject([{ level: 'warn', code: 'MAILBOX_UNKNOWN', client: 'asker', reason: 'no system under mayAsk of this client (asker) lists elsewhere.example' }]);
    expect(JSON.stringify(lines)).not.toContain('zoe');
  });

  it('a first try without credentials is nothing to be warned of', async () => {
    lines.length = 0;
    await ask(listener.url, '/autodiscover/autodiscover.xml', { method: 'POST', body: '<x/>' });
    await settled();
    expect(lines).toMatchObject([{ level: 'info', message: 'asked to sign in', status: 401 }]);
  });
});
