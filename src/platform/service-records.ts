import { Resolver } from 'node:dns/promises';
import { BridgeError } from '../core/errors.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { codeOf } from './http-client/connection-error.ts';

/** One DNS SRV record (RFC 2782). */
export interface ServiceRecord {
  /** Lower case, without a dot at its end. */
  readonly host: string;
  readonly port: number;
}

/**
 * The places of a service (`_autodiscover._tcp.corp.example`), the best first: by priority, then by weight. None where the name does not exist, and where
 * its owner says that there is no such service (a record that leads to the root). What DNS says is nobody's proof: whoever is found there must be trusted for another reason.
 *
 * @param servers name servers in place of the system's, `address:port`
 * @throws BridgeError BACKEND_UNREACHABLE (no name server answers), DEADLINE
 */
export async function serviceRecords(name: string, timeoutMs: number, signal: AbortSignal, servers?: readonly string[]): Promise<readonly ServiceRecord[]> {
  const resolver = new Resolver();
  if (servers !== undefined) resolver.setServers(servers);
  try {
    const records = await untilAborted(resolver.resolveSrv(name), signal, timeoutMs);
    return records
      .sort((a, b) => a.priority - b.priority || b.weight - a.weight)
      .map(({ name: host, port }) => ({ host: host.toLowerCase().replace(/\.$/, ''), port }))
      .filter(({ host }) => host !== '');
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    const reason = codeOf(error);
    if (NO_SUCH.has(reason)) return [];
    throw new BridgeError('BACKEND_UNREACHABLE', 'no name server answers', { temporary: true, cause: error, details: { reason } });
  } finally {
    // A name server that is silent is not waited for behind our back.
    resolver.cancel();
  }
}

const NO_SUCH: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'NOTFOUND', 'ENONAME']);
