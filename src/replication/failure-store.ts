import type { Instant } from '../core/clock.ts';
import type { BridgeError } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { RedisConnection } from '../platform/redis/redis-store.ts';
import { redisKey } from './redis-keys.ts';

/** Why a mailbox is not tried any more. */
export interface Failure {
  readonly mailbox: MailboxAddress;
  readonly code: string;
  readonly reason: string;
  /** When it first failed. */
  readonly since: Instant;
  readonly lastAt: Instant;
  /** Tries so far, over all changes since it first failed. */
  readonly attempts: number;
}

/** Another process may have written one since. */
const NONE_FOR_MS = 1_000;

/**
 * The mailboxes of one route that are not tried any more, one record each, until a turn succeeds. They lie beside the queue, so that
 * they hold up nobody and a new change of such a mailbox is a change like any other.
 *
 * Rejects with whatever the connection says.
 */
export class FailureStore {
  readonly #key: string;
  /** When we last saw that there are none, by a clock that only goes forward. */
  #noneAt = -Infinity;

  constructor(key: string) {
    this.#key = redisKey('failed', key);
  }

  async record(redis: RedisConnection, mailbox: MailboxAddress, error: BridgeError, now: Instant, attempts: number): Promise<void> {
    const before = parseFailure(mailbox, (await redis.hget(this.#key, mailbox)) ?? '');
    const record = { c: error.code, r: error.publicMessage, s: before?.since ?? now, l: now, n: (before?.attempts ?? 0) + attempts };
    await redis.hset(this.#key, mailbox, JSON.stringify(record));
    this.#noneAt = -Infinity;
  }

  /**
   * A turn succeeded. Where there are no failures at all, which is nearly always, Redis is asked once a second: a command for each of
   * thousands of jobs cost a fifth of the rate (measured).
   */
  async clear(redis: RedisConnection, mailbox: MailboxAddress): Promise<void> {
    const now = performance.now();
    if (now - this.#noneAt < NONE_FOR_MS) return;
    await redis.hdel(this.#key, mailbox);
    if ((await this.count(redis)) === 0) this.#noneAt = now;
  }

  /** @returns how many there were */
  async remove(redis: RedisConnection, mailboxes: readonly MailboxAddress[] | 'all'): Promise<number> {
    if (mailboxes !== 'all') return mailboxes.length === 0 ? 0 : redis.hdel(this.#key, ...mailboxes);
    const [[, count] = []] = (await redis.multi().hlen(this.#key).del(this.#key).exec()) ?? [];
    return Number(count ?? 0);
  }

  async count(redis: RedisConnection): Promise<number> {
    return redis.hlen(this.#key);
  }

  /** All of them, the oldest first. A record that cannot be read is left out. */
  async all(redis: RedisConnection): Promise<readonly Failure[]> {
    const records = Object.entries(await redis.hgetall(this.#key));
    return records.flatMap(([mailbox, text]) => parseFailure(mailbox as MailboxAddress, text) ?? []).sort((a, b) => a.since - b.since);
  }

  /** Those of `mailboxes` that have failed, in their order. */
  async among(redis: RedisConnection, mailboxes: readonly MailboxAddress[]): Promise<readonly MailboxAddress[]> {
    if (mailboxes.length === 0) return [];
    const records = await redis.hmget(this.#key, ...mailboxes);
    return mailboxes.filter((_, index) => typeof records[index] === 'string');
  }
}

function parseFailure(mailbox: MailboxAddress, text: string): Failure | undefined {
  const { c, r, s, l, n } = parsedObject(text);
  if (typeof c !== 'string' || typeof r !== 'string' || typeof s !== 'number' || typeof l !== 'number' || typeof n !== 'number') return undefined;
  return { mailbox, code: c, reason: r, since: s, lastAt: l, attempts: n };
}

/** The fields of a JSON object; none where `text` is anything else. */
export function parsedObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
