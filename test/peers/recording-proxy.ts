import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands between two programs and keeps what they say. */
export interface RecordingProxy {
  readonly server: { readonly host: string; readonly port: number };
  /** All that the client has said. */
  sent(): string;
  /** All that the server has said. */
  received(): string;
  /** Cuts every connection; new ones are let through. */
  cut(): void;
  close(): Promise<void>;
}

export async function startRecordingProxy(target: { readonly host: string; readonly port: number }): Promise<RecordingProxy> {
  const [sent, received]: [Buffer[], Buffer[]] = [[], []];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const [from, to, record] of [[client, upstream, sent], [upstream, client, received]] as const) {
      open.add(from);
      from.on('error', () => undefined);
      from.on('data', (chunk: Buffer) => {
        record.push(chunk);
        to.write(chunk);
      });
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => open.forEach((socket) => socket.destroy());
  return {
    server: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    sent: () => Buffer.concat(sent).toString(),
    received: () => Buffer.concat(received).toString(),
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
