import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What the good server behind answers. */
export interface Good {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** One request that has come whole, and what can be made of its answer. */
export interface Turn {
  readonly socket: Socket;
  readonly good: Good;
  /** The answer about somebody else. */
  readonly other: () => Promise<Good>;
}

/** One way in which a server can be wrong. */
export interface Fault {
  readonly name: string;
  /** The client speaks TLS; what happens there is `connected`'s. */
  readonly isTls?: true;
  /** Takes the whole connection. */
  readonly connected?: (socket: Socket) => void;
  /** Takes the place of an answer. */
  readonly answer?: (turn: Turn) => unknown;
  /** The answer, as the client is owed it, may arrive whole all the same. */
  readonly mayBeWhole?: true;
  /** What it says is HTTP that a client may take for an answer, and keep the connection. */
  readonly isAnswer?: true;
  /** Asked a second time by the same client; the fault happens between or at the second. */
  readonly rounds?: 2;
}

/** Stands on loopback between a client and a good server (node:http, plain) and does what a fault says, from the n-th request on. */
export class FaultyServer {
  readonly #server: Server;
  readonly #good: URL;
  readonly #fault: Fault;
  readonly #from: number;
  readonly #open = new Set<Socket>();
  /** Requests that have come whole. */
  requests = 0;

  private constructor(good: URL, fault: Fault, from: number) {
    this.#good = good;
    this.#fault = fault;
    this.#from = from;
    this.#server = createServer((socket) => this.#join(socket));
  }

  static async before(good: URL, fault: Fault, from = 1): Promise<FaultyServer> {
    const server = new FaultyServer(good, fault, from);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** Where it is, with the path of the good one. */
  get url(): URL {
    const url = new URL(this.#good);
    url.protocol = this.#fault.isTls === true ? 'https:' : 'http:';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Waits until clients have left no more connections than so many; false where they do not within the time. */
  async left(most: number, patienceMs: number): Promise<boolean> {
    const late = AbortSignal.timeout(patienceMs);
    while (this.#open.size > most) {
      if (late.aborted) return false;
      await once(this.#server, 'left', { signal: late }).catch(() => undefined);
    }
    return true;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => undefined);
    // Whoever leaves is gone, whatever we still have to say.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#server.emit('left');
    });
    const { connected } = this.#fault;
    if (connected !== undefined) {
      socket.resume();
      connected(socket);
      return;
    }
    let heard = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      const end = heard.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = heard.subarray(0, end).toString('latin1');
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (heard.length < end + 4 + length) return;
      const body = heard.subarray(end + 4, end + 4 + length);
      heard = heard.subarray(end + 4 + length);
      void this.#answer(socket, head, body).catch(() => socket.destroy());
    });
  }

  async #answer(socket: Socket, head: string, body: Buffer): Promise<void> {
    this.requests += 1;
    const isFaulty = this.requests >= this.#from;
    const good = await this.#ask(head, body);
    if (!isFaulty || this.#fault.answer === undefined) socket.write(whole(good));
    else await this.#fault.answer({ socket, good, other: () => this.#ask(elses(head), Buffer.from(elses(body.toString()))) });
  }

  #ask(head: string, body: Buffer): Promise<Good> {
    const [first = '', ...lines] = head.split('\r\n');
    const [method = '', path = ''] = first.split(' ');
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: this.#good.hostname, port: this.#good.port, method, path, agent: false, headers: { ...headers, 'accept-encoding': 'identity', connection: 'close', 'content-length': body.length } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const raw = response.rawHeaders;
          const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]!] as const] : []));
          resolve({ status: response.statusCode!, headers: pairs.filter(([name]) => !/^(?:content-length|transfer-encoding|connection|keep-alive)$/i.test(name)), body: Buffer.concat(chunks) });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

/** The question about anna as one about ben, in whatever case she is written. */
function elses(text: string): string {
  return text.replace(/anna/g, 'ben').replace(/ANNA/g, 'BEN');
}

/** Status line and headers, without the empty line. */
export function headOf({ status, headers }: Good, more: readonly string[]): string {
  return [`HTTP/1.1 ${status} X`, ...headers.map(([name, value]) => `${name}: ${value}`), ...more].join('\r\n');
}

export function whole(good: Good): Buffer {
  return Buffer.concat([Buffer.from(`${headOf(good, [`Content-Length: ${good.body.length}`])}\r\n\r\n`), good.body]);
}

/** Writes the same again and again until the other side has had enough. */
export function pour(socket: Socket, chunk: Buffer | string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable) {
      if (!socket.write(chunk)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

/** One byte now and one every second. */
export function drip(socket: Socket, bytes: Buffer): void {
  let at = 0;
  const next = (): void => void (at < bytes.length && socket.write(bytes.subarray(at, ++at)));
  const timer = setInterval(next, 1_000);
  socket.once('close', () => clearInterval(timer));
  next();
}
