/** Everything replication keeps in Redis begins with this; the braces put it on one shard of a cluster. */
export const REDIS_PREFIX = '{freebusy-bridge}';

/**
 * A key of our own beside BullMQ's: `{freebusy-bridge}/published/zimbra-exchange`. BullMQ joins its own with a colon, so the two never meet
 * (it has a `failed` of its own).
 */
export function redisKey(kind: string, key?: string): string {
  return key === undefined ? `${REDIS_PREFIX}/${kind}` : `${REDIS_PREFIX}/${kind}/${key}`;
}
