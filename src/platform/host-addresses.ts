import { lookup } from 'node:dns/promises';
import { untilAborted } from '../core/until-aborted.ts';

export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The addresses of a name in the order in which the system would use them; an address is its own. The resolver cannot be stopped: where nobody waits any more, its answer is dropped.
 *
 * @throws Error with the resolver's code (ENOTFOUND, EAI_AGAIN); BridgeError DEADLINE
 */
export async function hostAddresses(host: string, timeoutMs: number, signal: AbortSignal): Promise<readonly HostAddress[]> {
  const found = await untilAborted(lookup(host, { all: true, verbatim: true }), signal, timeoutMs);
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}
