import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIP } from 'node:net';

/** Where a client wants to be called: `httpu://machine:port/path`. */
export interface CallBack {
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** The port is mandatory (presence.md §B.4). Undefined for what is no such address. */
export function readCallBack(text: string): CallBack | undefined {
  const parts = /^httpu:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d{1,5})(\/[\x21-\x7e]*)?$/i.exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port < 1 || port > 65_535) return undefined;
  return { url: text, host: parts[1]!.replace(/^\[|\]$/g, ''), port };
}

/** Sends datagrams and hears nothing. */
export interface Notifier {
  /** @param ids of subscriptions; none: unsolicited */
  send(to: CallBack, ids: readonly number[]): void;
  close(): void;
}

export function createNotifier(): Notifier {
  const sockets = new Map<'udp4' | 'udp6', Socket>();
  const socketFor = (host: string): Socket => {
    const family = isIP(host) === 6 ? 'udp6' : 'udp4';
    let socket = sockets.get(family);
    if (socket === undefined) {
      socket = createSocket(family);
      // Nobody there, no such name: a datagram is lost without a word.
      socket.on('error', () => undefined);
      socket.unref();
      sockets.set(family, socket);
    }
    return socket;
  };
  return {
    send({ url, host, port }, ids) {
      const lines = [`NOTIFY ${url} HTTP/1.1`, ...(ids.length === 0 ? [] : [`Subscription-id: ${ids.join(',')}`]), '', ''];
      socketFor(host).send(Buffer.from(lines.join('\r\n'), 'latin1'), port, host, () => undefined);
    },
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}
