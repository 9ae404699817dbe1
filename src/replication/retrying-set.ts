import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { RedisConnection } from '../platform/redis/redis-store.ts';
import { redisKey } from './redis-keys.ts';

/** The mailboxes of one route whose last try failed and that are tried again, by the time at which their oldest change was stored. */
export class RetryingSet {
  readonly #key: string;

  constructor(key: string) {
    this.#key = redisKey('retrying', key);
  }

  async put(redis: RedisConnection, mailbox: MailboxAddress, storedAt: Instant): Promise<void> {
    await redis.zadd(this.#key, storedAt, mailbox);
  }

  async remove(redis: RedisConnection, mailboxes: readonly MailboxAddress[]): Promise<void> {
    if (mailboxes.length > 0) await redis.zrem(this.#key, ...mailboxes);
  }

  async count(redis: RedisConnection): Promise<number> {
    return redis.zcard(this.#key);
  }

  /** The oldest first. @param most at most so many; all of them without it */
  async oldest(redis: RedisConnection, most?: number): Promise<readonly { readonly mailbox: MailboxAddress; readonly storedAt: Instant }[]> {
    const flat = await redis.zrange(this.#key, 0, String(most === undefined ? -1 : most - 1), 'WITHSCORES');
    return flat.flatMap((mailbox, index) => (index % 2 === 0 ? [{ mailbox: mailbox as MailboxAddress, storedAt: Number(flat[index + 1]) }] : []));
  }
}
