import { setMaxListeners } from 'node:events';
import { Agent } from 'undici';
import type { Agent as AgentTypes, buildConnector } from 'undici';
import { LIMITS } from '../../core/limits.ts';
import { tlsTo } from '../server-tls.ts';
import type { HttpClientOptions } from './http-client.ts';

/**
 * How connections are made; certificates are verified, whatever the environment says.
 *
 * @param ended takes them all down. undici's own `destroy` knows only those that have been made: a handshake that stalls would stay until the connect timeout
 */
export function connectOptions(options: HttpClientOptions, ended: AbortSignal): buildConnector.BuildOptions {
  // Every connection listens to it.
  setMaxListeners(0, ended);
  return { ...tlsTo(options), timeout: LIMITS.connectTimeoutMs, signal: ended };
}

/** What every connection has. */
export const CONNECTION = {
  keepAliveTimeout: LIMITS.upstreamKeepAliveMs,
  keepAliveMaxTimeout: LIMITS.upstreamKeepAliveMs,
  pipelining: 1,
  // The caller's signal is the deadline; these two only catch what forgot one.
  headersTimeout: 120_000,
  bodyTimeout: 120_000,
} as const satisfies AgentTypes.Options;

/** How many there are at most. Where turns are taken they are the bound: nobody waits a second time inside. */
export function connectionsOf({ load }: HttpClientOptions): number {
  return load === undefined ? LIMITS.connectionsPerBackend : LIMITS.mostRequestsPerBackEnd;
}

/** A pool of connections by these options. @param ended as in connectOptions */
export function newAgent(options: HttpClientOptions, ended: AbortSignal): Agent {
  return new Agent({ ...CONNECTION, connect: connectOptions(options, ended), connections: connectionsOf(options) });
}
