import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether the Host that a request names is ours: an address or localhost, which can be nobody else's name, or one of `names` (lower case).
 * A web page in somebody's browser can make another name of its own lead here.
 */
export function isOwnHost(request: IncomingMessage, names: readonly string[]): boolean {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return host === 'localhost' || isIP(host) !== 0 || names.includes(host);
}
