import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { RedisFeedMemory } from '../../src/replication/feed-memory.ts';
import { PublishedStore } from '../../src/replication/published-store.ts';
import { CAN_REDIS, startRedis } from './redis-server.ts';
import type { TestRedis, TestStore } from './redis-server.ts';

const anna = parseMailboxAddress('anna@corp.example')!;
const bert = parseMailboxAddress('bert@corp.example')!;
const DN = '/o=Corp/ou=First/cn=Recipients/cn=Anna';
const ROUTE = { key: 'zimbra-exchange', from: 'zimbra', to: 'exchange' };
const ANNAS = { from: 'zimbra', mailbox: anna };
const WINDOW = { start: 1_795_000_000_000, end: 1_800_000_000_000 };
const PUBLISHED = { digest: 'abc', identity: DN, window: WINDOW, at: 1_795_300_000_000 };

describe.runIf(CAN_REDIS)('what was published, in Redis', () => {
  let redis: TestRedis;
  let store: TestStore;
  let published: PublishedStore;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.flush();
    store = await redis.store();
    published = new PublishedStore(store, ROUTE);
  });

  it('gives back what was written, to another process too, and nothing for others and on other routes', async () => {
    await published.write(anna, PUBLISHED);
    expect(await new PublishedStore(await redis.store(), ROUTE).read(anna)).toEqual(PUBLISHED);
    expect(await published.read(bert)).toBeUndefined();
    expect(await new PublishedStore(store, { ...ROUTE, key: 'other' }).read(anna)).toBeUndefined();
    await published.forget(anna);
    expect(await published.read(anna)).toBeUndefined();
  });

  it('invalidate forgets the digest, durably, and keeps the identity', async () => {
    await published.write(anna, PUBLISHED);
    const before = store.durables();
    await published.invalidate(anna);
    expect(store.durables()).toBe(before + 1);
    expect(await published.read(anna)).toEqual({ ...PUBLISHED, digest: '' });
  });

  it('invalidate is durable also where there was no digest: it may have been forgotten without being written out', async () => {
    await published.invalidate(anna);
    expect(store.durables()).toBe(1);
  });

  it.each(['', 'not json', '[]', 'null', '{"i":1}', '{"i":"x","s":5,"e":5,"a":1}', '{"i":"x","s":"5","e":6,"a":1}'])('what cannot be read counts as absent: %j', async (text) => {
    await published.write(anna, PUBLISHED);
    const [key] = await store.commands.keys('*/published/*');
    await store.commands.hset(key!, anna, text);
    expect(await published.read(anna)).toBeUndefined();
  });

  it('every key begins with the prefix, and one shard of a cluster has them all', async () => {
    await published.write(anna, PUBLISHED);
    await published.claim(DN, anna);
    await new RedisFeedMemory(store).save('zimbra', '1');
    const keys = await store.commands.keys('*');
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(key.startsWith('{freebusy-bridge}')).toBe(true);
  });

  it('lists everybody with a record, a page at a time', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => parseMailboxAddress(`u${index}@corp.example`)!);
    await Promise.all(many.map((one) => published.write(one, PUBLISHED)));
    const seen: MailboxAddress[] = [];
    let pages = 0;
    for await (const page of published.mailboxes()) {
      pages += 1;
      seen.push(...page);
    }
    expect(new Set(seen)).toEqual(new Set(many));
    expect(pages).toBeGreaterThan(1);
  });

  it('an identity has one owner, whatever its case; who has it says so', async () => {
    expect(await published.claim(DN, anna)).toEqual(ANNAS);
    expect(store.durables()).toBe(1);
    expect(await published.claim(DN.toUpperCase(), bert)).toEqual(ANNAS);
    expect(await published.claim(DN.toLowerCase(), anna)).toEqual(ANNAS);
    expect(await published.ownerOf(DN)).toEqual(ANNAS);
    expect(await published.ownerOf('/o=Other')).toBeUndefined();
  });

  it('of fifty that claim at the same time one gets it, and all hear who', async () => {
    const many = Array.from({ length: 50 }, (_, index) => parseMailboxAddress(`u${index}@corp.example`)!);
    // Routes from two homes into one Exchange claim the same messages.
    const other = new PublishedStore(store, { key: 'other-exchange', from: 'other', to: 'exchange' });
    const owners = await Promise.all(many.map((one, index) => (index % 2 === 0 ? published : other).claim(DN, one)));
    expect(new Set(owners.map(({ from, mailbox }) => `${from} ${mailbox}`)).size).toBe(1);
    expect(await new PublishedStore(store, { key: 'zimbra-second', from: 'zimbra', to: 'second' }).ownerOf(DN)).toBeUndefined();
  });

  it('what is not ours in the place of an owner keeps nobody out', async () => {
    await published.claim(DN, bert);
    const [key] = await store.commands.keys('*owners*');
    await store.commands.hset(key!, DN.toLowerCase(), 'somebody');
    expect(await published.claim(DN, anna)).toEqual(ANNAS);
  });

  it('release gives it up for the next, and takes it from nobody else', async () => {
    await published.claim(DN, anna);
    await published.release(DN, { ...ANNAS, mailbox: bert });
    await published.release(DN, { ...ANNAS, from: 'other' });
    expect(await published.ownerOf(DN)).toEqual(ANNAS);
    await published.release(DN.toUpperCase(), ANNAS);
    expect(await published.claim(DN, bert)).toEqual({ from: 'zimbra', mailbox: bert });
  });

  it('a feed finds its place again', async () => {
    const memory = new RedisFeedMemory(store);
    expect(await memory.load('zimbra:mail1')).toBeUndefined();
    await memory.save('zimbra:mail1', 'ws-1/44');
    expect(store.durables()).toBe(1);
    expect(await new RedisFeedMemory(store).load('zimbra:mail1')).toBe('ws-1/44');
  });

  it('says STORE_UNAVAILABLE, temporary, while Redis is away', async () => {
    await redis.kill();
    try {
      const refused = { code: 'STORE_UNAVAILABLE', temporary: true };
      const memory = new RedisFeedMemory(store);
      await expect(published.read(anna)).rejects.toMatchObject(refused);
      await expect(published.invalidate(anna)).rejects.toMatchObject(refused);
      await expect(published.write(anna, PUBLISHED)).rejects.toMatchObject(refused);
      await expect(published.forget(anna)).rejects.toMatchObject(refused);
      await expect(published.claim(DN, anna)).rejects.toMatchObject(refused);
      await expect(published.release(DN, ANNAS)).rejects.toMatchObject(refused);
      await expect(published.mailboxes()[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
      await expect(memory.save('a', 'b')).rejects.toMatchObject(refused);
      await expect(memory.load('a')).rejects.toMatchObject(refused);
    } finally {
      await redis.start();
    }
  });
});
