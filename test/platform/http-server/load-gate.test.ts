import { EventEmitter } from 'node:events';
import { Router } from 'express';
import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import { LoadGate, leaveGate } from '../../../src/platform/http-server/load-gate.ts';
import { ask, serve } from './serving.ts';

it('an answer that goes on for hours counts until it says so, and once', async () => {
  const gate = new LoadGate();
  // As many requests as may be under way, less one.
  for (let n = 1; n < LIMITS.requestsInFlight; n++) gate.handlerFor()(new EventEmitter() as never, new EventEmitter() as never, () => undefined);
  const router = Router();
  const ends: (() => void)[] = [];
  router.get('/stream', (request, response) => {
    response.write('begun');
    leaveGate(request);
    leaveGate(request);
    ends.push(() => response.end());
  });
  router.get('/slow', (_request, response) => void ends.push(() => response.end('done')));
  router.get('/quick', (_request, response) => void response.end('ok'));
  const listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate, routers: [router], logger: silentLogger, metrics: noMetrics }));
  const stream = ask(listener.url, '/stream');
  while (ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await ask(listener.url, '/quick')).status).toBe(200);
  const slow = ask(listener.url, '/slow');
  while (ends.length === 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await ask(listener.url, '/quick')).status).toBe(503);
  for (const end of ends) end();
  await Promise.all([stream, slow]);
  let status = 503;
  while (status === 503) status = (await ask(listener.url, '/quick')).status;
  expect(status).toBe(200);
  await listener.close(0);
});

it('lets nobody in while answers would come late, looks only while something is in flight, and counts whom it shed', () => {
  const said: string[] = [];
  const lag = { isLate: false, start: () => void said.push('start'), stop: () => void said.push('stop') };
  const gate = new LoadGate({ lag, metrics: { shed: (reason) => void said.push(reason) } });
  const [first, second] = [gate.enter(), gate.enter()] as (() => void)[];
  lag.isLate = true;
  expect(gate.enter()).toBe('late');
  first!();
  first!();
  expect(said).toEqual(['start', 'start', 'late']);
  second!();
  lag.isLate = false;
  expect(gate.enter()).toBeTypeOf('function');
  expect(said).toEqual(['start', 'start', 'late', 'stop', 'start']);
  for (let n = 1; n < LIMITS.requestsInFlight; n++) gate.enter();
  expect([gate.enter(), said.at(-1)]).toEqual(['full', 'full']);
});
