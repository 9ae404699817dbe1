import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface StreamedEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** Reads a text/event-stream off a socket by the rules of the HTML Living Standard §9.2.6; written without our encoder. */
export class EventStreamClient {
  readonly #socket: Socket;
  readonly events: StreamedEvent[] = [];
  status = 0;
  headers: Readonly<Record<string, string>> = {};
  comments = 0;
  /** As EventSource keeps it, for Last-Event-ID. */
  lastEventId = '';
  isClosed = false;
  /** The body where it is no stream. */
  text = '';
  #raw = Buffer.alloc(0);
  #lines = '';
  #wake: () => void = () => undefined;
  #id: string | undefined;
  #event = '';
  #data: string[] = [];

  constructor(url: string, target: string, headers: Readonly<Record<string, string>> = {}) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.write(`GET ${target} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    this.#socket.on('data', (chunk) => {
      this.#raw = Buffer.concat([this.#raw, chunk]);
      this.#read();
      this.#wake();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** Resolves when it holds; fails when the test's time is over. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.isClosed) throw new Error(`closed after ${this.events.length} events, status ${this.status}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async answered(): Promise<void> {
    await this.until(() => this.status !== 0);
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Takes no more from the network. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(): void {
    if (this.status === 0) {
      const end = this.#raw.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first = '', ...lines] = this.#raw.toString('latin1', 0, end).split('\r\n');
      this.status = Number(first.split(' ')[1]);
      this.headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
      this.#raw = this.#raw.subarray(end + 4);
    }
    if (this.headers['transfer-encoding'] !== 'chunked') {
      this.text += this.#raw.toString('utf8');
      this.#raw = Buffer.alloc(0);
      return;
    }
    let at = 0;
    for (;;) {
      const line = this.#raw.indexOf('\r\n', at);
      if (line < 0) break;
      const size = Number.parseInt(this.#raw.toString('latin1', at, line), 16);
      if (this.#raw.length < line + 2 + size + 2) break;
      this.#lines += this.#raw.toString('utf8', line + 2, line + 2 + size);
      at = line + 2 + size + 2;
    }
    this.#raw = this.#raw.subarray(at);
    const lines = this.#lines.split('\n');
    this.#lines = lines.pop()!;
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    if (line === '') {
      if (this.#id !== undefined) this.lastEventId = this.#id;
      if (this.#data.length > 0) this.events.push({ id: this.#id, event: this.#event === '' ? 'message' : this.#event, data: JSON.parse(this.#data.join('\n')) as unknown });
      this.#id = undefined;
      this.#event = '';
      this.#data = [];
    } else if (line.startsWith(':')) this.comments += 1;
    else {
      const colon = line.indexOf(':');
      const [field, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
      if (field === 'id') this.#id = value;
      else if (field === 'event') this.#event = value;
      else if (field === 'data') this.#data.push(value);
    }
  }
}
