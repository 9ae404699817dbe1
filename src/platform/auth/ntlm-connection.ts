import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A challenge that was sent and not answered yet, with the two messages that a MIC is made over. */
export interface PendingChallenge {
  readonly serverChallenge: Buffer;
  readonly negotiate: Buffer;
  readonly challenge: Buffer;
  /** Epoch ms. */
  readonly issuedAt: number;
}

/** Who has signed in on a connection. */
export interface ConnectionClient {
  readonly name: string;
  /** Changes with the client's user name or password, so that a connection does not outlive them. */
  readonly seal: Buffer;
}

/**
 * What a connection is in NTLM, which authenticates connections and not requests. Known by the socket alone, never by what a
 * client says, and gone with it. Outlives a reload: who was being challenged then may answer.
 */
interface NtlmConnection {
  pending?: PendingChallenge | undefined;
  client?: ConnectionClient | undefined;
}

const connections = new WeakMap<Socket, NtlmConnection>();

/** Begins anew: whoever was signed in here, and any challenge before this one, is forgotten. */
export function rememberChallenge({ socket }: IncomingMessage, pending: PendingChallenge): void {
  connections.set(socket, { pending });
}

/** The challenge to which an answer may be given, once: it is forgotten, and with it whoever was signed in. */
export function takeChallenge({ socket }: IncomingMessage): PendingChallenge | undefined {
  const pending = connections.get(socket)?.pending;
  connections.delete(socket);
  return pending;
}

/** From now on the connection is this client's, unless another handshake has begun on it meanwhile. */
export function rememberClient({ socket }: IncomingMessage, client: ConnectionClient): void {
  if (!connections.has(socket)) connections.set(socket, { client });
}

export function clientOfConnection({ socket }: IncomingMessage): ConnectionClient | undefined {
  return connections.get(socket)?.client;
}
