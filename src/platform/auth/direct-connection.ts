import type { IncomingMessage } from 'node:http';
import { plainAddress } from '../http-server/request-scope.ts';
import { AddressSet } from './address-set.ts';

/** Written by whoever passes requests on; a client that writes one itself only loses a way to sign in. */
const PASSED_ON = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-server', 'x-real-ip'] as const;

const LOOPBACK = new AddressSet(['127.0.0.0/8', '::1']);

/**
 * Whether the connection is the client's own and nobody on the way reads it: TLS to us, or both ends on this machine, and no
 * sign of a proxy, which would give one connection to many clients.
 *
 * @param proxies addresses that pass requests on
 */
export function isDirectConnection({ socket, headers }: IncomingMessage, proxies: AddressSet): boolean {
  const remote = plainAddress(socket.remoteAddress ?? '');
  if (PASSED_ON.some((name) => headers[name] !== undefined) || proxies.has(remote)) return false;
  const isTls = 'encrypted' in socket && socket.encrypted === true;
  return isTls || (LOOPBACK.has(remote) && LOOPBACK.has(plainAddress(socket.localAddress ?? '')));
}
