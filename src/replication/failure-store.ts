import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
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

  async record(redis: RedisConnection, mailbox: MailboxAddress, { code, reason }: Pick<Failure, 'code' | 'reason'>, now: Instant, attempts: number): Promise<void> {
    const before = parseFailure(mailbox, (await redis.hget(this.#key, mailbox)) ?? '');
    const record = { c: code, r: reason, s: before?.since ?? now, l: now, n: (before?.attempts ?? 0) + attempts };
    await redis.hset(this.#key, mailbox, JSON.stringify(record));
    this.#noneAt = -Infinity;
  }

  /**
   * A turn succeeded. Where there are no failures at all, which is nearly always, Redis is asked once in LIMITS.noFailuresForMs only.
   */
  async clear(redis: RedisConnection, mailbox: MailboxAddress): Promise<void> {
    const now = performance.now();
    if (now - this.#noneAt < LIMITS.noFailuresForMs) return;
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

  /** The oldest first, at most so many. A record that cannot be read is left out. */
  async oldest(redis: RedisConnection, most: number): Promise<readonly Failure[]> {
    let oldest: readonly Failure[] = [];
    for await (const page of this.#pages(redis)) {
      // A page may hold what one before it held.
      const known = new Set(oldest.map(({ mailbox }) => mailbox));
      oldest = [...oldest, ...page.filter(({ mailbox }) => !known.has(mailbox))].sort((a, b) => a.since - b.since).slice(0, most);
    }
    return oldest;
  }

  /** All whose record can be read, each once. */
  async mailboxes(redis: RedisConnection): Promise<readonly MailboxAddress[]> {
    const all = new Set<MailboxAddress>();
    for await (const page of this.#pages(redis)) for (const { mailbox } of page) all.add(mailbox);
    return [...all];
  }

  /** Those of `mailboxes` that have failed, in their order. */
  async among(redis: RedisConnection, mailboxes: readonly MailboxAddress[]): Promise<readonly MailboxAddress[]> {
    if (mailboxes.length === 0) return [];
    const records = await redis.hmget(this.#key, ...mailboxes);
    return mailboxes.filter((_, index) => typeof records[index] === 'string');
  }

  /** Page after page: tens of thousands in one answer held the event loop for a quarter of a second. A record that changes meanwhile may come twice. */
  async *#pages(redis: RedisConnection): AsyncIterable<readonly Failure[]> {
    for (let cursor = '0'; ; ) {
      const [next, flat] = await redis.hscan(this.#key, cursor, 'COUNT', LIMITS.failuresPerPage);
      yield flat.flatMap((mailbox, index) => (index % 2 === 0 ? (parseFailure(mailbox as MailboxAddress, flat[index + 1] ?? '') ?? []) : []));
      if (next === '0') return;
      cursor = next;
    }
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
