import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { LIMITS } from '../../core/limits.ts';
import type { NotificationPort } from '../../core/notification-port.ts';

/**
 * Calls a call-back port under the URL that it gives away, as Exchange would: shows that the name resolves and that nothing between here and there swallows it. Never throws.
 *
 * @returns undefined where it arrived, else why not, in one line
 */
export async function reachHttpu(port: NotificationPort, signal: AbortSignal): Promise<string | undefined> {
  const sign = randomBytes(8).toString('hex');
  let hear = (): void => undefined;
  let isHeard = false;
  const path = port.open((text) => {
    if (!text.includes(sign)) return undefined;
    isHeard = true;
    hear();
    return undefined;
  });
  try {
    const url = new URL(path.url);
    const datagram = `NOTIFY ${path.url} HTTP/1.1\r\nSubscription-Id: ${sign}\r\n\r\n`;
    for (let tries = 0; tries < LIMITS.httpuReach.tries && !signal.aborted && !isHeard; tries++) {
      const failure = await send(url, datagram);
      if (failure !== undefined) return failure;
      await new Promise<void>((resolve) => {
        hear = resolve;
        if (isHeard) resolve();
        setTimeout(resolve, LIMITS.httpuReach.waitMs);
      });
    }
    return isHeard ? undefined : `a datagram to ${url.hostname}:${url.port}/udp does not arrive`;
  } finally {
    path.close();
  }
}

async function send(url: URL, datagram: string): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    return await new Promise<string | undefined>((resolve) => {
      socket.once('error', (error) => resolve(`${host}: ${(error as NodeJS.ErrnoException).code ?? error.name}`));
      socket.send(datagram, Number(url.port), host, (error) => resolve(error === null ? undefined : `${host}: ${(error as NodeJS.ErrnoException).code ?? error.name}`));
    });
  } finally {
    socket.close();
  }
}
