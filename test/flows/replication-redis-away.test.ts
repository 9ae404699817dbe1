import { describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import { until } from './bridge-process.ts';
import { OwnRedis, HAS_REDIS } from './replication-redis.ts';
import { Place, READER, bothShow, closedAfter, openWorld, slot, tell, withoutPasses } from './replication-world.ts';
import type { World } from './replication-world.ts';
import { askJson } from './raw-http.ts';

/** Issue 3, "Bad input": Redis goes away for a while and comes back; one that evicts. */

const [KIM, LEE, MIA] = ['kim@zimbra.example', 'lee@zimbra.example', 'mia@zimbra.example'] as const;

async function setUp(context: TestContext): Promise<{ world: World; redis: OwnRedis; place: Place }> {
  const opened = closedAfter(context);
  const world = opened(await openWorld({ mailboxes: [KIM, LEE, MIA] }));
  const redis = opened(await OwnRedis.start());
  return { world, redis, place: opened(await Place.make(world.config({ redis: redis.url }))) };
}

/** The sequences that the bridge has asked with so far: with each it acknowledges what came with it. */
const asked = (world: World): readonly (string | undefined)[] => world.gates.zimbra.of('AdminWaitSetRequest').map(({ body }) => / seq="([^"]*)"/.exec(body)?.[1]);

/** Waits until a WaitSet's answer names somebody, and gives the sequence that would acknowledge it. */
function nextSignal(world: World, address: string): Promise<string> {
  return new Promise((resolve) => {
    const stop = world.zimbra.onSignal((signal) => {
      if (signal.address !== address) return;
      stop();
      resolve(signal.seq);
    });
  });
}

async function whileAway(world: World, url: string): Promise<void> {
  const polls = asked(world).length;
  const signal = nextSignal(world, LEE);
  world.calendars.add(LEE, { ...slot(1), type: 'busy' });
  const seq = await signal;
  const [first, ...others] = await Promise.all([tell(url, [MIA]), tell(url, [KIM]), tell(url, [KIM, LEE])]);
  for (const answer of [first, ...others, await tell(url, [MIA])]) {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.tookMs).toBeLessThan(6_000);
  }
  for (let again = 0; again < 5; again++) {
    const { start, end } = slot(0);
    const lookup = await askJson(url, READER, [KIM], { start, end });
    expect([lookup.status, lookup.results[0]?.busy?.length]).toEqual([200, 1]);
    expect(lookup.tookMs).toBeLessThan(2_500);
  }
  // Nothing was stored, so nothing of it is acknowledged.
  expect(asked(world).slice(polls)).not.toContain(seq);
  expect(bothShow(world, LEE, slot(1))).toBe(false);
}

describe.skipIf(!HAS_REDIS)('a configured Redis', { concurrent: true }, () => {
  it.for(['stands still', 'is gone'] as const)('that %s stops acknowledging and writing only, and nothing is lost', { timeout: 120_000 }, async (how, context) => {
    const { world, redis, place } = await setUp(context);
    world.calendars.add(KIM, { ...slot(0), type: 'busy' });
    const url = await place.serve();
    await until(() => (bothShow(world, KIM, slot(0)) ? true : undefined), 20_000, () => place.said);
    await until(() => (asked(world).length > 0 ? true : undefined), 20_000);

    if (how === 'stands still') redis.signal('SIGSTOP');
    else await redis.kill();
    await whileAway(world, url);
    if (how === 'stands still') redis.signal('SIGCONT');
    else await redis.start();

    await until(() => (bothShow(world, LEE, slot(1)) ? true : undefined), 40_000, () => place.said);
    await until(() => (new Set(asked(world)).size > 1 ? true : undefined), 20_000);
    world.gates.zimbra.rule = withoutPasses('AdminWaitSetRequest');
    world.calendars.add(MIA, { ...slot(2), type: 'busy' });
    expect((await tell(url, [MIA])).status).toBe(202);
    await until(() => (bothShow(world, MIA, slot(2)) ? true : undefined), 20_000, () => place.said);
  });

  it('that is gone when the bridge is killed costs no change of the WaitSet: the same sequence is asked again', async (context) => {
    const { world, redis, place } = await setUp(context);
    world.gates.zimbra.rule = withoutPasses();
    await place.serve();
    await until(() => (asked(world).length > 0 ? true : undefined), 20_000, () => place.said);
    const before = asked(world).at(-1);
    await redis.kill();
    const signal = nextSignal(world, KIM);
    world.calendars.add(KIM, { ...slot(0), type: 'busy' });
    const seq = await signal;
    await place.kill();
    const polls = asked(world).length;
    await redis.start();
    await place.serve();
    await until(() => (asked(world).length > polls ? true : undefined), 30_000, () => place.said);
    expect(before).not.toBe(seq);
    expect(asked(world)[polls]).toBe(before);
    await until(() => (bothShow(world, KIM, slot(0)) ? true : undefined), 30_000, () => place.said);
  }, 120_000);

  it('that is not there yet at start keeps nobody from looking up, and everything arrives when it comes', async (context) => {
    const { world, redis, place } = await setUp(context);
    world.calendars.add(KIM, { ...slot(0), type: 'busy' });
    await redis.kill();
    const url = await place.serve();
    expect((await askJson(url, READER, [KIM], slot(0))).results[0]?.busy).toHaveLength(1);
    expect((await tell(url, [KIM])).status).toBe(503);
    await redis.start();
    await until(() => (bothShow(world, KIM, slot(0)) ? true : undefined), 60_000, () => place.said);
  }, 120_000);

  it('that evicts fails `check`, which says noeviction; one that does not passes', async (context) => {
    const opened = closedAfter(context);
    const world = opened(await openWorld({ mailboxes: [KIM] }));
    const evicting = opened(await OwnRedis.start('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'));
    const good = opened(await OwnRedis.start());
    const place = opened(await Place.make(world.config({ redis: evicting.url })));
    const redisLines = (text: string): readonly string[] => text.split('\n').filter((line) => /evict/i.test(line));
    const refused = await place.command('check');
    expect(refused.code).toBe(1);
    expect(redisLines(refused.stdout).join('\n')).toMatch(/fail.*noeviction/is);
    await place.write(world.config({ redis: good.url }));
    expect(redisLines((await place.command('check')).stdout).join('\n')).not.toMatch(/fail/i);
  }, 60_000);
});
