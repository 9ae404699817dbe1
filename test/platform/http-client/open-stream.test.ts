import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { basicAuthentication } from '../../../src/platform/http-client/interceptors.ts';
import { openStream } from '../../../src/platform/http-client/open-stream.ts';
import type { HttpStream } from '../../../src/platform/http-client/open-stream.ts';
import { Opened } from './servers.ts';

const opened = new Opened();
afterEach(() => opened.close());

async function streamFrom(url: URL, over: { readonly silenceMs?: number; readonly signal?: AbortSignal } = {}): Promise<HttpStream> {
  const stream = await openStream({ interceptors: [basicAuthentication('user', 'pass')] }, { url, headers: { 'content-type': 'text/xml' }, body: 'question', silenceMs: 5_000, signal: new AbortController().signal, ...over });
  opened.add(() => stream.close());
  return stream;
}

const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'no failure', (error: unknown) => (error as { code?: string }).code);
const drained = async (stream: HttpStream): Promise<number> => {
  let bytes = 0;
  for await (const chunk of stream.chunks) bytes += chunk.length;
  return bytes;
};

describe('an answer that is read while it comes', () => {
  it('is handed over piece after piece, long before its end', async () => {
    let more = (): void => undefined;
    const url = await opened.http((request, response) => {
      expect(request.headers).toMatchObject({ authorization: `Basic ${Buffer.from('user:pass').toString('base64')}`, 'accept-encoding': 'identity', 'content-length': '8' });
      response.writeHead(200, { 'x-a': 'b' }).write('first');
      more = () => void response.end('second');
    });
    const stream = await streamFrom(url);
    expect(stream).toMatchObject({ status: 200, headers: { 'x-a': 'b' } });
    const seen: string[] = [];
    for await (const chunk of stream.chunks) {
      seen.push(chunk.toString());
      more();
    }
    expect(seen).toEqual(['first', 'second']);
  });

  it('silence ends it', async () => {
    const url = await opened.http((_request, response) => response.writeHead(200).write('first'));
    expect(await failure(streamFrom(url, { silenceMs: 200 }).then(drained))).toBe('BACKEND_UNREACHABLE');
    const mute = await opened.http(() => undefined);
    expect(await failure(streamFrom(mute, { silenceMs: 200 }))).toBe('BACKEND_UNREACHABLE');
  });

  it('so does whoever asked, before and after it began', async () => {
    const stop = new AbortController();
    const url = await opened.http((_request, response) => response.writeHead(200).write('first'));
    const stream = await streamFrom(url, { signal: stop.signal });
    const reading = failure(drained(stream));
    stop.abort();
    expect(await reading).toBe('DEADLINE');
    expect(await failure(streamFrom(url, { signal: stop.signal }))).toBe('DEADLINE');
  });

  it.each([
    ['by Basic', { kind: 'basic', username: 'user', password: 'pass' }],
    ['by NTLM', { kind: 'ntlm', username: 'user', password: 'pass' }],
  ] as const)('so does whoever asked, while a handshake stalls (%s)', async (_what, authentication) => {
    const stop = new AbortController();
    let left: Promise<unknown> = Promise.resolve();
    const url = await opened.raw((socket) => {
      left = new Promise((resolve) => socket.once('close', resolve));
      socket.resume();
      stop.abort();
    });
    url.protocol = 'https:';
    // What a handshake may take at most is the other way for it to end.
    const tried = new Promise((resolve) => setTimeout(resolve, LIMITS.connectTimeoutMs / 2)).then(() => 'still there');
    const asked = openStream({ authentication }, { url, headers: {}, body: '', silenceMs: 60_000, signal: stop.signal });
    expect(await Promise.race([failure(asked), tried])).toBe('DEADLINE');
    expect(await Promise.race([left.then(() => 'left'), tried])).toBe('left');
  });

  it('a connection that breaks is an error, not an end', async () => {
    const url = await opened.http((_request, response) => response.writeHead(200).write('first', () => response.destroy()));
    expect(await failure(streamFrom(url).then(drained))).toMatch(/^BACKEND_(?:MALFORMED|UNREACHABLE)$/);
  });

  it('no redirect is followed, no compression taken, nobody there is said', async () => {
    expect(await failure(streamFrom(await opened.http((_request, response) => response.writeHead(302, { location: 'http://elsewhere.example/' }).end())))).toBe('BACKEND_REDIRECT');
    expect(await failure(streamFrom(await opened.http((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end())))).toBe('BACKEND_MALFORMED');
    expect(await failure(streamFrom(new URL('http://127.0.0.1:1/')))).toBe('BACKEND_UNREACHABLE');
  });

  it('a refusal can be read whole, within the bound', async () => {
    const url = await opened.http((_request, response) => response.writeHead(500).end('fault'));
    expect((await (await streamFrom(url)).whole()).toString()).toBe('fault');
    const endless = await opened.http((_request, response) => response.writeHead(500).end(Buffer.alloc(LIMITS.ewsStreamEnvelopeBytes + 1)));
    expect(await failure(streamFrom(endless).then((stream) => stream.whole()))).toBe('BACKEND_TOO_LARGE');
  });

  it('a reader that does not read is not run over: what is sent waits', async () => {
    let sent = 0;
    const url = await opened.http((_request, response) => {
      response.writeHead(200);
      const write = (): void => {
        while (!response.destroyed && sent < 256) {
          sent += 1;
          if (!response.write(Buffer.alloc(1 << 20))) return void response.once('drain', write);
        }
      };
      write();
    });
    const stream = await streamFrom(url);
    const first = await stream.chunks[Symbol.asyncIterator]().next();
    expect(first.done).toBe(false);
    expect(sent).toBeLessThan(64);
    await stream.close();
    await stream.close();
  });
});
