import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { HttpCallBack } from '../../../src/platform/call-back/http-call-back.ts';
import type { HttpCallBackOptions } from '../../../src/platform/call-back/http-call-back.ts';
import { SourceRate } from '../../../src/platform/call-back/source-rate.ts';
import { HttpClient } from '../../../src/platform/http-client/http-client.ts';
import { RequestBudget } from '../../../src/platform/http-client/request-budget.ts';
import { Authority } from '../certificates.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const AT = { host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' } as const;
async function open(over: Partial<HttpCallBackOptions> = {}): Promise<HttpCallBack> {
  const port = await HttpCallBack.open({ ...AT, ...over }, silentLogger);
  ends.push(() => port.close());
  return port;
}

const post = async (url: string, body: string | Buffer = 'x', method = 'POST'): Promise<{ readonly status: number; readonly text: string; readonly type: string | null }> => {
  const answer = await fetch(url, { method, ...(method === 'POST' ? { body: typeof body === 'string' ? body : new Uint8Array(body) } : {}) });
  return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
};

describe('the port that servers call back', () => {
  it('gives everybody a path of their own, hands over what comes, and answers what they say', async () => {
    const port = await open();
    const heard: string[] = [];
    const one = port.open((text, from) => `${text} from ${from}`);
    const other = port.open((text) => (heard.push(text), undefined));
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[A-Za-z0-9_-]{27}$/);
    expect(one.url).not.toBe(other.url);
    expect(await post(one.url, 'grüße')).toEqual({ status: 200, text: 'grüße from 127.0.0.1', type: 'text/xml; charset=utf-8' });
    expect((await post(other.url, 'b')).status).toBe(400);
    expect(heard).toEqual(['b']);
    one.close();
    expect((await post(one.url)).status).toBe(404);
  });

  it('what comes to a path that nobody has is somebody else\'s to answer', async () => {
    const port = await open({ onUnknown: (text) => (text === 'orphan' ? 'end' : undefined) });
    const base = `http://127.0.0.1:${port.port}`;
    expect(await post(`${base}/old`, 'orphan')).toMatchObject({ status: 200, text: 'end' });
    expect(await post(`${base}/old`, 'else')).toMatchObject({ status: 404, text: '' });
    expect(await post(`${base}/`, 'else')).toMatchObject({ status: 404 });
  });

  it('takes POST only, UTF-8 only, and no more than a notification has', async () => {
    const port = await open();
    const heard: number[] = [];
    const { url } = port.open((text) => (heard.push(text.length), 'ok'));
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) expect((await post(url, '', method)).status).toBe(405);
    expect((await post(url, Buffer.from([0xff, 0xfe, 0x41]))).status).toBe(400);
    expect((await post(url, 'x'.repeat(LIMITS.presenceNotificationBytes))).status).toBe(200);
    expect((await post(url, 'x'.repeat(LIMITS.presenceNotificationBytes + 1))).status).toBe(413);
    expect(heard).toEqual([LIMITS.presenceNotificationBytes]);
  });

  it('a handler that fails is 500, and the port lives on', async () => {
    const port = await open();
    const { url } = port.open((text) => {
      if (text === 'bad') throw new Error('a bug');
      return 'ok';
    });
    expect((await post(url, 'bad')).status).toBe(500);
    expect((await post(url, 'good')).status).toBe(200);
  });

  it('one that never ends its request is cut off', async () => {
    const port = await open({ requestMs: 200 });
    const { url } = port.open(() => 'ok');
    const socket = connect(port.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(`POST ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab`);
    socket.resume();
    await once(socket, 'close');
    expect((await post(url)).status).toBe(200);
  });

  it('an address that calls too often is told so', () => {
    let now = 0;
    const rate = new SourceRate(3, 2, { now: () => now });
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false]);
    expect(rate.take('b')).toBe(true);
    now += 1_000;
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false]);
    now -= 5_000;
    expect(rate.take('a')).toBe(false);
    // Two are remembered; who was longest silent is forgotten.
    rate.take('c');
    expect(rate.take('b')).toBe(true);
  });

  it('and gets no further: 429, until time has passed', async () => {
    let now = 0;
    const port = await open({ clock: { now: () => now } });
    let calls = 0;
    const { url } = port.open(() => (calls++, 'ok'));
    const statuses = new Set<number>();
    for (let sent = 0; sent < LIMITS.callBacksPerSecond; sent += 50) for (const { status } of await Promise.all(Array.from({ length: 50 }, () => post(url)))) statuses.add(status);
    expect([...statuses]).toEqual([200]);
    expect((await post(url)).status).toBe(429);
    expect(calls).toBe(LIMITS.callBacksPerSecond);
    now += 1_000;
    expect((await post(url)).status).toBe(200);
  });

  it('moves: the new port is open, the old one lives until its last path is given back (A62, A63)', async () => {
    const port = await open();
    const moved = vi.fn();
    const stop = port.onMoved(moved);
    const former = port.open(() => 'former');
    const { generation } = port;
    await port.rebind(AT);
    expect(port.generation).toBe(generation + 1);
    expect(moved).toHaveBeenCalledOnce();
    const later = port.open(() => 'later');
    expect(new URL(later.url).port).not.toBe(new URL(former.url).port);
    expect((await post(former.url)).text).toBe('former');
    expect((await post(later.url)).text).toBe('later');
    expect(port.oldPorts).toBe(1);
    former.close();
    expect(port.oldPorts).toBe(0);
    await vi.waitFor(async () => expect(await post(former.url).then(() => 'open', () => 'closed')).toBe('closed'));
    expect((await post(later.url)).text).toBe('later');
    stop();
    await port.rebind(AT);
    expect(moved).toHaveBeenCalledOnce();
  });

  it('a port that is taken changes nothing', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    ends.push(() => new Promise((resolve) => taken.close(resolve)));
    const port = await open();
    const { url } = port.open(() => 'ok');
    const { generation } = port;
    const there = { ...AT, port: (taken.address() as AddressInfo).port };
    await expect(port.rebind(there)).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('taken by another program') as string });
    expect(port.generation).toBe(generation);
    expect((await post(url)).text).toBe('ok');
    await expect(HttpCallBack.open(there, silentLogger)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('the same port under another name is the same port', async () => {
    const port = await open();
    const fixed = { ...AT, port: port.port };
    await port.close();
    const again = await open(fixed);
    const former = again.open(() => 'ok');
    await again.rebind({ ...fixed, publicHost: 'fd00::7' });
    expect(again.generation).toBe(2);
    expect(again.open(() => 'ok').url).toContain(`http://[fd00::7]:${fixed.port}/`);
    expect((await post(former.url)).text).toBe('ok');
    await again.rebind({ ...fixed, publicHost: 'fd00::7' });
    expect(again.generation).toBe(2);
  });

  it('closes with everything that is on it, and opens nothing afterwards', async () => {
    const port = await open();
    const { url } = port.open(() => 'ok');
    const idle = connect(port.port, '127.0.0.1');
    idle.on('error', () => undefined).resume();
    await once(idle, 'connect');
    await post(url);
    await Promise.all([port.close(), once(idle, 'close')]);
    await port.close();
    expect(() => port.open(() => 'ok')).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }) as Error);
    await expect(port.rebind(AT)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('speaks TLS where it is given a certificate', async () => {
    const authority = new Authority('call-back');
    ends.push(() => authority.remove());
    const pem = authority.issue('/CN=bridge', 'IP:127.0.0.1', 30);
    const port = await open({ tls: pem });
    expect(port.scheme).toBe('https');
    const { url } = port.open(() => 'secure');
    const http = new HttpClient({ ca: [authority.certificate] });
    ends.push(() => http.close());
    const answer = await http.request({ method: 'POST', url: new URL(url), body: 'x', signal: new AbortController().signal, budget: new RequestBudget() });
    expect(answer.body.toString()).toBe('secure');
    await expect(open({ tls: { certificate: 'no', key: 'no' } })).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});
