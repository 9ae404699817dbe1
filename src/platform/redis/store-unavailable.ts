import { BridgeError } from '../../core/errors.ts';
import { codeOf } from '../http-client/connection-error.ts';

/** What a Redis that is away, full or silent means to the bridge. What ioredis threw is not kept: it holds the command's arguments, and those of AUTH are a password. */
export function storeUnavailable(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown;
  return new BridgeError('STORE_UNAVAILABLE', 'Redis is not available: nothing can be stored at the moment', { temporary: true, retryAfterMs: 5_000, details: { reason: reasonOf(thrown) } });
}

/** One word for the log, of a closed form (system code, first word of Redis' error, our own): never an argument or an address. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'UNKNOWN';
  const code = codeOf(thrown);
  if (code !== 'UNKNOWN') return code;
  // Cluster: "Failed to refresh slots cache", with the last node's own reason beside it.
  if ('lastNodeError' in thrown && thrown.lastNodeError !== undefined) return reasonOf(thrown.lastNodeError);
  const known = TEXTS.find(([pattern]) => pattern.test(thrown.message));
  if (known !== undefined) return known[1];
  return /^-?([A-Z][A-Z0-9]{2,24})\b/.exec(thrown.message)?.[1] ?? thrown.name;
}

/** ioredis 6 gives these without a code. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^Command timed out|^Socket timeout|ETIMEDOUT/, 'TIMEOUT'],
  [/isn't writeable|Connection is closed|max retries per request/, 'NOT_CONNECTED'],
  [/^All sentinels/, 'SENTINELS_UNREACHABLE'],
  [/slots cache|ClusterAllFailed|Cluster isn't ready/, 'CLUSTER_UNREACHABLE'],
];
