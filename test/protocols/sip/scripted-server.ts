import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Pem } from '../../platform/certificates.ts';

/** A message as it came, read by a few patterns and not by our code. */
export interface SeenMessage {
  readonly text: string;
  /** `PUBLISH sip:… SIP/2.0`, `SIP/2.0 200 OK` */
  readonly start: string;
  readonly body: string;
  header(name: string): string | undefined;
}

export interface ScriptedServer {
  readonly server: { readonly host: '127.0.0.1'; readonly port: number; readonly transport: 'udp' | 'tcp' | 'tls' };
  /** All requests and responses of the client, repeated ones too. */
  readonly seen: readonly SeenMessage[];
  /** Waits until so many messages that match have come; gives the last of them. */
  sees(what: (message: SeenMessage) => boolean, count?: number): Promise<SeenMessage>;
  /** To the client that spoke last. */
  send(bytes: string | Buffer): void;
  /** Streams: ends the connections; the server goes on. */
  hangUp(): void;
  close(): Promise<void>;
}

/**
 * A SIP server that does what the test says: `answer` gives the responses to a request as whole texts (`reply` writes one), none where it stays silent.
 */
export async function scriptedServer(transport: 'udp' | 'tcp' | 'tls', answer: (request: SeenMessage) => readonly (string | Buffer)[] | Promise<readonly (string | Buffer)[]>, pem?: Pem): Promise<ScriptedServer> {
  const seen: SeenMessage[] = [];
  const waiting = new Set<() => void>();
  let send: (bytes: string | Buffer) => void = () => undefined;
  const take = async (text: string, sender: (bytes: string | Buffer) => void): Promise<void> => {
    send = sender;
    const message = seenMessage(text);
    seen.push(message);
    for (const look of waiting) look();
    if (!message.start.startsWith('SIP/2.0')) for (const response of await answer(message)) sender(response);
  };
  const sockets = new Set<Socket>();
  const opened = transport === 'udp' ? await udp(take) : await stream(transport === 'tls' ? pem : undefined, take, sockets);
  return {
    server: { host: '127.0.0.1', port: opened.port, transport },
    seen,
    sees: (what, count = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = seen.filter(what);
          if (found.length < count) return;
          waiting.delete(look);
          resolve(found.at(-1)!);
        };
        waiting.add(look);
        look();
      }),
    send: (bytes) => send(bytes),
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await opened.close();
    },
  };
}

/** A response to a request as text: its Vias, From, To with a tag, Call-ID and CSeq, and these headers. */
export function reply(request: SeenMessage, status: string, ...headers: readonly string[]): string {
  const copied = request.text.split('\r\n\r\n')[0]!.split('\r\n').filter((line) => /^(?:via|from|call-id|cseq):/i.test(line));
  return [`SIP/2.0 ${status}`, ...copied, `To: ${request.header('To')};tag=server`, ...headers, 'Content-Length: 0', '', ''].join('\r\n');
}

function seenMessage(text: string): SeenMessage {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  return { text, start, body, header: (name) => lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2) };
}

type Take = (text: string, sender: (bytes: string | Buffer) => void) => Promise<void>;

async function udp(take: Take): Promise<{ readonly port: number; close(): Promise<void> }> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => void take(datagram.toString(), (bytes) => socket.send(bytes, from.port, from.address)));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

async function stream(pem: Pem | undefined, take: Take, sockets: Set<Socket>): Promise<{ readonly port: number; close(): Promise<void> }> {
  const connected = (socket: Socket): void => {
    sockets.add(socket);
    let held = '';
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      held += chunk.toString();
      for (;;) {
        const [whole] = /^[\s\S]*?\r\n\r\n/.exec(held) ?? [];
        const length = Number(/^content-length: (\d+)/im.exec(whole ?? '')?.[1] ?? Number.NaN);
        if (whole === undefined || held.length < whole.length + length) return;
        const message = held.slice(0, whole.length + length);
        held = held.slice(message.length);
        void take(message, (bytes) => socket.write(bytes));
      }
    });
  };
  const server = pem === undefined ? createTcpServer(connected) : createTlsServer({ cert: pem.certificate, key: pem.key }, connected);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
