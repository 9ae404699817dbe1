import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';

/** By whom the certificates of a connection's client were vouched for, when it was made: its client may be known to a configuration only while that trusts the same authorities. */
const trusts = new WeakMap<Socket, string>();

/** The same for the same authorities. @param authorities PEM certificates */
export function trustOf(authorities: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(authorities)).digest('base64');
}

export function rememberTrust(socket: Socket, trust: string): void {
  trusts.set(socket, trust);
}

/** Undefined for a connection that was never asked for a certificate. */
export function trustOfConnection(socket: Socket): string | undefined {
  return trusts.get(socket);
}
