import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { readBody } from '../../../src/platform/http-server/body.ts';
import { ask, sendRaw, serve } from './serving.ts';

const LIMIT = 10_000;
const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close(0);
});

/** Answers with the body's length, or the code of the refusal. */
async function echo(): Promise<string> {
  const listener = await serve((request, response) => {
    readBody(request, LIMIT).then(
      (body) => response.end(`read ${body.length} ${body.subarray(0, 20).toString()}`),
      (error: unknown) => response.writeHead(400, { Connection: 'close' }).end((error as { code?: string }).code ?? String(error)),
    );
  });
  listeners.push(listener);
  return listener.url;
}

const post = async (body: string | Buffer, headers: Record<string, string> = {}): Promise<string> => (await ask(await echo(), '/', { method: 'POST', body, headers })).body;

describe('the body of a request', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text: string): Buffer => Buffer.from(text)],
    ['GZIP', gzipSync],
  ])('comes decompressed: %s', async (encoding, encode) => {
    expect(await post(encode('hello'), { 'Content-Encoding': encoding })).toBe('read 5 hello');
  });

  it('is read whatever its content type, and may be absent or chunked', async () => {
    expect(await post('<a/>', { 'Content-Type': 'text/xml; charset="utf-16"' })).toBe('read 4 <a/>');
    expect(await post('x', { 'Content-Type': 'nonsense' })).toBe('read 1 x');
    expect(await post('x', { 'Transfer-Encoding': 'chunked' })).toBe('read 1 x');
    expect((await ask(await echo(), '/')).body).toBe('read 0 ');
    expect(await post('')).toBe('read 0 ');
  });

  it('may be as long as the limit and not one byte longer, decompressed', async () => {
    expect(await post('x'.repeat(LIMIT))).toMatch(/^read 10000 /);
    expect(await post('x'.repeat(LIMIT + 1))).toBe('BODY_TOO_LARGE');
    expect(await post('x'.repeat(LIMIT + 1), { 'Transfer-Encoding': 'chunked' })).toBe('BODY_TOO_LARGE');
    for (const [encoding, encode] of [['gzip', gzipSync], ['deflate', deflateSync], ['br', brotliCompressSync]] as const) {
      expect(await post(encode('x'.repeat(LIMIT)), { 'Content-Encoding': encoding })).toMatch(/^read 10000 /);
      expect(await post(encode('x'.repeat(LIMIT + 1)), { 'Content-Encoding': encoding })).toBe('BODY_TOO_LARGE');
    }
  });

  it('may be no bomb: 100 MB in 100 KB', async () => {
    expect(await post(gzipSync(Buffer.alloc(100 * 1024 * 1024)), { 'Content-Encoding': 'gzip' })).toBe('BODY_TOO_LARGE');
  });

  it.each([
    ['gzip that is none', 'gzip', Buffer.from('plain')],
    ['gzip cut off', 'gzip', gzipSync('x'.repeat(1_000)).subarray(0, 15)],
    ['an unknown encoding', 'rot13', Buffer.from('x')],
    ['two encodings', 'gzip, gzip', gzipSync(gzipSync('x'))],
  ])('is INVALID_REQUEST: %s', async (_name, encoding, body) => {
    expect(await post(body, { 'Content-Encoding': encoding })).toBe('INVALID_REQUEST');
  });

  it('that breaks off is no hang', async () => {
    let outcome: unknown;
    const listener = await serve((request) => {
      readBody(request, LIMIT).catch((error: unknown) => (outcome = error));
    });
    listeners.push(listener);
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(listener.url).port) }, () => socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort', () => setTimeout(() => socket.destroy(), 30)));
    for (let wait = 0; wait < 50 && outcome === undefined; wait++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(outcome).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it.each([
    ['announced too long', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nfirst bytes'],
    ['chunked and endless', `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n${'x'.repeat(20_000)}\r\n`],
  ])('that is %s is refused at once, not when its client has sent it all', async (_name, bytes) => {
    expect((await sendRaw(await echo(), bytes, { patienceMs: 1_500 })).text).toContain('BODY_TOO_LARGE');
  });
});
