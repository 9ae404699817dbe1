import type { Listener } from './config.ts';

/** Where a listener is to listen: `https://[::]:8443`. */
export function listenerUrl({ protocol, host, port }: Listener): string {
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
