import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A way to a server that can be cut: what it lets through of each answer ends after so many octets. */
export class CutShort {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Infinity: everything passes. */
  octets = Infinity;
  /** Octets a second that it lets through to the client; Infinity: at once. */
  octetsPerSecond = Infinity;
  /** Connections that were cut. */
  cuts = 0;
  /** Connections that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  static async before(url: URL): Promise<CutShort> {
    const server = createServer();
    const cut = new CutShort(server);
    server.on('connection', (client) => cut.#join(client, connect(Number(url.port), url.hostname)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cut;
  }

  get url(): string {
    return `ldap://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    const end = (): void => {
      client.destroy();
      server.destroy();
      this.#sockets.delete(client);
    };
    this.#sockets.add(client);
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', (chunk: Buffer) => server.write(chunk));
    let passed = 0;
    server.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, this.octets - passed));
      passed += part.length;
      client.write(part);
      if (part.length < chunk.length) {
        this.cuts += 1;
        client.end();
        setTimeout(end, 20);
      } else if (this.octetsPerSecond !== Infinity) {
        server.pause();
        setTimeout(() => server.resume(), (1_000 * chunk.length) / this.octetsPerSecond);
      }
    });
  }
}
