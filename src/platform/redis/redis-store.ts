import type { Cluster, Redis } from 'ioredis';

/** Where a configured Redis is, secrets revealed: the URLs may carry credentials and are never shown. */
export type RedisTarget =
  | { readonly kind: 'single'; /** redis:// or rediss:// */ readonly url: string }
  | { readonly kind: 'sentinels'; /** The master's name. */ readonly name: string; readonly nodes: readonly string[] }
  | { readonly kind: 'cluster'; readonly nodes: readonly string[] };

/** A connection of ioredis. Whoever makes one listens to its `error`, so it can be used without a further thought. */
export type RedisConnection = Redis | Cluster;

/** One line of `check`; the same shape as a calendar system's finding. */
export interface StoreFinding {
  readonly step: string;
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly text: string;
  readonly advice?: string;
}

/** The Redis behind replication: a configured one, a private child process, or one inside this process. */
export interface RedisStore {
  readonly kind: 'configured' | 'private' | 'embedded';
  /** One line for the log and `check`: which one runs and what it promises. */
  readonly promise: string;
  /**
   * For commands that must fail soon while Redis is away: they reject at once where there is no connection, and after LIMITS.storeTimeoutMs where
   * nobody answers. It reconnects for ever. `storeUnavailable` turns what it throws into a BridgeError.
   */
  readonly commands: RedisConnection;
  /** A new connection as a BullMQ Worker wants it: it waits and reconnects for ever. The store ends it at `close`. */
  blocking(): RedisConnection;
  /**
   * Resolves when everything that was answered before the call survives a kill -9 of the bridge.
   *
   * @throws BridgeError STORE_UNAVAILABLE (temporary) when it could not be written
   */
  durable(): Promise<void>;
  /** Most mailboxes that may wait; undefined: no bound. */
  readonly maxWaiting: number | undefined;
  /** Reachable, version, eviction, persistence. Never throws. */
  probe(): Promise<readonly StoreFinding[]>;
  /** Writes what is not written yet, ends every connection and what was started. May be called twice. */
  close(): Promise<void>;
}
