import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A connection that says what it is told, octet by octet, and keeps what comes back. Its BER is of its own: the face's must not judge itself. */
export class RawClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  readonly closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    this.closed = once(socket, 'close');
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  say(...bytes: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get receivedBytes(): number {
    return this.#received.length + this.#socket.readableLength;
  }

  /** Tag, message id and result code of each whole message so far; the code is -1 for an entry. */
  messages(): readonly { readonly id: number; readonly tag: number; readonly code: number; readonly text: string }[] {
    const found: { id: number; tag: number; code: number; text: string }[] = [];
    for (let at = 0; ; ) {
      const message = element(this.#received, at);
      if (message === undefined || message.end > this.#received.length) return found;
      const id = element(this.#received, message.start)!;
      const operation = element(this.#received, id.end)!;
      const first = element(this.#received, operation.start);
      found.push({
        id: this.#received.readUIntBE(id.start, id.end - id.start),
        tag: this.#received[id.end]!,
        code: first !== undefined && this.#received[operation.start] === 0x0a ? this.#received[first.start]! : -1,
        text: this.#received.toString('latin1', message.start, message.end),
      });
      at = message.end;
    }
  }

  /** Waits until so many messages are there. */
  async until(count: number): Promise<ReturnType<RawClient['messages']>> {
    for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 5))) {
      const messages = this.messages();
      if (messages.length >= count) return messages;
    }
    throw new Error(`only ${this.messages().length} of ${count} messages came`);
  }

  end(): void {
    this.#socket.destroy();
  }
}

function element(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  if (at + 2 + octets > bytes.length) return undefined;
  return { start: at + 2 + octets, end: at + 2 + octets + bytes.readUIntBE(at + 2, octets) };
}

export function tlv(tag: number, ...content: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)));
  const { length } = body;
  const head = length < 0x80 ? [length] : length < 0x1_0000 ? [0x82, length >> 8, length & 0xff] : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

export const request = (id: number, operation: Buffer, ...controls: readonly Buffer[]): Buffer =>
  tlv(0x30, tlv(2, Buffer.of(id)), operation, ...(controls.length === 0 ? [] : [tlv(0xa0, ...controls)]));
export const bindRequest = (name: string, password: string, version = 3): Buffer => tlv(0x60, tlv(2, Buffer.of(version)), tlv(4, name), tlv(0x80, password));
export const searchRequest = (base: string, scope: number, filter: Buffer, attributes: readonly string[] = [], sizeLimit = 0, timeLimit = 0): Buffer =>
  tlv(0x63, tlv(4, base), tlv(0x0a, Buffer.of(scope)), tlv(0x0a, Buffer.of(0)), tlv(2, Buffer.of(sizeLimit)), tlv(2, Buffer.of(timeLimit)), tlv(1, Buffer.of(0)), filter, tlv(0x30, ...attributes.map((one) => tlv(4, one))));
export const PRESENT = tlv(0x87, 'objectClass');
export const control = (type: string, isCritical: boolean, value?: Buffer): Buffer => tlv(0x30, tlv(4, type), tlv(1, Buffer.of(isCritical ? 0xff : 0)), ...(value === undefined ? [] : [tlv(4, value)]));
export const paged = (size: number, cookie: Buffer | string = ''): Buffer => control('1.2.840.113556.1.4.319', false, tlv(0x30, tlv(2, Buffer.of(size)), tlv(4, cookie)));
