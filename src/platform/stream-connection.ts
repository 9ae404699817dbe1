import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { tlsTo } from './server-tls.ts';

/** Where a protocol that is not HTTP is spoken, and how long each step may take. */
export interface StreamTarget {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Opens a TCP connection.
 *
 * @throws Error with the system's code: ECONNREFUSED, ENOTFOUND, ETIMEDOUT (nobody answered in time), ABORT_ERR (the signal fired)
 */
export async function openStream({ host, port, timeoutMs, signal }: StreamTarget): Promise<Socket> {
  const socket = connectTcp({ host, port, noDelay: true, keepAlive: true });
  return established(socket, 'connect', timeoutMs, signal);
}

/**
 * Goes on in TLS on an open connection. Chain and name are always verified; the name is the target's host.
 *
 * @param ca PEM; replaces Node's own authorities
 * @throws Error with the code of TLS or of the certificate, ETIMEDOUT, ABORT_ERR; the connection is closed then
 */
export async function secureStream(socket: Socket, { host, timeoutMs, signal }: StreamTarget, ca: readonly string[] | undefined): Promise<TLSSocket> {
  // SNI takes names only; an address is compared with the certificate all the same, by `host`.
  const secure = connectTls({ socket, host, ...tlsTo({ ca }), ...(isIP(host) === 0 ? { servername: host } : {}) });
  // Who hears of it is whoever waits for the handshake: it fails with the connection.
  socket.on('error', () => undefined);
  return established(secure, 'secureConnect', timeoutMs, signal);
}

function established<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', timeoutMs: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.off(event, done).off('close', closed);
      if (error === undefined) resolve(socket);
      else {
        socket.destroy();
        reject(error);
      }
    };
    const done = (): void => {
      socket.off('error', end);
      end();
    };
    // `end` stays as the listener for what a destroyed socket may still say.
    const stop = (): void => end(coded('ABORT_ERR', 'nobody waits any more'));
    const closed = (): void => end(coded('ECONNRESET', 'closed before it was ready'));
    const timer = setTimeout(() => end(coded('ETIMEDOUT', 'no answer in time')), timeoutMs);
    socket.once(event, done).on('error', end).once('close', closed);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function coded(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
