import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { systemClock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { NotificationPort } from '../../core/notification-port.ts';
import { notifyPath } from './notify-datagram.ts';
import { SourceRate } from './source-rate.ts';

export interface HttpuCallBackOptions {
  /** Address that is listened on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Name or address in the URLs; IPv6 without brackets. */
  readonly publicHost: string;
}

type OnCall = Parameters<NotificationPort['open']>[0];

interface Path {
  readonly onCall: OnCall;
  /** Of the binding under whose URL it was given away. */
  readonly generation: number;
}

interface Binding {
  readonly socket: Socket;
  readonly options: HttpuCallBackOptions;
  readonly port: number;
}

/**
 * Where an Exchange calls us back over UDP (HTTPU, presence.md §B.4): one datagram is one notification, and is never answered. UDP proves nothing of its sender: what comes to a path that
 * was not given away costs a look into a map, and one address gets through so often in a second only.
 */
export class HttpuCallBack implements NotificationPort {
  readonly scheme = 'httpu';
  readonly #logger: Logger;
  readonly #paths = new Map<string, Path>();
  readonly #listeners = new Set<() => void>();
  readonly #rate = new SourceRate(LIMITS.httpuDatagramsPerSecond, LIMITS.httpuSources, systemClock);
  #bindings: Binding[];
  #generation = 1;

  private constructor(binding: Omit<Binding, 'socket'> & { readonly socket: Socket }, logger: Logger) {
    this.#bindings = [binding];
    this.#logger = logger;
    this.#listen(binding.socket);
  }

  /** @throws BridgeError CONFIGURATION where the port cannot be opened */
  static async open(options: HttpuCallBackOptions, logger: Logger): Promise<HttpuCallBack> {
    return new HttpuCallBack(await bind(options), logger);
  }

  get generation(): number {
    return this.#generation;
  }

  /** The port that is open now. */
  get port(): number {
    return this.#current.port;
  }

  open(onCall: OnCall, token?: string): { readonly url: string; close(): void } {
    const isFree = token !== undefined && TOKEN.test(token) && !this.#paths.has(token);
    const name = isFree ? token : randomBytes(TOKEN_BYTES).toString('base64url');
    const path: Path = { onCall, generation: this.#generation };
    this.#paths.set(name, path);
    const { options, port } = this.#current;
    const host = isIPv6(options.publicHost) ? `[${options.publicHost}]` : options.publicHost;
    return {
      url: `httpu://${host}:${port}/${name}`,
      close: () => {
        if (this.#paths.get(name) !== path) return;
        this.#paths.delete(name);
        this.#letGo();
      },
    };
  }

  onMoved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Listens elsewhere. The new port is open before the old one is let go, which is when nobody has a path of it any more.
   *
   * @throws BridgeError CONFIGURATION where the new one cannot be opened; everything is as before then
   */
  async rebind(options: HttpuCallBackOptions): Promise<void> {
    const old = this.#current;
    const isSamePlace = options.host === old.options.host && (options.port === old.port || options.port === old.options.port);
    if (isSamePlace && options.publicHost === old.options.publicHost) return;
    const binding = isSamePlace ? { ...old, options } : await this.#bindBeside(options, old);
    if (!isSamePlace) this.#listen(binding.socket);
    this.#bindings = [...this.#bindings, binding];
    this.#generation += 1;
    this.#letGo();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Nothing is heard any more. Safe to call twice. */
  async close(): Promise<void> {
    this.#paths.clear();
    this.#listeners.clear();
    const sockets = new Set(this.#bindings.map(({ socket }) => socket));
    this.#bindings = this.#bindings.slice(-1);
    await Promise.all([...sockets].map(closed));
  }

  get #current(): Binding {
    return this.#bindings.at(-1)!;
  }

  /** Another address with the same port cannot be open beside the old one (0.0.0.0 has them all): then the old one is closed first, and opened again where the new one fails. */
  async #bindBeside(options: HttpuCallBackOptions, old: Binding): Promise<Binding> {
    try {
      return await bind(options);
    } catch (error) {
      if (options.port !== old.port) throw error;
      await closed(old.socket);
      try {
        return await bind(options);
      } catch (again) {
        const restored = await bind({ ...old.options, port: old.port });
        this.#listen(restored.socket);
        this.#bindings = this.#bindings.map((one) => (one.socket === old.socket ? { ...one, socket: restored.socket } : one));
        throw again;
      }
    }
  }

  /** Closes what only those that have moved away used. */
  #letGo(): void {
    if (this.#bindings.length === 1) return;
    for (const { generation } of this.#paths.values()) if (generation !== this.#generation) return;
    const kept = this.#current;
    const old = new Set(this.#bindings.map(({ socket }) => socket));
    this.#bindings = [kept];
    old.delete(kept.socket);
    for (const socket of old) void closed(socket);
  }

  #listen(socket: Socket): void {
    socket.on('message', (message, from) => this.#receive(message, from));
    socket.on('error', (error) => this.#logger.warn({ reason: (error as NodeJS.ErrnoException).code ?? error.name }, 'call-back port'));
  }

  #receive(message: Buffer, from: RemoteInfo): void {
    const read = notifyPath(message);
    const path = read === undefined ? undefined : this.#paths.get(read.path);
    if (read === undefined || path === undefined || !this.#rate.take(from.address)) return;
    try {
      path.onCall(read.head, from.address);
    } catch (error) {
      this.#logger.error({ reason: error instanceof Error ? error.name : 'unknown' }, 'a notification could not be taken');
    }
  }
}

/** 128 bits: nobody guesses them. */
const TOKEN_BYTES = 16;
const TOKEN = /^[\w-]{22}$/;

async function bind(options: HttpuCallBackOptions): Promise<Binding> {
  const { host, port } = options;
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    await closed(socket);
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    const why = code === 'EADDRINUSE' ? 'somebody else has it' : code;
    throw new BridgeError('CONFIGURATION', `the notification port ${port}/udp cannot be opened: ${why}`, { cause: error, details: { reason: code, port } });
  }
  return { socket, options, port: socket.address().port };
}

async function closed(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      // It was closed before.
      resolve();
    }
  });
}
