import type { FeedMemory } from '../freebusy/change-feed.ts';
import type { RedisStore } from '../platform/redis/redis-store.ts';
import { storeUnavailable } from '../platform/redis/store-unavailable.ts';
import { redisKey } from './redis-keys.ts';

const KEY = redisKey('feeds');

/** Keeps the feeds' places in Redis. Both methods throw BridgeError STORE_UNAVAILABLE (temporary) while it is away. */
export class RedisFeedMemory implements FeedMemory {
  readonly #store: RedisStore;

  constructor(store: RedisStore) {
    this.#store = store;
  }

  async load(key: string): Promise<string | undefined> {
    try {
      return (await this.#store.commands.hget(KEY, key)) ?? undefined;
    } catch (thrown) {
      throw storeUnavailable(thrown);
    }
  }

  async save(key: string, place: string): Promise<void> {
    try {
      await this.#store.commands.hset(KEY, key, place);
      await this.#store.durable();
    } catch (thrown) {
      throw storeUnavailable(thrown);
    }
  }
}
