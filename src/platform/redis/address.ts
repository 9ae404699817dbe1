import { isIP } from 'node:net';
import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisTarget } from './redis-store.ts';

/** A configured Redis, or our own by its unix socket. */
export type RedisAddress = RedisTarget | { readonly kind: 'socket'; readonly path: string };

/** Host, port, credentials, data base and TLS of one redis:// or rediss:// URL; what stands behind `?` is not read: the bridge sets its own options. */
export function nodeOf(url: string, defaultPort = 6379): RedisOptions & { readonly host: string; readonly port: number } {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: port === '' ? defaultPort : Number(port),
    // 0: whichever of IPv4 and IPv6 answers.
    family: 0,
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 ? { db: Number(pathname.slice(1)) } : {}),
    // Verified against the usual authorities (NODE_EXTRA_CA_CERTS adds one's own) and the host's name.
    ...(protocol === 'rediss:' ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
  };
}

/** Options that reach a single server, our own, or the master that the sentinels name. */
export function singleOptions(address: Exclude<RedisAddress, { kind: 'cluster' }>): RedisOptions {
  switch (address.kind) {
    case 'socket':
      return { path: address.path };
    case 'single':
      return nodeOf(address.url);
    case 'sentinels': {
      const nodes = address.nodes.map((url) => nodeOf(url, 26379));
      // One URL has room for one pair of credentials: the first node's are for the sentinels and for the master.
      const { username, password, db, tls } = nodes[0] ?? {};
      return {
        sentinels: nodes.map(({ host, port }) => ({ host, port })),
        name: address.name,
        ...(username === undefined ? {} : { username, sentinelUsername: username }),
        ...(password === undefined ? {} : { password, sentinelPassword: password }),
        ...(db === undefined ? {} : { db }),
        // A master is named by its address and sentinels by theirs: each host's own name is verified.
        ...(tls === undefined ? {} : { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
      };
    }
  }
}

/** The nodes of a cluster and what their connections share; the first URL's credentials are everybody's. */
export function clusterOptions(nodes: readonly string[]): { readonly nodes: ClusterNode[]; readonly redisOptions: Pick<RedisOptions, 'username' | 'password' | 'tls'>; readonly options: ClusterOptions } {
  const parsed = nodes.map((url) => nodeOf(url));
  const { username, password, tls } = parsed[0] ?? {};
  return {
    nodes: parsed.map(({ host, port }) => ({ host, port })),
    redisOptions: { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }), ...(tls === undefined ? {} : { tls: {} }) },
    // Names must stay names, or certificates would be held against addresses.
    options: tls === undefined ? {} : { dnsLookup: (host, done) => done(null, host) },
  };
}

/** Where it is, for people: no credentials. */
export function shownAddress(address: RedisAddress): string {
  switch (address.kind) {
    case 'socket':
      return address.path;
    case 'single':
      return shownNode(address.url);
    case 'sentinels':
      return `${address.name} of the sentinels ${address.nodes.map((url) => shownNode(url, 26379)).join(', ')}`;
    case 'cluster':
      return `the cluster ${address.nodes.map((url) => shownNode(url)).join(', ')}`;
  }
}

function shownNode(url: string, defaultPort?: number): string {
  const { host, port } = nodeOf(url, defaultPort);
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
