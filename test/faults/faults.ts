import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import { drip, headOf, pour, whole } from './faulty-server.ts';
import type { Fault, Good, Turn } from './faulty-server.ts';

const half = (body: Buffer): Buffer => body.subarray(0, Math.floor(body.length / 2));
const length = (good: Good, off = 0): string => `Content-Length: ${good.body.length + off}`;
const send = (socket: Socket, head: string, body: Buffer | string = ''): boolean => socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)]));
const answer = (name: string, work: (turn: Turn) => unknown): Fault => ({ name, answer: work });
const plain = (name: string, connected: (socket: Socket) => void): Fault => ({ name, connected });
const tls = (name: string, connected: (socket: Socket) => void): Fault => ({ name, isTls: true, connected });
const chunked = (good: Good): string => headOf(good, ['Transfer-Encoding: chunked']);
const encoded = (good: Good, encoding: string, body: Buffer): [string, Buffer] => [headOf(good, [`Content-Encoding: ${encoding}`, `Content-Length: ${body.length}`]), body];

/** A ServerHello of TLS 1.2 as far as its random; the record announces more. */
const HALF_SERVER_HELLO = Buffer.concat([Buffer.from('160303005d0200005903', 'hex'), Buffer.from('03', 'hex'), randomBytes(20)]);
/** 64 MB of blanks in 64 KB; more than any answer may have. */
const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));

/** Every way in which a server, or the wire, has been wrong: one line each. */
export const FAULTS: readonly Fault[] = [
  // The connection.
  plain('accepts and says nothing', () => undefined),
  plain('resets the connection at once', (socket) => socket.resetAndDestroy()),
  plain('closes the connection at once', (socket) => socket.end()),
  plain('speaks SSH', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')),
  plain('sends noise', (socket) => socket.write(randomBytes(4_096))),
  plain('sends noise without end', (socket) => pour(socket, randomBytes(65_536))),
  { ...plain('answers before it was asked', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')), isAnswer: true },
  // TLS.
  tls('says nothing in the handshake', () => undefined),
  tls('sends half a ServerHello and stalls', (socket) => socket.write(HALF_SERVER_HELLO)),
  tls('sends half a ServerHello and resets', (socket) => socket.write(HALF_SERVER_HELLO, () => socket.resetAndDestroy())),
  tls('sends half a ServerHello and closes', (socket) => socket.end(HALF_SERVER_HELLO)),
  tls('sends a fatal alert', (socket) => socket.write(Buffer.from('15030300020228', 'hex'))),
  tls('speaks plain HTTP where TLS is due', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
  tls('sends noise in the handshake', (socket) => socket.write(randomBytes(4_096))),
  tls('resets in the handshake', (socket) => socket.resetAndDestroy()),
  // The head.
  answer('resets before the head', ({ socket }) => socket.resetAndDestroy()),
  answer('closes before the head', ({ socket }) => socket.end()),
  answer('says nothing after the question', () => undefined),
  { ...answer('is late with the head', async ({ socket, good }) => (await pause(100), socket.write(whole(good)))), mayBeWhole: true },
  answer('resets in the head', ({ socket, good }) => socket.write(headOf(good, []).slice(0, 30), () => socket.resetAndDestroy())),
  answer('closes in the head', ({ socket, good }) => socket.end(headOf(good, []).slice(0, 30))),
  answer('stalls in the head', ({ socket, good }) => socket.write(headOf(good, []).slice(0, 30))),
  answer('sends a byte of the head a second', ({ socket, good }) => drip(socket, whole(good))),
  answer('sends headers without end', ({ socket }) => (socket.write('HTTP/1.1 200 OK\r\n'), pour(socket, `X-Filler: ${'x'.repeat(1_000)}\r\n`))),
  answer('sends one header without end', ({ socket }) => (socket.write('HTTP/1.1 200 OK\r\nX-Filler: '), pour(socket, 'x'.repeat(65_536)))),
  answer('sends 10,000 headers', ({ socket, good }) => send(socket, headOf(good, [...Array.from({ length: 10_000 }, (_, n) => `X-${n}: ${n}`), length(good)]), good.body)),
  answer('says 100 Continue without end', ({ socket }) => pour(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))),
  answer('says 102 Processing without end', ({ socket }) => pour(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100))),
  answer('switches protocols', ({ socket, good }) => socket.write(Buffer.concat([Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'), good.body]))),
  answer('speaks HTTP/0.9', ({ socket, good }) => socket.end(good.body)),
  answer('speaks HTTP/2', ({ socket }) => socket.write(Buffer.from('00000604000000000000030000006400', 'hex'))),
  answer('has no status', ({ socket, good }) => send(socket, headOf(good, [length(good)]).replace(/^HTTP\/1\.1 \d+/, 'HTTP/1.1 abc'), good.body)),
  // The body.
  answer('resets in the body', ({ socket, good }) => socket.write(Buffer.concat([Buffer.from(`${headOf(good, [length(good)])}\r\n\r\n`), half(good.body)]), () => socket.resetAndDestroy())),
  answer('closes in the body', ({ socket, good }) => (send(socket, headOf(good, [length(good)]), half(good.body)), socket.end())),
  answer('stalls in the body', ({ socket, good }) => send(socket, headOf(good, [length(good)]), half(good.body))),
  answer('sends a byte of the body a second', ({ socket, good }) => (send(socket, headOf(good, [length(good)])), drip(socket, good.body))),
  answer('sends half the body as if it were whole', ({ socket, good }) => send(socket, headOf(good, [`Content-Length: ${half(good.body).length}`]), half(good.body))),
  answer('sends half the body and closes, without a length', ({ socket, good }) => (send(socket, headOf(good, ['Connection: close']), half(good.body)), socket.end())),
  answer('sends nothing as if it were whole', ({ socket, good }) => send(socket, headOf(good, ['Content-Length: 0']))),
  answer('sends half as 206', ({ socket, good }) => send(socket, headOf({ ...good, status: 206 }, [`Content-Range: bytes 0-${half(good.body).length - 1}/${good.body.length}`, `Content-Length: ${half(good.body).length}`]), half(good.body))),
  answer('says 204', ({ socket, good }) => send(socket, headOf({ ...good, status: 204 }, []))),
  answer('sends a body without end', ({ socket, good }) => (send(socket, headOf(good, ['Connection: close']), half(good.body)), pour(socket, Buffer.alloc(65_536, 0x20)))),
  // Lengths.
  answer('announces ten bytes less', ({ socket, good }) => send(socket, headOf(good, [length(good, -10)]), good.body)),
  answer('announces ten bytes more and closes', ({ socket, good }) => (send(socket, headOf(good, [length(good, 10)]), good.body), socket.end())),
  answer('announces ten bytes more and stalls', ({ socket, good }) => send(socket, headOf(good, [length(good, 10)]), good.body)),
  answer('announces two lengths', ({ socket, good }) => send(socket, headOf(good, [length(good), `Content-Length: ${half(good.body).length}`]), good.body)),
  answer('announces a negative length', ({ socket, good }) => send(socket, headOf(good, ['Content-Length: -5']), good.body)),
  answer('announces a length beyond all numbers', ({ socket, good }) => send(socket, headOf(good, ['Content-Length: 99999999999999999999']), good.body)),
  answer('announces a length of letters', ({ socket, good }) => send(socket, headOf(good, ['Content-Length: 0x10']), good.body)),
  answer('announces 10 GB', ({ socket, good }) => send(socket, headOf(good, ['Content-Length: 10737418240']), good.body)),
  answer('announces a length and chunks', ({ socket, good }) => send(socket, headOf(good, ['Content-Length: 5', 'Transfer-Encoding: chunked']), `5\r\n${good.body.subarray(0, 5).toString()}\r\n0\r\n\r\n`)),
  // Chunks.
  answer('sends a chunk of no size', ({ socket, good }) => send(socket, chunked(good), `zz\r\n${good.body.toString()}\r\n0\r\n\r\n`)),
  answer('sends a chunk of a size beyond all numbers', ({ socket, good }) => send(socket, chunked(good), `ffffffffffffffffff\r\n${good.body.toString()}`)),
  answer('sends a chunk that is longer than it says', ({ socket, good }) => send(socket, chunked(good), `${half(good.body).length.toString(16)}\r\n${good.body.toString()}\r\n0\r\n\r\n`)),
  answer('ends the chunks too early', ({ socket, good }) => send(socket, chunked(good), `${half(good.body).length.toString(16)}\r\n${half(good.body).toString()}\r\n0\r\n\r\n`)),
  answer('leaves the last chunk out and closes', ({ socket, good }) => (send(socket, chunked(good), `${good.body.length.toString(16)}\r\n${good.body.toString()}\r\n`), socket.end())),
  answer('leaves the last chunk out and stalls', ({ socket, good }) => send(socket, chunked(good), `${good.body.length.toString(16)}\r\n${good.body.toString()}\r\n`)),
  // Encodings.
  answer('sends a gzip bomb', ({ socket, good }) => send(socket, ...encoded(good, 'gzip', BOMB))),
  answer('sends gzip that breaks off', ({ socket, good }) => send(socket, ...encoded(good, 'gzip', half(gzipSync(good.body))))),
  answer('sends gzip with a wrong checksum', ({ socket, good }) => {
    const body = gzipSync(good.body);
    body[body.length - 6]! ^= 0xff;
    send(socket, ...encoded(good, 'gzip', body));
  }),
  answer('calls plain text gzip', ({ socket, good }) => send(socket, ...encoded(good, 'gzip', good.body))),
  answer('sends an encoding that nobody asked for', ({ socket, good }) => send(socket, ...encoded(good, 'x-rot13', good.body))),
  // Connections that are used again, and answers to other questions.
  { ...answer('closes after the answer', ({ socket, good }) => (socket.write(whole(good)), socket.end())), rounds: 2, mayBeWhole: true },
  { ...answer('resets a moment after the answer', async ({ socket, good }) => (socket.write(whole(good)), await pause(20), socket.resetAndDestroy())), rounds: 2, mayBeWhole: true },
  { ...answer('sends a second answer, about somebody else, that nobody asked for', async ({ socket, good, other }) => socket.write(Buffer.concat([whole(good), whole(await other())]))), rounds: 2, mayBeWhole: true },
  { ...answer('sends an answer about somebody else a moment later', async ({ socket, good, other }) => (socket.write(whole(good)), socket.write(whole(await other())))), rounds: 2, mayBeWhole: true },
  { ...answer('answers after everybody has gone', async ({ socket, good }) => (await pause(1_200), socket.write(whole(good)))), rounds: 2, mayBeWhole: true },
];

/** An answer that is whole and about somebody else: only protocols whose answers say whom they are about can tell. */
export const SOMEBODY_ELSE: Fault = answer('answers about somebody else', async ({ socket, other }) => socket.write(whole(await other())));
/** None: what is true. */
export const HONEST: Fault = { name: 'is honest' };
