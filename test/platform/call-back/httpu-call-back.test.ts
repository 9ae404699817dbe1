import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { HttpuCallBack } from '../../../src/platform/call-back/httpu-call-back.ts';
import { notifyPath } from '../../../src/platform/call-back/notify-datagram.ts';
import { reachHttpu } from '../../../src/platform/call-back/reach-httpu.ts';
import { Happenings } from '../../protocols/owa-webdav/watch/happenings.ts';
import { sendDatagram } from '../../protocols/owa-webdav/watch/scripted-exchange.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' };
const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function start(options = LOOPBACK): Promise<HttpuCallBack> {
  const callBack = await HttpuCallBack.open(options, silentLogger);
  closing.push(callBack);
  return callBack;
}

/** Takes a path and keeps what is heard there. */
function listen(callBack: HttpuCallBack, token?: string) {
  const heard = new Happenings<string>();
  const path = callBack.open((text) => {
    heard.add(text);
    return undefined;
  }, token);
  return { heard, ...path };
}

const pathOf = (url: string) => url.slice(url.lastIndexOf('/'));

describe('a datagram', () => {
  it.each([
    ['NOTIFY httpu://bridge.example.org:50020/token HTTP/1.1\r\nSubscription-id: 15\r\n\r\n', 'NOTIFY httpu://bridge.example.org:50020/token HTTP/1.1\nSubscription-id: 15'],
    ['NOTIFY /token HTTP/1.1\nSubscription-id: 15', 'NOTIFY /token HTTP/1.1\nSubscription-id: 15'],
    ['\r\nnotify\t/token\tHTTP/1.0\rSubscription-id: 15\r\rbody', 'notify\t/token\tHTTP/1.0\nSubscription-id: 15'],
    ['NOTIFY HTTPU://[::1]:50020/token HTTP/1.1', 'NOTIFY HTTPU://[::1]:50020/token HTTP/1.1'],
  ])('%j speaks to /token', (text, head) => {
    expect(notifyPath(Buffer.from(text))).toEqual({ path: 'token', head });
  });

  it.each(['', 'NOTIFY', 'GET /token HTTP/1.1', 'NOTIFY /token', 'NOTIFY token HTTP/1.1', 'NOTIFY http://x/token HTTP/1.1', 'NOTIFY /to/ken HTTP/1.1', 'NOTIFY /token?x HTTP/1.1', 'XNOTIFY /token HTTP/1.1', '\u0000\u0001', `NOTIFY /${'t'.repeat(65)} HTTP/1.1`, `NOTIFY /token HTTP/1.1\n${'x'.repeat(LIMITS.httpuDatagramBytes)}`])('%j is none', (text) => {
    expect(notifyPath(Buffer.from(text))).toBeUndefined();
  });
});

describe('the port', () => {
  it('hands over what comes to a path that it gave away, and nothing else', async () => {
    const callBack = await start();
    const one = listen(callBack);
    const other = listen(callBack);
    expect(one.url).toMatch(/^httpu:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/);
    expect(one.url).not.toBe(other.url);
    await sendDatagram(one.url, 'NOTIFY /unknown-path-of-nobody HTTP/1.1\r\nSubscription-id: 1\r\n\r\n');
    await sendDatagram(one.url, Buffer.alloc(9_000, 'x'));
    await sendDatagram(one.url, `NOTIFY ${pathOf(one.url)} HTTP/1.1\r\nSubscription-id: 2\r\n\r\n`);
    await one.heard.next((text) => text.includes(': 2'));
    expect([one.heard.all.length, other.heard.all.length]).toEqual([1, 0]);
    one.close();
    await sendDatagram(one.url, `NOTIFY ${pathOf(one.url)} HTTP/1.1\r\nSubscription-id: 3\r\n\r\n`);
    await sendDatagram(other.url, `NOTIFY ${pathOf(other.url)} HTTP/1.1\r\nSubscription-id: 4\r\n\r\n`);
    await other.heard.next((text) => text.includes(': 4'));
    expect(one.heard.all.length).toBe(1);
  });

  it('goes on where whoever hears it fails', async () => {
    const callBack = await start();
    const bad = callBack.open(() => {
      throw new Error('no');
    });
    const good = listen(callBack);
    await sendDatagram(bad.url, `NOTIFY ${pathOf(bad.url)} HTTP/1.1\n`);
    await sendDatagram(good.url, `NOTIFY ${pathOf(good.url)} HTTP/1.1\n`);
    await good.heard.next(() => true);
  });

  it('gives a path of a former life again, once', async () => {
    const callBack = await start();
    const token = 'abcdefghijklmnopqrst-_';
    expect(listen(callBack, token).url).toContain(`/${token}`);
    expect(listen(callBack, token).url).not.toContain(token);
    for (const hostile of ['', 'short', '../../etc/passwd/xxxxxx', 'abcdefghijklmnopqrst/.']) expect(pathOf(listen(callBack, hostile).url)).not.toBe(`/${hostile}`);
  });

  it('moves: the old port is heard until nobody has a path of it', async () => {
    const callBack = await start();
    const moved = new Happenings<number>();
    callBack.onMoved(() => moved.add(callBack.generation));
    const old = listen(callBack);
    await callBack.rebind({ ...LOOPBACK, publicHost: 'localhost' });
    expect([callBack.generation, moved.all, new URL(listen(callBack).url).hostname]).toEqual([2, [2], 'localhost']);
    // Another port: both are open now.
    const free = await HttpuCallBack.open(LOOPBACK, silentLogger);
    const { port } = free;
    await free.close();
    await callBack.rebind({ ...LOOPBACK, port });
    const current = listen(callBack);
    expect(new URL(current.url).port).toBe(String(port));
    await sendDatagram(old.url, `NOTIFY ${pathOf(old.url)} HTTP/1.1\n`);
    await sendDatagram(current.url, `NOTIFY ${pathOf(current.url)} HTTP/1.1\n`);
    await Promise.all([old.heard.next(() => true), current.heard.next(() => true)]);
  });

  it('lets the old port go with its last path', async () => {
    const callBack = await start();
    const old = listen(callBack);
    const place = new URL(old.url);
    const free = await HttpuCallBack.open(LOOPBACK, silentLogger);
    const { port } = free;
    await free.close();
    await callBack.rebind({ ...LOOPBACK, port });
    await expect(HttpuCallBack.open({ ...LOOPBACK, port: Number(place.port) }, silentLogger)).rejects.toMatchObject({ code: 'CONFIGURATION' });
    old.close();
    // Closing a socket is not at once: tried until it is.
    for (;;) {
      const again = await HttpuCallBack.open({ ...LOOPBACK, port: Number(place.port) }, silentLogger).catch(() => undefined);
      if (again === undefined) continue;
      await again.close();
      break;
    }
  });

  it('a port that somebody else has changes nothing (A62)', async () => {
    const callBack = await start();
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
    const { port } = taken.address();
    await expect(HttpuCallBack.open({ ...LOOPBACK, port }, silentLogger)).rejects.toMatchObject({ code: 'CONFIGURATION', details: { reason: 'EADDRINUSE' } });
    const before = listen(callBack);
    await expect(callBack.rebind({ ...LOOPBACK, port })).rejects.toMatchObject({ code: 'CONFIGURATION' });
    expect(callBack.generation).toBe(1);
    await sendDatagram(before.url, `NOTIFY ${pathOf(before.url)} HTTP/1.1\n`);
    await before.heard.next(() => true);
    taken.close();
  });

  it('another address with the same port takes over from the old one', async () => {
    const callBack = await start({ ...LOOPBACK, host: '0.0.0.0' });
    const { port } = callBack;
    const old = listen(callBack);
    await callBack.rebind({ host: '127.0.0.1', port, publicHost: '127.0.0.1' });
    expect([callBack.port, callBack.generation]).toEqual([port, 2]);
    await sendDatagram(old.url, `NOTIFY ${pathOf(old.url)} HTTP/1.1\n`);
    await old.heard.next(() => true);
  });

  it('is reached under its own URL, or it is said why not', async () => {
    const callBack = await start();
    const { signal } = new AbortController();
    expect(await reachHttpu(callBack, signal)).toBeUndefined();
    const { port } = callBack;
    await callBack.rebind({ host: '127.0.0.1', port, publicHost: 'no-such-host.invalid' });
    expect(await reachHttpu(callBack, signal)).toMatch(/^no-such-host\.invalid: E/);
    await callBack.rebind({ host: '127.0.0.1', port, publicHost: '127.0.0.2' });
    expect(await reachHttpu(callBack, signal)).toMatch(/127\.0\.0\.2:\d+\/udp does not arrive/);
  });
});
