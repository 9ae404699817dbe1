import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { ChangeFeed, ChangeNotice } from '../../src/freebusy/change-feed.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusy } from '../../src/freebusy/free-busy.ts';
import type { SinkSystem } from '../../src/freebusy/sink.ts';
import { openRedis } from '../../src/platform/redis/open-redis.ts';
import type { RedisStore } from '../../src/platform/redis/redis-store.ts';
import { ReplicationAgent } from '../../src/replication/agent.ts';
import { KeyedLock } from '../../src/replication/keyed-lock.ts';

const KIM = 'kim@zimbra.example' as MailboxAddress;
const LEE = 'lee@zimbra.example' as MailboxAddress;
const STRANGER = 'nobody@zimbra.example' as MailboxAddress;

let folder: string;
let store: RedisStore;
let routes = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freebusy-agent-'));
  store = await openRedis(undefined, folder, { logger: silentLogger, prefer: 'embedded' });
}, 20_000);

afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** An agent between calendars and two sinks from memory, on the Redis inside the process. */
function world(excluded: readonly MailboxAddress[] = []) {
  const calendars = new Map<MailboxAddress, number>([[KIM, 1], [LEE, 1]]);
  const messages = { one: new Map<string, FreeBusy>(), two: new Map<string, FreeBusy>() };
  const writes = { one: 0, two: 0 };
  const failing: { two?: BridgeError } = {};
  const told: { hear: ((notice: ChangeNotice) => Promise<void>) | undefined } = { hear: undefined };
  const feed: ChangeFeed = {
    run: async (onChange, signal) => {
      told.hear = onChange;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
    isHearing: () => told.hear !== undefined,
  };
  const sink = (name: 'one' | 'two'): SinkSystem => ({
    identityOf: ({ mailbox }) => `/o=${name}/cn=${mailbox.split('@')[0]!}`,
    publish: async (identity, freeBusy) => {
      if (name === 'two' && failing.two !== undefined) throw failing.two;
      writes[name] += 1;
      messages[name].set(identity, freeBusy);
      return freeBusy.window;
    },
    remove: async (identity) => void messages[name].delete(identity),
    preview: (identity) => ({ where: identity, document: '' }),
    probe: async () => [{ step: 'folder', outcome: 'ok', text: name }],
    close: async () => undefined,
  });
  routes += 1;
  const route = (name: 'one' | 'two') => ({
    name: `zimbra → ${name}`,
    key: `agent-test-${routes}-${name}`,
    from: 'zimbra',
    to: name,
    source: {
      freeBusy: async ({ mailboxes, window }: { mailboxes: readonly MailboxAddress[]; window: { start: number; end: number } }) =>
        mailboxes.map((mailbox) => {
          const start = window.start + 60_000 * (calendars.get(mailbox) ?? 0);
          return { mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: [{ start, end: start + 60_000, busyType: 'busy' }] }), asOf: 0 };
        }),
    },
    roster: {
      all: async function* () {
        yield [...calendars.keys()].map((mailbox) => ({ mailbox, isSystem: false }));
      },
      find: async (mailbox: MailboxAddress) => (calendars.has(mailbox) ? { mailbox, isSystem: false } : undefined),
    },
    sink: sink(name),
    choice: { only: 'all', include: new Set<MailboxAddress>(), exclude: new Set<MailboxAddress>(excluded) } as const,
    pastMs: 86_400_000,
    aheadMs: 86_400_000,
    concurrency: 2,
    workingElsewhereAs: 'free' as const,
    homeOf: (mailbox: MailboxAddress) => (mailbox.endsWith('@zimbra.example') ? 'zimbra' : undefined),
  });
  const agent = new ReplicationAgent({
    routes: [route('one'), route('two')],
    systems: [{ name: 'zimbra', feed, mailboxes: [] }],
    store,
    locks: new KeyedLock(),
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
  });
  const written = (name: 'one' | 'two', mailbox: MailboxAddress): number | undefined => {
    const message = messages[name].get(`/o=${name}/cn=${mailbox.split('@')[0]!}`);
    return message === undefined ? undefined : (message.busy[0]!.start - message.window.start) / 60_000;
  };
  return { agent, calendars, messages, writes, failing, told, written };
}

const soon = { timeout: 10_000, interval: 20 };

describe('the agent', () => {
  it('publishes everybody at start, on every route', async () => {
    const { agent, written } = world();
    agent.start();
    await vi.waitFor(() => expect([written('one', KIM), written('one', LEE), written('two', KIM), written('two', LEE)]).toEqual([1, 1, 1, 1]), soon);
    await agent.close(1_000);
  });

  it('carries a change that a feed told of, and writes nothing that did not change', async () => {
    const { agent, calendars, told, written, writes } = world();
    agent.start();
    await vi.waitFor(() => expect([writes.one, writes.two]).toEqual([2, 2]), soon);
    calendars.set(KIM, 7);
    await told.hear!({ kind: 'changed', mailboxes: [KIM, LEE] });
    await vi.waitFor(() => expect([written('one', KIM), written('two', KIM)]).toEqual([7, 7]), soon);
    await vi.waitFor(async () => expect((await agent.queue()).entries).toEqual([]), soon);
    expect([writes.one, writes.two]).toEqual([3, 3]);
    await agent.close(1_000);
  });

  it('reads everybody again when a feed has lost its place', async () => {
    const { agent, calendars, told, written, writes } = world();
    agent.start();
    await vi.waitFor(() => expect(writes.one).toBe(2), soon);
    calendars.set(LEE, 9);
    await told.hear!({ kind: 'resync', reason: 'test' });
    await vi.waitFor(() => expect(written('one', LEE)).toBe(9), soon);
    await agent.close(1_000);
  });

  it('who is excluded by the next configuration loses the message, though it was never to be read again', async () => {
    const before = world();
    before.agent.start();
    await vi.waitFor(() => expect(before.messages.one.size).toBe(2), soon);
    await before.agent.close(1_000);
    routes -= 1;
    const after = world([KIM]);
    for (const [identity, message] of before.messages.one) after.messages.one.set(identity, message);
    after.agent.start();
    await vi.waitFor(() => expect([...after.messages.one.keys()]).toEqual(['/o=one/cn=lee']), soon);
    await after.agent.close(1_000);
  });

  it('keeps what could not be done for the next start', async () => {
    const first = world();
    await first.agent.changed('zimbra', 'notify', [KIM]);
    await first.agent.close(1_000);
    expect(first.written('one', KIM)).toBeUndefined();
    routes -= 1;
    const second = world();
    expect((await second.agent.queue()).entries).toMatchObject([{ mailbox: KIM, state: 'waiting' }, { mailbox: KIM, state: 'waiting' }]);
    await second.agent.close(1_000);
  });

  it('one route that refuses holds up no other, and says why', async () => {
    const { agent, failing, written } = world();
    failing.two = new BridgeError('BACKEND_FAULT', 'a property was refused', { details: { property: 'x68541102' } });
    agent.start();
    await vi.waitFor(() => expect(written('one', KIM)).toBe(1), soon);
    await vi.waitFor(async () => {
      const { entries, counts } = await agent.queue();
      expect(entries.filter(({ state }) => state === 'failed')).toMatchObject([{ route: 'zimbra → two', code: 'BACKEND_FAULT', reason: 'two: a property was refused (property x68541102)' }, { route: 'zimbra → two' }]);
      expect(counts).toMatchObject([{ route: 'zimbra → one', failed: 0 }, { route: 'zimbra → two', failed: 2 }]);
    }, soon);
    delete failing.two;
    expect(await agent.retry('all')).toBe(2);
    await vi.waitFor(async () => expect((await agent.queue()).entries).toEqual([]), soon);
    expect(written('two', KIM)).toBe(1);
    await agent.close(1_000);
  });

  it('a notification for somebody who is not there leads to nothing, and leaves nothing behind', async () => {
    const { agent, messages, writes } = world();
    agent.start();
    await vi.waitFor(() => expect(writes.one).toBe(2), soon);
    await agent.changed('zimbra', 'notify', [STRANGER]);
    await vi.waitFor(async () => expect((await agent.queue()).entries).toEqual([]), soon);
    expect([messages.one.size, messages.two.size]).toEqual([2, 2]);
    await agent.close(1_000);
  });

  it('pushes at once whatever the digest says; an unknown mailbox is a failure, one without a home an error', async () => {
    const { agent, writes } = world();
    const signal = AbortSignal.timeout(5_000);
    for (const times of [1, 2]) {
      expect(await agent.push(KIM, { dryRun: false, signal })).toMatchObject([{ outcome: 'written' }, { outcome: 'written' }]);
      expect(writes.one).toBe(times);
    }
    expect(await agent.push(STRANGER, { dryRun: false, signal })).toMatchObject([{ outcome: 'failed', error: { code: 'MAILBOX_UNKNOWN' } }, { outcome: 'failed' }]);
    await expect(agent.push('x@elsewhere.example' as MailboxAddress, { dryRun: false, signal })).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
    await agent.close(1_000);
  });

  it('lists everybody once, those that were published before and are no longer there as well', async () => {
    const { agent, calendars } = world();
    await agent.push(LEE, { dryRun: false, signal: AbortSignal.timeout(5_000) });
    calendars.delete(LEE);
    const everyone: MailboxAddress[] = [];
    for await (const page of agent.everyone(AbortSignal.timeout(5_000))) everyone.push(...page);
    expect(everyone.sort()).toEqual([KIM, LEE]);
    expect(await agent.mailboxOfIdentity('/O=ONE/CN=LEE', 'zimbra')).toBe(LEE);
    expect(await agent.mailboxOfIdentity('/o=one/cn=lee', 'elsewhere')).toBeUndefined();
    await agent.close(1_000);
  });

  it('tells for check what its Redis and every route say', async () => {
    const { agent } = world();
    const probes = await agent.probe({} as never);
    expect(probes.map(({ name }) => name)).toEqual(['redis', 'zimbra → one', 'zimbra → two']);
    await agent.close(1_000);
  });
});
