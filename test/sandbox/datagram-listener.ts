import { createSocket } from 'node:dgram';

export interface DatagramListener {
  readonly port: number;
  readonly datagrams: readonly string[];
  /** The next datagram that was not taken yet. */
  next(): Promise<string>;
  close(): Promise<void>;
}

export async function startDatagramListener(): Promise<DatagramListener> {
  const datagrams: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  let taken = 0;
  const socket = createSocket('udp4', (message) => {
    datagrams.push(message.toString('latin1'));
    if (waiting.length === 0) return;
    taken++;
    waiting.shift()!(datagrams.at(-1)!);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    port: socket.address().port,
    datagrams,
    next: () => (taken < datagrams.length ? Promise.resolve(datagrams[taken++]!) : new Promise((resolve) => waiting.push(resolve))),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
