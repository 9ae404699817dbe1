import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request that came through a gate. */
export interface Passing {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The SOAP operation (`AdminWaitSetRequest`, `UpdateItem`), else the method. */
  readonly operation: string;
  readonly at: number;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `drop`: half of the honest answer's body, then the connection breaks; `silent`: nothing ever; undefined: the honest answer. */
export type Verdict = Reply | 'drop' | 'silent' | undefined;
export type Rule = (passing: Passing, forward: () => Promise<Reply>) => Verdict | Promise<Verdict>;

/** Stands between the bridge and one stand-in, sees what goes through, and misbehaves where a stand-in is too well-bred to. */
export class Gate {
  readonly passed: Passing[] = [];
  rule: Rule | undefined;
  readonly #server: Server;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#pass(request, response));
  }

  static async open(target: string): Promise<Gate> {
    const server = createServer({ keepAliveTimeout: 5_000 });
    const gate = new Gate(server, target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Of these operations, in order. */
  of(...operations: readonly string[]): readonly Passing[] {
    return this.passed.filter((one) => operations.includes(one.operation));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await whole(request);
      const passing: Passing = { method: request.method!, url: request.url!, headers: request.headers, body, operation: operationOf(request.method!, body), at: Date.now() };
      this.passed.push(passing);
      const forward = (): Promise<Reply> => this.#forward(passing, response);
      const verdict = await this.rule?.(passing, forward);
      if (verdict === 'silent') return;
      const reply = verdict === undefined || verdict === 'drop' ? await forward() : verdict;
      const bytes = Buffer.from(reply.body ?? '');
      response.writeHead(reply.status, { ...reply.headers, ...(reply.status === 204 ? {} : { 'content-length': String(bytes.length) }) });
      if (verdict === 'drop') response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      else response.end(bytes);
    } catch {
      // One side is gone: the other one hears of it.
      response.destroy();
    }
  }

  #forward(passing: Passing, response: ServerResponse): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onward = httpRequest(this.#target + passing.url, { method: passing.method, headers: passing.headers, agent: false }, (answer) => {
        whole(answer).then((body) => {
          const { 'transfer-encoding': _coding, 'content-length': _length, connection: _connection, ...headers } = answer.headers;
          resolve({ status: answer.statusCode!, headers: headers as Record<string, string>, body });
        }, reject);
      });
      // A long poll that nobody waits for any more ends at the stand-in as well.
      response.once('close', () => onward.destroy());
      onward.once('error', reject);
      onward.end(passing.body);
    });
  }
}

async function whole(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function operationOf(method: string, body: string): string {
  return /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(body)?.[1] ?? method;
}

/** A page where SOAP was expected, as a proxy or a server that starts gives it. */
export const HTML_PAGE: Reply = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><head><title>Starting</title></head><body>Please wait</body></html>' };
export const UNAVAILABLE: Reply = { status: 503, headers: { 'content-type': 'text/html' }, body: '<html><body>Service Unavailable</body></html>' };
