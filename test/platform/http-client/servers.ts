import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server as HttpServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { RequestBudget } from '../../../src/platform/http-client/request-budget.ts';
import type { HttpRequest } from '../../../src/platform/http-client/http-client.ts';

/** Ends everything that a test opened, in reverse order. */
export class Opened {
  readonly #ends: (() => unknown)[] = [];

  add(end: () => unknown): void {
    this.#ends.push(end);
  }

  async close(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) await end();
  }

  /** A node:http server on a free port of loopback. */
  async http(listener: (...parameters: Parameters<RequestListener>) => unknown): Promise<URL> {
    return this.#listen(createHttpServer((request, response) => void listener(request, response)));
  }

  /** A socket server that is told of each connection and of the text that comes over it. */
  async raw(onConnection: (socket: Socket, connection: number) => void): Promise<URL> {
    let connections = 0;
    return this.#listen(createNetServer((socket) => onConnection(socket.on('error', () => undefined), ++connections)));
  }

  async #listen(server: Server | HttpServer): Promise<URL> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.add(
      () =>
        new Promise((resolve) => {
          server.close(resolve);
          for (const socket of sockets) socket.destroy();
        }),
    );
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/start?secret=canary`);
  }
}

/** Answers each whole request (no body) on a raw socket with what `answer` gives. */
export function perRequest(socket: Socket, answer: (text: string, count: number) => void): void {
  let text = '';
  let count = 0;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end);
      text = text.slice(end + 4);
      answer(head, ++count);
    }
  });
}

export function get(url: URL, changes: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url, signal: AbortSignal.timeout(10_000), budget: new RequestBudget(), ...changes };
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
