import { LIMITS } from '../core/limits.ts';
import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Interval } from '../freebusy/interval.ts';
import type { RedisConnection, RedisStore } from '../platform/redis/redis-store.ts';
import { storeUnavailable } from '../platform/redis/store-unavailable.ts';
import { parsedObject } from './failure-store.ts';
import { redisKey } from './redis-keys.ts';

/** What was last published of one mailbox. */
export interface Published {
  /** Of what was written; '' where nobody knows what the message holds (a write was begun): equal to no digest. */
  readonly digest: string;
  /** The legacyExchangeDN under which the message lies. */
  readonly identity: string;
  /** What the message speaks about; after `invalidate`, what it spoke about before. */
  readonly window: Interval;
  readonly at: Instant;
}

/** Whose message an identity is: two home systems may be replicated into one Exchange. */
export interface Owner {
  /** Name of the home system. */
  readonly from: string;
  readonly mailbox: MailboxAddress;
}

/** Takes a field away only from the value that was named; nobody else's. */
const RELEASE = `if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end return 0`;

/** The route that a store is about. */
export interface PublishedRoute {
  /** `[a-z0-9-]` */
  readonly key: string;
  /** Name of the home system. */
  readonly from: string;
  /** Name of the system that is written into: all routes into it share one list of owners. */
  readonly to: string;
}

/**
 * What was last published on one route. Digests lie in a hash of their own, so that forgetting one is one command that cannot stop half way.
 *
 * Every method throws BridgeError STORE_UNAVAILABLE (temporary) while Redis is away. What cannot be read back counts as absent: the
 * message is then written again.
 */
export class PublishedStore {
  readonly #store: RedisStore;
  readonly #records: string;
  readonly #digests: string;
  readonly #owners: string;
  readonly #from: string;

  constructor(store: RedisStore, { key, from, to }: PublishedRoute) {
    this.#store = store;
    this.#records = redisKey('published', key);
    this.#digests = redisKey('digests', key);
    this.#owners = redisKey('owners', Buffer.from(to).toString('hex'));
    this.#from = from;
  }

  async read(mailbox: MailboxAddress): Promise<Published | undefined> {
    return this.#asking(async (redis) => {
      const [record, digest] = await Promise.all([redis.hget(this.#records, mailbox), redis.hget(this.#digests, mailbox)]);
      return record === null ? undefined : parsePublished(record, digest ?? '');
    });
  }

  /** Durably forgets the digest (and keeps the identity) before a write, so that a crash in between can never leave a digest that Exchange does not have. */
  async invalidate(mailbox: MailboxAddress): Promise<void> {
    await this.#asking(async (redis) => {
      await redis.hdel(this.#digests, mailbox);
      // Even where there was none: one that was forgotten a moment ago, without being written out, would rise again.
      await this.#store.durable();
    });
  }

  /** A crash soon afterwards may lose it; then the same is written once more. */
  async write(mailbox: MailboxAddress, { digest, identity, window, at }: Published): Promise<void> {
    const record = JSON.stringify({ i: identity, s: window.start, e: window.end, a: at });
    await this.#asking(async (redis) => Promise.all([redis.hset(this.#records, mailbox, record), redis.hset(this.#digests, mailbox, digest)]));
  }

  async forget(mailbox: MailboxAddress): Promise<void> {
    await this.#asking(async (redis) => Promise.all([redis.hdel(this.#records, mailbox), redis.hdel(this.#digests, mailbox)]));
  }

  /** Everybody with a record, page by page, in no order. A mailbox that is written meanwhile may come twice or not at all. */
  async *mailboxes(): AsyncIterable<readonly MailboxAddress[]> {
    let cursor = '0';
    do {
      const [next, fields] = await this.#asking((redis) => redis.hscan(this.#records, cursor, 'COUNT', LIMITS.recordsPerPage));
      cursor = next;
      const page = fields.filter((_, index) => index % 2 === 0) as MailboxAddress[];
      if (page.length > 0) yield page;
    } while (cursor !== '0');
  }

  /**
   * Claims an identity for a mailbox, durably; of two that claim at the same time one gets it.
   *
   * @param identity a legacyExchangeDN, compared without case
   * @returns who has it: `mailbox` itself where it went well
   */
  async claim(identity: string, mailbox: MailboxAddress): Promise<Owner> {
    return this.#asking(async (redis) => {
      const mine = { from: this.#from, mailbox };
      const name = identity.toLowerCase();
      const [isNew, owner] = await Promise.all([redis.hsetnx(this.#owners, name, encodeOwner(mine)), redis.hget(this.#owners, name)]);
      if (isNew === 1) {
        await this.#store.durable();
        return mine;
      }
      // Released in between: whoever comes next finds it free.
      if (owner === null) return this.claim(identity, mailbox);
      if (owner.includes(SEPARATOR)) return decodeOwner(owner);
      // Not written by us: it names nobody.
      await redis.hdel(this.#owners, name);
      return this.claim(identity, mailbox);
    });
  }

  /** Who claimed an identity, on whichever route into the system; undefined where nobody has. */
  async ownerOf(identity: string): Promise<Owner | undefined> {
    return this.#asking(async (redis) => {
      const text = await redis.hget(this.#owners, identity.toLowerCase());
      return text === null ? undefined : decodeOwner(text);
    });
  }

  /** Gives an identity up; nothing happens where it is another's. */
  async release(identity: string, owner: Owner): Promise<void> {
    await this.#asking((redis) => redis.eval(RELEASE, 1, this.#owners, identity.toLowerCase(), encodeOwner(owner)));
  }

  async #asking<T>(work: (redis: RedisConnection) => Promise<T>): Promise<T> {
    try {
      return await work(this.#store.commands);
    } catch (thrown) {
      throw storeUnavailable(thrown);
    }
  }
}

function parsePublished(record: string, digest: string): Published | undefined {
  const { i, s, e, a } = parsedObject(record);
  if (typeof i !== 'string' || typeof s !== 'number' || typeof e !== 'number' || typeof a !== 'number' || !(s < e)) return undefined;
  return { digest, identity: i, window: { start: s, end: e }, at: a };
}

/** In no address and in no system's name. */
const SEPARATOR = '\n';

function encodeOwner({ from, mailbox }: Owner): string {
  return `${from}${SEPARATOR}${mailbox}`;
}

function decodeOwner(text: string): Owner {
  const at = text.indexOf(SEPARATOR);
  return { from: text.slice(0, Math.max(0, at)), mailbox: text.slice(at + 1) as MailboxAddress };
}
