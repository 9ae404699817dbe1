import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

/** Who takes what comes; `failed` is the end, and is called once at most. */
export interface DatagramReader {
  received(datagram: Buffer): void;
  failed(error: Error): void;
}

/** Bursts of answers wait here while the event loop is busy; the system's own 200 KB hold about a hundred. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** A UDP socket to one address: nothing from anywhere else comes through it, and that nobody listens there is heard of. */
export class DatagramSocket {
  readonly local: { readonly address: string; readonly port: number };
  readonly #socket: Socket;
  #reader: DatagramReader | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { address, port };
    socket.on('message', (datagram) => this.#reader?.received(datagram));
    socket.on('error', (error) => this.#fail(error));
  }

  /** @param target an address, not a name. @throws Error with the system's code */
  static async open(target: { readonly address: string; readonly family: 4 | 6; readonly port: number }): Promise<DatagramSocket> {
    const socket = createSocket({ type: target.family === 4 ? 'udp4' : 'udp6' });
    try {
      await new Promise<void>((resolve, reject) => {
        // Not by its callback, which Node calls after a failure too.
        socket.once('error', reject).once('connect', () => {
          socket.off('error', reject);
          resolve();
        });
        socket.connect(target.port, target.address);
      });
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      return new DatagramSocket(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Takes what comes from now on. */
  read(reader: DatagramReader): void {
    this.#reader = reader;
  }

  /** Sends; that it arrives nobody says. An error of the system (refused, too large) is heard by the reader. */
  send(datagram: Uint8Array): void {
    if (this.#reader !== undefined) this.#socket.send(datagram, (error) => error !== null && this.#fail(error));
  }

  /** Safe to call twice; the reader hears nothing any more. */
  close(): void {
    if (this.#reader === undefined) return;
    this.#reader = undefined;
    this.#socket.close();
  }

  #fail(error: Error): void {
    const reader = this.#reader;
    this.close();
    reader?.failed(error);
  }
}
