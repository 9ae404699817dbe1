import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { codeOf } from '../http-client/connection-error.ts';
import { rememberTrust, trustOf } from './client-trust.ts';
import { plainAddress } from './request-scope.ts';

/** PEM texts. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
  /** Authorities that vouch for clients' own certificates: clients are asked for one, and may have none. Absent: nobody is asked. */
  readonly clientCa?: readonly string[] | undefined;
}

/**
 * One open port. What answers can be exchanged while it stays open: a reload swaps the handler and the certificate, requests
 * under way finish with the old one. Node's strict parser stays on; headers beyond LIMITS.requestHeaderBytes are 431 and the connection is closed.
 */
export class Listener {
  readonly #server: Server | HttpsServer;
  /** Connections that have not asked anything yet: Node does not count them as idle. */
  readonly #silent = new Set<Socket>();
  /** By which authorities' certificates a handshake that has begun will be judged, by the client's address and port; the certificate may be changed before it ends. */
  readonly #handshakes = new Map<string, { readonly trust: string }>();
  #handler: RequestListener;
  #trust: string | undefined;

  private constructor(server: Server | HttpsServer, certificate: ServerCertificate | undefined, handler: RequestListener) {
    this.#server = server;
    this.#handler = handler;
    this.#trust = trustIn(certificate);
    if ('setSecureContext' in server) server.on('connection', (socket: Socket) => this.#handshakeBegins(socket));
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
      const handshake = this.#handshakes.get(placeOf(socket));
      if (handshake !== undefined) rememberTrust(socket, handshake.trust);
      this.#silent.add(socket);
      socket.once('close', () => this.#silent.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#silent.delete(request.socket);
      this.#handler(request, response);
    });
  }

  /**
   * Opens `http://host:port` or `https://host:port`; port 0 takes a free one.
   *
   * @throws BridgeError CONFIGURATION when the port cannot be opened
   */
  static async open(url: URL, certificate: ServerCertificate | undefined, handler: RequestListener, logger: Logger): Promise<Listener> {
    const options = {
      maxHeaderSize: LIMITS.requestHeaderBytes,
      headersTimeout: LIMITS.headersTimeoutMs,
      requestTimeout: LIMITS.requestTimeoutMs,
      keepAliveTimeout: LIMITS.keepAliveTimeoutMs,
      insecureHTTPParser: false,
    };
    const server = certificate === undefined ? createHttpServer(options) : createHttpsServer({ ...options, ...secureContext(certificate), ...askingFor(certificate) });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const { remoteAddress } = socket as Socket;
      const address = remoteAddress === undefined ? undefined : plainAddress(remoteAddress);
      if (error.code !== undefined && UNTRUSTED.has(error.code)) logger.warn({ listener: url.host, address, reason: 'it does not trust our certificate: import its authority there, or get one of a public authority', code: error.code }, 'a client hung up');
      else logger.warn({ listener: url.host, address, reason: error.code ?? 'unreadable', status: statusOf(error) }, 'request refused before it could be read');
      if (socket.writable) socket.end(`HTTP/1.1 ${statusOf(error)} ${REASONS[statusOf(error)]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      else socket.destroy();
    });
    const listener = new Listener(server, certificate, handler);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(url, error)));
      server.listen({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) }, resolve);
    });
    // Out of file descriptors, say: the listener lives on, and so must the process.
    server.removeAllListeners('error').on('error', (error) => logger.error({ listener: url.host, reason: codeOf(error) }, 'a connection could not be taken'));
    return listener;
  }

  /** Where it listens, with the port that was really taken. */
  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    const scheme = 'setSecureContext' in this.#server ? 'https' : 'http';
    return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** From now on new requests are answered by `handler`. */
  setHandler(handler: RequestListener): void {
    this.#handler = handler;
  }

  /** From now on new connections see this certificate, and are asked for theirs by its `clientCa`; sessions of before are not resumed. Without effect on a plain listener. */
  setCertificate(certificate: ServerCertificate): void {
    if (!('setSecureContext' in this.#server)) return;
    this.#server.setSecureContext(secureContext(certificate));
    // Not in Node's description, but looked at anew for every connection (lib/_tls_wrap.js); the tests see to it that it stays so.
    Object.assign(this.#server, askingFor(certificate));
    this.#trust = trustIn(certificate);
  }

  #handshakeBegins(socket: Socket): void {
    if (this.#trust === undefined) return;
    const [place, handshake] = [placeOf(socket), { trust: this.#trust }];
    this.#handshakes.set(place, handshake);
    // The same port may have come again meanwhile.
    socket.once('close', () => this.#handshakes.get(place) === handshake && this.#handshakes.delete(place));
  }

  /** Takes no new connection, lets requests under way finish for `graceMs`, then cuts them off. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const silent = setTimeout(() => this.#silent.forEach((socket) => socket.destroy()), SILENCE_MS);
    // A connection becomes idle when its answer is out; Node keeps it open then, waiting for the next question.
    const idle = setInterval(() => this.#server.closeIdleConnections(), 25);
    const over = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(silent);
    clearInterval(idle);
    clearTimeout(over);
  }
}

function secureContext({ certificate, key, clientCa }: ServerCertificate): SecureContextOptions {
  return { cert: certificate, key, minVersion: 'TLSv1.2', ...(clientCa === undefined ? {} : { ca: [...clientCa] }) };
}

/** A client without a certificate, or with one that nobody vouches for, is let in as one who has to prove itself in another way; sign-in (platform/auth) looks at `authorized`. */
function askingFor({ clientCa }: ServerCertificate): { readonly requestCert: boolean; readonly rejectUnauthorized: boolean } {
  return clientCa === undefined ? { requestCert: false, rejectUnauthorized: true } : { requestCert: true, rejectUnauthorized: false };
}

function trustIn(certificate: ServerCertificate | undefined): string | undefined {
  return certificate?.clientCa === undefined ? undefined : trustOf(certificate.clientCa);
}

/** The client's end of a connection. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`;
}

/** What a client has sent by now is read by then; one that has not said anything will not. */
const SILENCE_MS = 250;

/** What OpenSSL calls the alert of a client that does not like our certificate. */
const UNTRUSTED: ReadonlySet<string> = new Set(['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME']);

type Refusal = 400 | 408 | 431;

const REASONS: Readonly<Record<Refusal, string>> = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };

function statusOf(error: NodeJS.ErrnoException): Refusal {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 431;
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

function cannotListen(url: URL, error: NodeJS.ErrnoException): BridgeError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken by another program',
    EACCES: 'no right to open this port (below 1024: give CAP_NET_BIND_SERVICE or use a proxy)',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  const code = codeOf(error);
  return new BridgeError('CONFIGURATION', `cannot listen on ${url.origin}: ${why[code] ?? code}`, { cause: error });
}
