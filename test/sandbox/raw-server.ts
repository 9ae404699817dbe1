import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface RawServer {
  readonly host: string;
  readonly url: string;
  /** Everything that came in, byte for byte, in the order in which it came. */
  received(): string;
  readonly connections: () => number;
  close(): Promise<void>;
}

/** A server that logs bytes and answers each complete request with the next of the prepared answers. */
export async function startRawServer(answers: readonly string[]): Promise<RawServer> {
  let bytes = '';
  let connections = 0;
  let answered = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    let pending = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (part: Buffer) => {
      bytes += part.toString('latin1');
      pending += part.toString('latin1');
      const head = pending.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0);
      if (head === -1 || pending.length < head + 4 + length) return;
      pending = pending.slice(head + 4 + length);
      socket.write(answers[answered++] ?? 'HTTP/1.1 500 No More Answers\r\nContent-Length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    received: () => bytes,
    connections: () => connections,
    close: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    }),
  };
}

export function rawAnswer(status: string, headers: readonly string[], body = ''): string {
  return [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n');
}
