import { Router } from 'express';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import type { RequestContext } from '../../../src/core/request-context.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import type { AppOptions } from '../../../src/platform/http-server/app.ts';
import { healthEndpoint } from '../../../src/platform/http-server/health.ts';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { contextFor, deadlineSignal, noteForLog, scopeOf } from '../../../src/platform/http-server/request-scope.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { ask, keepingLogger, sendRaw, serve, settled } from './serving.ts';

const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close(0);
});

async function app(router: Router, options: Partial<AppOptions> = {}): Promise<{ readonly url: string; readonly lines: ReturnType<typeof keepingLogger>['lines'] }> {
  const { logger, lines } = keepingLogger();
  const listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger, metrics: noMetrics, ...options }));
  listeners.push(listener);
  return { url: listener.url, lines };
}

describe('around every face', () => {
  it('there is one log line for a request, with what was noted, and a request id that the client sees too', async () => {
    const router = Router().get('/x', (request, response) => {
      noteForLog(request, { face: 'test', mailboxes: 3 });
      noteForLog(request, { operation: 'freebusy' });
      response.send('ok');
    });
    const { url, lines } = await app(router);
    const answer = await ask(url, '/x?password=canary', { headers: { Authorization: 'Basic canary', Cookie: 'canary' } });
    await settled();
    expect(lines).toEqual([{ level: 'info', message: 'request', requestId: answer.headers['x-request-id'], method: 'GET', address: '127.0.0.1', face: 'test', mailboxes: 3, operation: 'freebusy', status: 200, durationMs: expect.any(Number) as number }]);
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
    expect(answer.headers['x-powered-by']).toBeUndefined();
    expect(answer.headers.etag).toBeUndefined();
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('a path that no face has is 404, and says nothing of itself', async () => {
    const { url } = await app(Router());
    expect(await ask(url, '/canary?x=canary')).toMatchObject({ status: 404, body: 'not found\n' });
    expect((await ask(url, '//canary/..%2f%2e%2e/etc/passwd')).status).toBe(404);
  });

  it('a mistake of ours is 500 without a word; the log has where it happened and no text of the client', async () => {
    const router = Router().get('/x', async (request) => {
      throw new TypeError(`cannot read ${request.url}`);
    });
    const { url, lines } = await app(router);
    expect(await ask(url, '/x?canary')).toMatchObject({ status: 500, body: 'internal error\n' });
    await settled();
    expect(lines).toMatchObject([{ level: 'error', code: 'INTERNAL', stack: expect.stringContaining('app.test.ts') as string }, { level: 'error', status: 500, code: 'INTERNAL' }]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('a BridgeError that a face let through is no answer of its own either', async () => {
    const { url } = await app(Router().get('/x', () => {
      throw new BridgeError('BACKEND_AUTH', 'canary');
    }));
    expect(await ask(url, '/x')).toMatchObject({ status: 500, body: 'internal error\n' });
  });

  it('a mistake after the head is out cuts the answer off instead of finishing it', async () => {
    const { url } = await app(Router().get('/x', (_request, response) => {
      response.write('half');
      throw new Error('x');
    }));
    await expect(ask(url, '/x')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('broken escapes in a path stand for themselves, and are the face’s business', async () => {
    const { url } = await app(Router().get('/x/:a', (request, response) => response.send(request.params['a'])));
    expect(await ask(url, '/x/%ff?b=%zz')).toMatchObject({ status: 200, body: '%ff' });
  });

  it('a client that went away is logged as that', async () => {
    let closed = false;
    const router = Router().get('/x', (request) => {
      scopeOf(request).closed.addEventListener('abort', () => (closed = true));
    });
    const { url, lines } = await app(router);
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) }, () => socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n', () => setTimeout(() => socket.destroy(), 30)));
    for (let wait = 0; wait < 50 && lines.length === 0; wait++) await settled();
    expect(lines).toMatchObject([{ status: 499 }]);
    expect(closed).toBe(true);
  });

  it('more requests at once than the limit are 503 with Retry-After, and those under way are answered', async () => {
    let release: (() => void)[] = [];
    const router = Router().get('/x', (_request, response) => void release.push(() => response.send('ok')));
    const { url } = await app(router);
    const under = Array.from({ length: LIMITS.requestsInFlight }, () => ask(url, '/x'));
    for (let wait = 0; wait < 200 && release.length < LIMITS.requestsInFlight; wait++) await settled();
    expect(release).toHaveLength(LIMITS.requestsInFlight);
    expect(await ask(url, '/x')).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    for (const one of release) one();
    expect(new Set((await Promise.all(under)).map((answer) => answer.status))).toEqual(new Set([200]));
    release = [];
    const next = ask(url, '/x');
    for (let wait = 0; wait < 50 && release.length === 0; wait++) await settled();
    release[0]!();
    expect((await next).status).toBe(200);
  });
});

describe('who asks', () => {
  async function seen(trustedProxies: readonly string[], headers: Record<string, string>): Promise<unknown> {
    const router = Router().get('/x', (request, response) => {
      const { address, secure } = scopeOf(request);
      response.json([address, secure]);
    });
    const { url } = await app(router, { trustedProxies });
    return JSON.parse((await ask(url, '/x', { headers })).body) as unknown;
  }

  it.each([
    ['nobody is trusted', [], { 'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Proto': 'https' }, ['127.0.0.1', false]],
    ['the proxy is another one', ['192.0.2.0/24'], { 'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Proto': 'https' }, ['127.0.0.1', false]],
    ['the proxy is trusted', ['127.0.0.1'], { 'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Proto': 'https' }, ['10.0.0.1', true]],
    ['the client forged an entry of its own', ['127.0.0.1'], { 'X-Forwarded-For': '10.0.0.1, 203.0.113.9' }, ['203.0.113.9', false]],
    ['two proxies are trusted', ['127.0.0.0/8', '192.0.2.0/24'], { 'X-Forwarded-For': '10.0.0.1, 203.0.113.9, 192.0.2.7' }, ['203.0.113.9', false]],
    ['the proxy writes IPv4 as IPv6', ['127.0.0.1'], { 'X-Forwarded-For': '::ffff:10.0.0.1' }, ['10.0.0.1', false]],
    ['other headers say otherwise', ['127.0.0.1'], { Forwarded: 'for=10.0.0.1', 'X-Real-IP': '10.0.0.2', 'X-Client-IP': '10.0.0.3' }, ['127.0.0.1', false]],
  ])('when %s', async (_name, trusted, headers, expected) => {
    expect(await seen(trusted, headers as unknown as Record<string, string>)).toEqual(expected);
  });
});

describe('the context of a question', () => {
  async function contextOf(headers: Record<string, string | string[]>, requester = ASKER, deadlineMs = 5_000): Promise<RequestContext> {
    let context: RequestContext | undefined;
    const router = Router().get('/x', (request, response) => {
      context = contextFor(request, requester, 'json');
      response.send('ok');
    });
    const { url } = await app(router, { deadlineMs });
    await ask(url, '/x', { headers });
    return context!;
  }

  it.each([
    [{}, 0, false],
    [{ 'X-Freebusy-Bridge-Hops': '0' }, 0, false],
    [{ 'X-Freebusy-Bridge-Hops': '2' }, 2, false],
    [{ 'X-Freebusy-Bridge-Hops': ' 2 ' }, 2, false],
    // zimbra.md: the first hop is 0, and a Zimbra has passed it on.
    [{ 'X-ZIMBRA-FREEBUSY-HOPCOUNT': '0' }, 1, true],
    [{ 'X-ZIMBRA-FREEBUSY-HOPCOUNT': '2' }, 2, true],
    [{ 'X-ZIMBRA-FREEBUSY-HOPCOUNT': '0', 'X-Freebusy-Bridge-Hops': '3' }, 3, true],
    [{ 'X-ZIMBRA-FREEBUSY-HOPCOUNT': '3', 'X-Freebusy-Bridge-Hops': '1' }, 3, true],
  ])('counts the hops of %j as %i', async (headers, hops, viaZimbra) => {
    expect(await contextOf(headers as unknown as Record<string, string>)).toMatchObject({ hops, viaZimbra });
  });

  it.each(['', '-1', '1.5', 'many', '1, 2', '0x1', '1e9', '99999999999999999999', 'NaN', '1;2'])('takes a hop count that cannot be read (%j) for too many', async (value) => {
    expect((await contextOf({ 'X-Freebusy-Bridge-Hops': value })).hops).toBeGreaterThan(LIMITS.hops);
    expect((await contextOf({ 'X-ZIMBRA-FREEBUSY-HOPCOUNT': value })).hops).toBeGreaterThan(LIMITS.hops);
  });

  it('takes two hop counts for too many', async () => {
    expect((await contextOf({ 'X-Freebusy-Bridge-Hops': ['1', '1'] })).hops).toBeGreaterThan(LIMITS.hops);
  });

  it('gives the deadline from the arrival on, a client’s own before the bridge’s', async () => {
    const before = Date.now();
    const { deadline } = await contextOf({}, ASKER, 1_234);
    expect(deadline).toBeGreaterThanOrEqual(before + 1_234);
    expect(deadline).toBeLessThanOrEqual(Date.now() + 1_234);
    const own = (await contextOf({}, { ...ASKER, deadlineMs: 60_000 }, 1_234)).deadline;
    expect(own).toBeGreaterThanOrEqual(before + 60_000);
  });

  it('fires its signal at the deadline, and when the answer is out', async () => {
    const over = deadlineSignal(Date.now() + 20);
    expect(over.aborted).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(over.aborted).toBe(true);
    expect(deadlineSignal(Date.now() + 1_000, AbortSignal.abort()).aborted).toBe(true);
    const context = await contextOf({});
    await settled();
    expect(context.signal.aborted).toBe(true);
  });
});

describe('health', () => {
  it('says ok and ready or not, without a sign-in', async () => {
    let ready = false;
    const { url } = await app(healthEndpoint(() => ready));
    expect(await ask(url, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask(url, '/readyz')).toMatchObject({ status: 503 });
    ready = true;
    expect(await ask(url, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
  });
});

describe('a body that nobody read', () => {
  /** Sends a request whose body goes on for ever, and says how much the other side took before it hung up. */
  const flood = async (headers: string, chunk: Buffer): Promise<{ readonly answer: string; readonly sent: number }> => {
    const { url } = await app(refusing);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()).on('error', () => undefined));
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
    const pump = (): void => {
      while (!socket.destroyed && socket.bytesWritten < 256 * 1024 * 1024) if (!socket.write(chunk)) return void socket.once('drain', pump);
    };
    pump();
    await closed;
    return { answer, sent: socket.bytesWritten };
  };
  const refusing = Router().use((_request, response) => void response.status(401).send('sign in first'));
  const block = Buffer.alloc(64 * 1024, 0x78);

  it.each([
    ['of a declared length', 'Content-Length: 4000000000', block],
    ['in chunks', 'Transfer-Encoding: chunked', Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')])],
  ])('%s is not taken for ever after the answer', async (_what, headers, chunk) => {
    const { answer, sent } = await flood(headers, chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(sent).toBeLessThan(200 * 1024 * 1024);
  });

  it('that comes to its end leaves the connection as it was: an NTLM handshake sends its body twice', async () => {
    const { url } = await app(refusing);
    const body = 'x'.repeat(1_000_000);
    const { text } = await sendRaw(url, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(text.match(/HTTP\/1\.1 401 /g)).toHaveLength(2);
  });
});
