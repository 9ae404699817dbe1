import { randomBytes } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { codeOf } from '../http-client/connection-error.ts';
import { readBody } from '../http-server/body.ts';
import type { ServerCertificate } from '../http-server/listener.ts';
import { plainAddress } from '../http-server/request-scope.ts';
import type { SourceRate } from './source-rate.ts';

export type OnCall = (text: string, from: string) => string | undefined;

export interface CallBackServerOptions {
  /** Address that is listened on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: ServerCertificate | undefined;
  /** What a call to a path that nobody has is answered; undefined: 404. */
  readonly onUnknown?: ((text: string, from: string) => string | undefined) | undefined;
  /** For a call to be sent; tests choose a shorter time. */
  readonly requestMs?: number | undefined;
}

/** One open port that is called back. POST only, bounded in every way; paths are 160 bits of chance. */
export class CallBackServer {
  readonly #server: Server;
  readonly #paths = new Map<string, OnCall>();
  readonly #options: CallBackServerOptions;
  readonly #rate: SourceRate;
  readonly #logger: Logger;

  private constructor(options: CallBackServerOptions, rate: SourceRate, logger: Logger) {
    this.#options = options;
    this.#rate = rate;
    this.#logger = logger;
    const requestMs = options.requestMs ?? LIMITS.callBackRequestMs;
    const bounds = { maxHeaderSize: LIMITS.requestHeaderBytes, headersTimeout: requestMs, requestTimeout: requestMs, keepAliveTimeout: LIMITS.callBackIdleMs, connectionsCheckingInterval: Math.min(1_000, requestMs / 2), insecureHTTPParser: false };
    const handler = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    const { tls } = options;
    try {
      this.#server = tls === undefined ? createHttpServer(bounds, handler) : createHttpsServer({ ...bounds, key: tls.key, cert: tls.certificate, minVersion: 'TLSv1.2', handshakeTimeout: requestMs }, handler);
    } catch (cause) {
      throw new BridgeError('CONFIGURATION', 'certificate and key cannot be used for the notification port', { cause });
    }
    this.#server.maxConnections = LIMITS.callBackConnections;
  }

  /** @throws BridgeError CONFIGURATION when the port cannot be opened */
  static async open(options: CallBackServerOptions, rate: SourceRate, logger: Logger): Promise<CallBackServer> {
    const one = new CallBackServer(options, rate, logger);
    await new Promise<void>((resolve, reject) => {
      one.#server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(options, error)));
      one.#server.listen({ host: options.host, port: options.port }, resolve);
    });
    one.#server.removeAllListeners('error').on('error', (error) => logger.error({ listener: 'notifications', reason: codeOf(error) }, 'a connection could not be taken'));
    return one;
  }

  /** The port that was really taken. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get paths(): number {
    return this.#paths.size;
  }

  /** Whether these options mean this very port. */
  isAt({ host, port, tls }: CallBackServerOptions): boolean {
    return host === this.#options.host && port === this.#options.port && port !== 0 && (tls === undefined) === (this.#options.tls === undefined);
  }

  /** From now on new connections see this certificate; without effect on a plain port. */
  setCertificate({ certificate, key }: ServerCertificate): void {
    if ('setSecureContext' in this.#server) (this.#server as ReturnType<typeof createHttpsServer>).setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  }

  /** @returns the path, and what gives it back */
  add(onCall: OnCall): { readonly path: string; remove(): void } {
    const path = `/${randomBytes(PATH_BYTES).toString('base64url')}`;
    this.#paths.set(path, onCall);
    return { path, remove: () => void this.#paths.delete(path) };
  }

  /** Calls under way are answered for so long. */
  async close(graceMs: number): Promise<void> {
    this.#paths.clear();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if (graceMs === 0) this.#server.closeAllConnections();
    const over = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    // Node closes those that are idle now; one that is answering becomes idle afterwards.
    const idle = setInterval(() => this.#server.closeIdleConnections(), 25);
    await closed;
    clearTimeout(over);
    clearInterval(idle);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = plainAddress(request.socket.remoteAddress ?? '');
    try {
      if (!this.#rate.take(from)) return refuse(response, 429);
      if (request.method !== 'POST') return refuse(response, 405);
      const text = decoded(await readBody(request, LIMITS.presenceNotificationBytes));
      const onCall = this.#paths.get(request.url ?? '');
      const answer = (onCall ?? this.#options.onUnknown)?.(text, from);
      if (answer === undefined) return refuse(response, onCall === undefined ? 404 : 400);
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8', 'content-length': Buffer.byteLength(answer) }).end(answer);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (error.code === 'INTERNAL') this.#logger.error({ listener: 'notifications', address: from, code: error.code, stack: error.cause instanceof Error ? error.cause.stack : undefined }, 'a call could not be answered');
      refuse(response, error.code === 'BODY_TOO_LARGE' ? 413 : error.code === 'INTERNAL' ? 500 : 400);
    }
  }
}

const PATH_BYTES = 20;

function decoded(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new BridgeError('INVALID_REQUEST', 'the call is not UTF-8', { cause });
  }
}

/** The rest of what is sent is not waited for. */
function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { connection: 'close', 'content-length': 0, ...(status === 405 ? { allow: 'POST' } : {}) }).end();
}

function cannotListen({ host, port }: CallBackServerOptions, error: NodeJS.ErrnoException): BridgeError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken by another program',
    EACCES: 'no right to open this port (below 1024: give CAP_NET_BIND_SERVICE)',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  const code = codeOf(error);
  return new BridgeError('CONFIGURATION', `cannot listen for notifications on ${host} port ${port}: ${why[code] ?? code}`, { cause: error, details: { reason: code } });
}
