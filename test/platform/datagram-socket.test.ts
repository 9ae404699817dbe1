import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { DatagramSocket } from '../../src/platform/datagram-socket.ts';
import { hostAddresses } from '../../src/platform/host-addresses.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function bound(): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

describe('a datagram socket', () => {
  it('sends to its address, and hears nobody else', async () => {
    const [peer, stranger] = [await bound(), await bound()];
    open.push(peer, stranger);
    const socket = await DatagramSocket.open({ address: '127.0.0.1', family: 4, port: peer.address().port });
    open.push(socket);
    expect(socket.local.address).toBe('127.0.0.1');
    const heard = new Promise<string>((resolve, reject) => socket.read({ received: (datagram) => resolve(datagram.toString()), failed: reject }));
    peer.on('message', () => {
      // The stranger's comes first, if it comes at all.
      stranger.send('stranger', socket.local.port, '127.0.0.1', () => peer.send('peer', socket.local.port, '127.0.0.1'));
    });
    socket.send(Buffer.from('hello'));
    expect(await heard).toBe('peer');
  });

  it('hears that nobody listens, once, and is closed then', async () => {
    const peer = await bound();
    const { port } = peer.address();
    await new Promise<void>((resolve) => peer.close(resolve));
    const socket = await DatagramSocket.open({ address: '127.0.0.1', family: 4, port });
    const failures: string[] = [];
    await new Promise<void>((resolve) => {
      socket.read({
        received: () => undefined,
        failed: (error) => {
          failures.push((error as NodeJS.ErrnoException).code ?? '');
          resolve();
        },
      });
      socket.send(Buffer.from('hello'));
      socket.send(Buffer.from('hello'));
    });
    socket.send(Buffer.from('hello'));
    socket.close();
    expect(failures).toEqual(['ECONNREFUSED']);
  });

  it('fails for what is no address', async () => {
    await expect(DatagramSocket.open({ address: '192.0.2.300', family: 4, port: 9 })).rejects.toThrow();
  });
});

describe('the addresses of a host', () => {
  it('of an address are itself; a name that is none fails with its code', async () => {
    const { signal } = new AbortController();
    expect(await hostAddresses('127.0.0.1', 5_000, signal)).toEqual([{ address: '127.0.0.1', family: 4 }]);
    expect(await hostAddresses('::1', 5_000, signal)).toEqual([{ address: '::1', family: 6 }]);
    await expect(hostAddresses('nowhere.invalid', 15_000, signal)).rejects.toMatchObject({ code: expect.stringMatching(/^E|DEADLINE/) as string });
  });

  it('are not waited for when nobody waits', async () => {
    await expect(hostAddresses('localhost', 5_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});
