import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './bridge-process.ts';
import { ask } from './raw-http.ts';
import { Place, TELLER, WAIT_SETS, bothShow, messageOf, openWorld, queueOf, signed, slot, tell, withoutPasses } from './replication-world.ts';
import type { World } from './replication-world.ts';

/** Issue 3, "Bad input", of POST /notify: strangers, too many, signatures that are none. Nothing but the webhook tells of anything here. */

let world: World;
let place: Place;
let url: string;
beforeAll(async () => {
  world = await openWorld({ mailboxes: ['kim', 'lee', 'mia', 'ned'].map((name) => `${name}@zimbra.example`) });
  world.gates.zimbra.rule = withoutPasses(...WAIT_SETS);
  place = await Place.make(world.config(), 'without-redis');
  url = await place.serve();
});
afterAll(async () => {
  await place.close();
  await world.close();
});

const nothingWaits = async (): Promise<void> => {
  const { counts, entries } = await queueOf(place);
  expect(entries).toEqual([]);
  for (const { waiting, running, retrying, failed } of counts) expect([waiting, running, retrying, failed]).toEqual([0, 0, 0, 0]);
};
const post = (body: string, headers: Record<string, string>): ReturnType<typeof ask> => ask(url, '/notify', { method: 'POST', headers, body });

describe('a notification', () => {
  it('for a stranger is 403, and of the whole request nothing is written', async () => {
    world.calendars.add('kim@zimbra.example', { ...slot(0), type: 'busy' });
    for (const stranger of ['anna@legacy.example', 'somebody@nowhere.example']) {
      const answer = await tell(url, ['kim@zimbra.example', stranger]);
      expect(answer.status).toBe(403);
      expect(answer.body).not.toContain(stranger);
    }
    await nothingWaits();
    world.calendars.add('lee@zimbra.example', { ...slot(0), type: 'busy' });
    expect((await tell(url, ['lee@zimbra.example'])).status).toBe(202);
    await until(() => (bothShow(world, 'lee@zimbra.example', slot(0)) ? true : undefined), 20_000, () => place.said);
    for (const [, exchange] of world.exchanges) expect(messageOf(exchange, 'kim@zimbra.example')).toBeUndefined();
  });

  it('of 1,001 mailboxes is 400, of 1,000 it is taken, and who is not there is nothing to keep', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `nobody${index}@zimbra.example`);
    expect((await tell(url, many)).status).toBe(400);
    await nothingWaits();
    const answer = await tell(url, many.slice(1));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([202, { accepted: 1_000 }]);
    await until(() => (world.gates.zimbra.of('GetAccountRequest').filter(({ body }) => body.includes('nobody1000@')).length >= 1 ? true : undefined), 30_000);
    // Those who live there have not been held up by it.
    world.calendars.add('lee@zimbra.example', { ...slot(1), type: 'busy' });
    expect((await tell(url, ['lee@zimbra.example'])).status).toBe(202);
    await until(() => (bothShow(world, 'lee@zimbra.example', slot(1)) ? true : undefined), 30_000, () => place.said);
    expect(world.exchanges.map(([, exchange]) => exchange.published().filter((one) => /nobody/.test(one.subject)).length)).toEqual([0, 0]);
  }, 60_000);

  it.each(['{', '[]', '{}', '{"mailboxes":[]}', '{"mailboxes":"kim@zimbra.example"}', '{"mailboxes":["kim"]}', '{"mailboxes":["a/b@zimbra.example"]}', '{"mailboxes":["kim@zimbra.example",7]}'])('of %s is 400', async (body) => {
    expect((await post(body, { ...TELLER, 'content-type': 'application/json' })).status).toBe(400);
  });

  it('beyond 1 MB is 413', async () => {
    expect((await post(JSON.stringify({ mailboxes: ['kim@zimbra.example'], more: 'x'.repeat(1 << 20) }), { ...TELLER, 'content-type': 'application/json' })).status).toBe(413);
  });

  it('with a good signature is taken; from nobody, with a stale or a forged one it is 401', async () => {
    const address = 'mia@zimbra.example';
    const body = JSON.stringify({ mailboxes: [address] });
    world.calendars.add(address, { ...slot(0), type: 'busy' });
    const stale = await post(body, signed(body, undefined, Date.now() - 6 * 60_000));
    const early = await post(body, signed(body, undefined, Date.now() + 6 * 60_000));
    const forged = await post(body, signed(body, 'another secret'));
    const of = signed(JSON.stringify({ mailboxes: ['ned@zimbra.example'] }));
    const another = await post(body, of);
    const nobody = await post(body, { 'content-type': 'application/json' });
    expect([stale, early, forged, another, nobody].map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    await nothingWaits();
    const taken = await post(body, signed(body));
    expect([taken.status, JSON.parse(taken.body)]).toEqual([202, { accepted: 1 }]);
    await until(() => (bothShow(world, address, slot(0)) ? true : undefined), 20_000, () => place.said);
  }, 60_000);
});
