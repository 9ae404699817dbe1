import { hash } from 'node:crypto';
import { OwaServers } from './client-servers.ts';
import type { OwaServersOptions } from './client-servers.ts';

/** The servers of a system as one of its users has them. */
export interface OwaLease {
  readonly servers: OwaServers;
  /** The last of its users ends the connections. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * What asks, writes into and reads the directory of one Exchange shares its connections, its form logons and what is remembered of refused passwords: whoever opens the same
 * servers with the same account gets the same. Kept over a reload, logons outlive it.
 */
export class OwaConnections {
  readonly #open = new Map<string, { readonly servers: OwaServers; users: number }>();

  /** Clock and logger are those of who came first. */
  open(options: OwaServersOptions): OwaLease {
    const key = keyOf(options);
    const shared = this.#open.get(key) ?? { servers: new OwaServers(options), users: 0 };
    this.#open.set(key, shared);
    shared.users += 1;
    let isOver = false;
    return {
      servers: shared.servers,
      close: async () => {
        if (isOver) return;
        isOver = true;
        shared.users -= 1;
        if (shared.users > 0) return;
        this.#open.delete(key);
        await shared.servers.close();
      },
    };
  }
}

/** The servers of these options: shared where there are connections to share. */
export function leaseOf(options: OwaServersOptions, connections: OwaConnections | undefined): OwaLease {
  return (connections ?? new OwaConnections()).open(options);
}

function keyOf({ servers, auth, username, password, hosts, ca, nameCheck, minTlsVersion, concurrency }: OwaServersOptions): string {
  return hash('sha256', JSON.stringify([servers.map(({ href }) => href), auth, username, password, hosts, ca, nameCheck, minTlsVersion, concurrency]), 'hex');
}
