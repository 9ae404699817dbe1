import type { Socket } from 'node:net';

/** Who takes what comes. `data` may be called until `close` was. */
export interface StreamReader {
  data(chunk: Buffer): void;
  close(): void;
}

/** One connection of a StreamListener: octets in both directions, with a TLS that may begin later (StartTLS). */
export class ByteStream {
  /** The client's, IPv4 in its plain form. */
  readonly address: string;
  /** Both ends are on this machine. */
  readonly isLoopback: boolean;
  readonly #stalledMs: number;
  readonly #secure: ((socket: Socket) => Promise<Socket>) | undefined;
  #socket: Socket;
  #isTls: boolean;
  #reader: StreamReader | undefined;
  #draining: Promise<void> | undefined;
  #detach: () => void = () => {};

  constructor(socket: Socket, options: { readonly address: string; readonly isLoopback: boolean; readonly isTls: boolean; readonly stalledMs: number; readonly secure: ((socket: Socket) => Promise<Socket>) | undefined }) {
    this.#socket = socket;
    this.address = options.address;
    this.isLoopback = options.isLoopback;
    this.#isTls = options.isTls;
    this.#stalledMs = options.stalledMs;
    this.#secure = options.secure;
  }

  get isTls(): boolean {
    return this.#isTls;
  }

  /** Whether TLS can begin: there is a certificate, and it has not begun yet. */
  get canStartTls(): boolean {
    return !this.#isTls && this.#secure !== undefined;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** From now on `reader` takes what comes; called once. */
  read(reader: StreamReader): void {
    this.#reader = reader;
    this.#attach();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends octets; comes back when there is room for more. A client that makes no room for `stalledMs` is cut off. */
  async send(bytes: Buffer): Promise<void> {
    if (!this.isOpen || this.#socket.write(bytes)) return;
    this.#draining ??= this.#drained();
    await this.#draining;
  }

  /** TLS begins, with whatever comes next; nothing may be read meanwhile. @throws what is wrong with the handshake */
  async startTls(): Promise<void> {
    if (this.#secure === undefined) throw new Error('there is no certificate');
    const plain = this.#socket;
    this.#detach();
    this.#socket = await this.#secure(plain);
    this.#isTls = true;
    this.#attach();
  }

  /** Sends what is left, and ends. */
  end(bytes?: Buffer): void {
    if (!this.isOpen) return;
    if (bytes === undefined) this.#socket.end();
    else this.#socket.end(bytes);
    // A client that does not end its side would stay for ever.
    setTimeout(() => this.destroy(), FAREWELL_MS).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #attach(): void {
    const socket = this.#socket;
    const reader = this.#reader!;
    const data = (chunk: Buffer): void => reader.data(chunk);
    const close = (): void => reader.close();
    // What went wrong is followed by `close`, and a client that breaks off is no news.
    socket.on('data', data).on('error', () => socket.destroy()).once('close', close);
    this.#detach = () => void socket.off('data', data).off('close', close);
    if (socket.destroyed) close();
  }

  async #drained(): Promise<void> {
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        socket.off('drain', over).off('close', over);
        resolve();
      };
      const timer = setTimeout(() => socket.destroy(), this.#stalledMs);
      socket.once('drain', over).once('close', over);
    });
    this.#draining = undefined;
  }
}

const FAREWELL_MS = 500;
