import { LIMITS } from '../../core/limits.ts';
import { DatagramSocket } from '../../platform/datagram-socket.ts';
import type { HostAddress } from '../../platform/host-addresses.ts';
import { openStream, secureStream } from '../../platform/stream-connection.ts';
import type { SipMessage } from './message.ts';
import { readDatagram, SipSyntaxError } from './read-message.ts';
import { StreamFramer } from './stream-framer.ts';

/** Where the server is and how it is spoken to. */
export interface SipServer {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

export interface ChannelReader {
  received(message: SipMessage): void;
  /** The channel is gone; called once at most. */
  ended(error: Error): void;
}

/** A way for messages to one address of the server and back. */
export interface SipChannel {
  readonly isReliable: boolean;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  /** Takes what comes; to be called at once, and once. */
  read(reader: ChannelReader): void;
  send(bytes: Buffer): void;
  /** The reader hears nothing any more. */
  close(): void;
}

/**
 * Opens a channel (RFC 3261 §18). What is no SIP is dropped as a datagram and ends a stream, where nobody could tell any more where the next message begins.
 *
 * @param ca PEM; with tls, replaces Node's own authorities; the certificate must name `server.host`
 * @throws Error with the system's or TLS's code
 */
export async function openChannel(server: SipServer, { address, family }: HostAddress, ca: readonly string[] | undefined, signal: AbortSignal): Promise<SipChannel> {
  const remote = { address, port: server.port };
  if (server.transport === 'udp') return datagramChannel(await DatagramSocket.open({ address, family, port: server.port }), remote);
  const target = { host: address, port: server.port, timeoutMs: LIMITS.connectTimeoutMs, signal };
  const plain = await openStream(target);
  if (server.transport === 'tcp') return streamChannel(plain, remote);
  return streamChannel(await secureStream(plain, { ...target, host: server.host }, ca), remote);
}

function datagramChannel(socket: DatagramSocket, remote: SipChannel['remote']): SipChannel {
  return {
    isReliable: false,
    local: socket.local,
    remote,
    read: (reader) =>
      socket.read({
        received: (datagram) => {
          const message = unlessBroken(() => readDatagram(datagram));
          if (message !== undefined) reader.received(message);
        },
        failed: (error) => reader.ended(error),
      }),
    send: (bytes) => socket.send(bytes),
    close: () => socket.close(),
  };
}

type StreamSocket = Awaited<ReturnType<typeof openStream>>;

function streamChannel(socket: StreamSocket, remote: SipChannel['remote']): SipChannel {
  const framer = new StreamFramer();
  let isOpen = true;
  return {
    isReliable: true,
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote,
    read: (reader) => {
      const end = (error: Error): void => {
        if (!isOpen) return;
        isOpen = false;
        socket.destroy();
        reader.ended(error);
      };
      socket.on('error', end).on('close', () => end(coded('ECONNRESET', 'closed')));
      socket.on('data', (chunk: Buffer) => {
        const messages = unlessBroken(() => framer.push(chunk));
        for (const message of messages ?? []) if (isOpen) reader.received(message);
        if (messages === undefined) end(coded('ERR_NO_SIP', 'what came is no SIP'));
      });
    },
    send: (bytes) => void (isOpen && socket.write(bytes)),
    close: () => {
      isOpen = false;
      socket.destroy();
    },
  };
}

function coded(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}

function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipSyntaxError) return undefined;
    throw error;
  }
}
