import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { HttpClient } from '../../../src/platform/http-client/http-client.ts';
import { get, Opened, perRequest } from './servers.ts';

const opened = new Opened();
afterEach(() => opened.close());

function newClient(): HttpClient {
  const client = new HttpClient();
  opened.add(() => client.close());
  return client;
}

/** A server that sends these bytes to every connection's first request and then ends (or resets, or stays). */
async function sends(bytes: string | Buffer, then: 'end' | 'reset' | 'stay' = 'end'): Promise<URL> {
  return opened.raw((socket) =>
    perRequest(socket, () => {
      socket.write(bytes, () => {
        if (then === 'end') socket.end();
        if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
      });
    }),
  );
}

const failure = async (url: URL, client = newClient()): Promise<unknown> => client.request(get(url)).then((answer) => answer, (error: unknown) => error);

describe('an answer that is whole', () => {
  it('comes with its status, headers, cookies and body, whatever the status', async () => {
    const url = await opened.http((_request, response) => {
      response.writeHead(440, [['X-A', '1'], ['X-A', '2'], ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['Content-Type', 'text/plain']].flat()).end('Login Timeout');
    });
    const answer = await newClient().request(get(url));
    expect([answer.status, answer.headers['x-a'], answer.headers['set-cookie'], answer.cookies, answer.body.toString(), answer.url.href]).toEqual([440, '1, 2', undefined, ['a=1', 'b=2'], 'Login Timeout', url.href]);
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['identity', (text: string): Buffer => Buffer.from(text)],
  ])('is decompressed: %s', async (encoding, encode) => {
    const url = await opened.http((_request, response) => response.writeHead(200, { 'Content-Encoding': encoding }).end(encode('hello')));
    expect((await newClient().request(get(url))).body.toString()).toBe('hello');
  });

  it('is decompressed as IIS sends deflate: without the zlib header', async () => {
    const url = await opened.http((request, response) => {
      // A client that does not offer deflate never meets this.
      const offered = /deflate/.test(String(request.headers['accept-encoding']));
      if (offered) response.writeHead(200, { 'Content-Encoding': 'deflate' }).end(deflateRawSync('hello'));
      else response.writeHead(200).end('hello');
    });
    expect((await newClient().request(get(url))).body.toString()).toBe('hello');
  });

  it('may be empty, and a HEAD may announce what it does not send', async () => {
    const url = await opened.http((request, response) => response.writeHead(request.method === 'HEAD' ? 200 : 204, request.method === 'HEAD' ? { 'Content-Length': '99999999', 'Content-Encoding': 'gzip' } : {}).end());
    expect((await newClient().request(get(url))).body).toHaveLength(0);
    expect(await newClient().request(get(url, { method: 'HEAD' })).catch((error: unknown) => error)).toMatchObject({ status: 200, body: { length: 0 } });
  });
});

describe('an answer that is not', () => {
  it.each([
    ['a body shorter than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'],
    ['a chunked body cut off between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n'],
    ['a chunked body cut off within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort'],
    ['a chunk length that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n0\r\n\r\n'],
    ['headers that break off', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['what is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort!'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nshort'],
  ])('is BACKEND_MALFORMED: %s', async (_name, bytes) => {
    const error = await failure(await sends(bytes));
    expect(error, inspect(error)).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });

  it('is no data where the connection is reset in the middle', async () => {
    expect(await failure(await sends('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort', 'reset'))).toMatchObject({ name: 'BridgeError', code: expect.stringMatching(/^BACKEND_/) as string });
  });

  it('is no data where nothing comes at all', async () => {
    expect(await failure(await sends(''))).toMatchObject({ name: 'BridgeError', code: expect.stringMatching(/^BACKEND_/) as string });
  });

  it.each([
    ['gzip cut off', 'gzip', gzipSync('x'.repeat(10_000)).subarray(0, 30)],
    ['gzip that is none', 'gzip', Buffer.from('<html>')],
    ['gzip with a wrong checksum', 'gzip', Buffer.concat([gzipSync('hello').subarray(0, -8), Buffer.alloc(8)])],
    ['an encoding nobody asked for', 'br', Buffer.from([1, 2, 3])],
    ['an unknown encoding', 'rot13', Buffer.from('uryyb')],
    ['an encoding named like an object’s own', 'constructor', Buffer.from('x')],
  ])('is BACKEND_MALFORMED: %s', async (_name, encoding, body) => {
    const url = await opened.http((_request, response) => response.writeHead(200, { 'Content-Encoding': encoding }).end(body));
    expect(await failure(url)).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });
});

describe('an answer that is too long', () => {
  it('by its announced length is not read at all', async () => {
    const url = await opened.http((_request, response) => {
      response.writeHead(200, { 'Content-Length': String(LIMITS.responseBodyBytes + 1) });
      response.write('x');
    });
    expect(await failure(url)).toMatchObject({ code: 'BACKEND_TOO_LARGE' });
  });

  it('without an announced length is cut off at the limit, and the connection with it', async () => {
    let sent = 0;
    let gone = false;
    const url = await opened.http((_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const more = (): void => {
        sent += chunk.length;
        if (!gone && sent < 200 * 1024 * 1024) response.write(chunk, () => setImmediate(more));
      };
      response.once('close', () => (gone = true));
      more();
    });
    expect(await failure(url)).toMatchObject({ code: 'BACKEND_TOO_LARGE', details: { limitBytes: LIMITS.responseBodyBytes } });
    expect(sent).toBeLessThan(100 * 1024 * 1024);
  });

  it('is counted after decompression: at the limit it is read, one over it is not', async () => {
    const url = await opened.http((request, response) => {
      const size = LIMITS.responseBodyBytes + (request.url === '/over' ? 1 : 0);
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(size)));
    });
    const client = newClient();
    expect(await failure(new URL('/at', url), client)).toMatchObject({ body: { length: LIMITS.responseBodyBytes } });
    expect(await failure(new URL('/over', url), client)).toMatchObject({ code: 'BACKEND_TOO_LARGE' });
  });

  it('leaves the next request alone', async () => {
    const url = await opened.http((request, response) => {
      if (request.url === '/long') response.writeHead(200, { 'Content-Length': String(LIMITS.responseBodyBytes + 1) }).write('x');
      else response.end('fine');
    });
    const client = newClient();
    expect(await failure(new URL('/long', url), client)).toMatchObject({ code: 'BACKEND_TOO_LARGE' });
    expect(await failure(new URL('/next', url), client)).toMatchObject({ status: 200 });
  });
});

describe('a server that is not there, or silent', () => {
  it('is BACKEND_UNREACHABLE when nobody listens', async () => {
    const url = await opened.http(() => undefined);
    await opened.close();
    expect(await failure(url)).toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true, details: { reason: 'ECONNREFUSED' } });
  });

  it('is BACKEND_UNREACHABLE when its name leads nowhere', async () => {
    expect(await failure(new URL('http://nowhere.invalid/'))).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });

  it.each([
    ['says nothing', ''],
    ['stops after its headers', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
    ['stops within its headers', 'HTTP/1.1 200 OK\r\n'],
    ['stops within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort'],
  ])('is DEADLINE as soon as nobody waits, when it %s', async (_name, bytes) => {
    const gone = new AbortController();
    const url = await opened.raw((socket) => perRequest(socket, () => {
      socket.write(bytes);
      setTimeout(() => gone.abort(), 30);
    }));
    await expect(newClient().request(get(url, { signal: gone.signal }))).rejects.toMatchObject({ code: 'DEADLINE', temporary: true });
  });

  it('is not asked at all when nobody waits any more', async () => {
    let asked = 0;
    const url = await opened.http((_request, response) => {
      asked += 1;
      response.end();
    });
    await expect(newClient().request(get(url, { signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(asked).toBe(0);
  });

  it('no error tells the query or the credentials', async () => {
    for (const bytes of ['SSH', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx', '']) {
      const error = (await failure(await sends(bytes))) as { message: string; publicMessage: string; details: unknown };
      expect(`${error.message} ${error.publicMessage} ${inspect(error.details)}`).not.toMatch(/canary|127\.0\.0\.1/);
    }
  });
});
