import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import { BridgeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { AddressSet } from '../auth/address-set.ts';
import { codeOf } from '../http-client/connection-error.ts';
import type { ServerCertificate } from '../http-server/listener.ts';
import { plainAddress } from '../http-server/request-scope.ts';
import { ByteStream } from './byte-stream.ts';

export interface StreamListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** For the log, and for the error. */
  readonly label: string;
  /** `implicit`: every connection begins with TLS; else it may begin it later. */
  readonly tls: (ServerCertificate & { readonly implicit: boolean }) | undefined;
  /** Open at the same time, in all and from one address; more are closed at once, unless `makeRoom` gives up another. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Destroys one that nobody needs, from that address or, undefined, from any; false where there is none. */
  readonly makeRoom?: (address: string | undefined) => boolean;
  /** For TLS to be agreed on. */
  readonly handshakeMs: number;
  /** A client that takes nothing of what it is sent for so long is cut off. */
  readonly stalledMs: number;
}

const LOOPBACK = new AddressSet(['127.0.0.0/8', '::1']);

/** One open port for a protocol that is not HTTP: a bounded number of connections, TLS at once or later. */
export class StreamListener {
  readonly #server: Server;
  readonly #tls: TlsServer | undefined;

  private constructor(server: Server, tls: TlsServer | undefined) {
    this.#server = server;
    this.#tls = tls;
  }

  /**
   * Opens the port; `accept` is given every connection, under TLS already where that is implicit.
   *
   * @throws BridgeError CONFIGURATION when the port cannot be opened or the certificate cannot be used
   */
  static async open(options: StreamListenerOptions, accept: (stream: ByteStream) => void, logger: Logger): Promise<StreamListener> {
    const { tls, label, host, port } = options;
    const handshakes = tls === undefined ? undefined : new Handshakes(tls, options.handshakeMs, label, logger);
    const open = new Map<string, number>();
    let total = 0;
    let isFull = false;
    const server = createServer((socket) => {
      const address = plainAddress(socket.remoteAddress ?? '');
      const ofAddress = open.get(address) ?? 0;
      const isAddressFull = ofAddress >= options.connectionsPerAddress;
      // The one given up closes with the next turn: there is one too many until then.
      if ((isAddressFull || total >= options.connections) && options.makeRoom?.(isAddressFull ? address : undefined) !== true) {
        if (!isFull) logger.warn({ listener: label, address, count: ofAddress, reason: 'too many connections' }, 'connections are refused');
        isFull = true;
        socket.destroy();
        return;
      }
      total += 1;
      open.set(address, ofAddress + 1);
      socket.once('close', () => {
        total -= 1;
        isFull = false;
        const left = open.get(address)! - 1;
        if (left === 0) open.delete(address);
        else open.set(address, left);
      });
      socket.setNoDelay(true);
      const isLoopback = LOOPBACK.has(address) && LOOPBACK.has(plainAddress(socket.localAddress ?? ''));
      const secure = handshakes === undefined ? undefined : (plain: Socket) => handshakes.secure(plain);
      const take = (stream: Socket, isTls: boolean): void => accept(new ByteStream(stream, { address, isLoopback, isTls, stalledMs: options.stalledMs, secure }));
      // Until somebody reads, an error must not end the process.
      socket.on('error', () => socket.destroy());
      if (tls?.implicit !== true) take(socket, false);
      else void handshakes!.secure(socket).then((stream) => take(stream, true), () => socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(label, error)));
      server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, resolve);
    });
    server.removeAllListeners('error').on('error', (error) => logger.error({ listener: label, reason: codeOf(error) }, 'a connection could not be taken'));
    return new StreamListener(server, handshakes?.server);
  }

  /** `host:port`, with the port that was really taken. */
  get authority(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** From now on new handshakes see this certificate. Without effect where there was none. */
  setCertificate({ certificate, key }: ServerCertificate): void {
    this.#tls?.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  }

  /** Takes no new connection; comes back when the last one is closed, which is for whoever accepted them. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Handshakes of a TLS server that listens to nothing: it is handed its connections. */
class Handshakes {
  readonly server: TlsServer;
  readonly #waiting = new Map<string, { readonly resolve: (socket: Socket) => void; readonly reject: (reason: unknown) => void }>();

  constructor({ certificate, key }: ServerCertificate, handshakeMs: number, label: string, logger: Logger) {
    try {
      this.server = createTlsServer({ cert: certificate, key, minVersion: 'TLSv1.2', handshakeTimeout: handshakeMs });
    } catch (cause) {
      throw new BridgeError('CONFIGURATION', `certificate and key cannot be used for ${label}`, { cause });
    }
    this.server.on('secureConnection', (socket) => this.#settle(socket)?.resolve(socket));
    this.server.on('tlsClientError', (error, socket) => {
      logger.warn({ listener: label, address: plainAddress(socket.remoteAddress ?? ''), reason: codeOf(error) }, 'a client and we did not agree on TLS');
      this.#settle(socket)?.reject(error);
      socket.destroy();
    });
  }

  async secure(socket: Socket): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const name = nameOf(socket);
      this.#waiting.set(name, { resolve, reject });
      socket.once('close', () => {
        this.#waiting.delete(name);
        reject(new Error('the client has gone'));
      });
      this.server.emit('connection', socket);
    });
  }

  #settle(socket: Socket): { readonly resolve: (socket: Socket) => void; readonly reject: (reason: unknown) => void } | undefined {
    const name = nameOf(socket);
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    return waiting;
  }
}

/** Both ends of a connection, which a listener has once. */
function nameOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''} ${localPort ?? ''}`;
}

function cannotListen(label: string, error: NodeJS.ErrnoException): BridgeError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken by another program',
    EACCES: 'no right to open this port (below 1024: give CAP_NET_BIND_SERVICE)',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  const code = codeOf(error);
  return new BridgeError('CONFIGURATION', `cannot listen on ${label}: ${why[code] ?? code}`, { cause: error });
}
