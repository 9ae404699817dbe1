import { afterEach, describe, expect, it } from 'vitest';
import type { EventStreamClient } from '../protocols/rest-api/event-stream-client.ts';
import { until } from './bridge-process.ts';
import { ANNA, meet, PresenceBridge, told } from './presence-world.ts';
import { openWorld, TELLER, tell, WAIT_SETS, withoutPasses } from './replication-world.ts';
import type { World } from './replication-world.ts';

/** A Zimbra user's calendar gives presence as one in Exchange does, from Zimbra's change feed, with a replication that hears it or without; there is no gateway anywhere. */

const KIM = 'kim@zimbra.example';
const LEE = 'lee@zimbra.example';
/** Seconds. */
const LONG = 600;

let world: World;
let bridge: PresenceBridge;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A bridge in which nobody has opted in yet. */
async function start(how: 'replicated' | 'alone'): Promise<void> {
  world = await openWorld({ mailboxes: [KIM, LEE] });
  closing.push(() => world.close());
  const { listen: _, replication, clients, ...more } = world.config();
  bridge = await PresenceBridge.start({}, { optIn: [], parameters: { calendarSpread: 0 } }, {
    ...more,
    ...(how === 'replicated' ? { replication } : {}),
    clients: [...(clients as readonly unknown[]), { name: 'im', username: 'im', password: 'pw-of-im', from: 'zimbra', mayAsk: ['zimbra'], presence: 'opt-in' }],
  });
  closing.push(() => bridge.stop());
}

const path = (address: string, what: string): string => `/api/v1/presence/${address}/${what}`;
const listening = async (): Promise<void> => void (await until(() => (world.gates.zimbra.of('AdminWaitSetRequest').length > 0 ? true : undefined), 20_000, () => bridge.said));

/** Opts Kim in, and watches. */
async function optIn(): Promise<EventStreamClient> {
  const watcher = await bridge.watch();
  expect(await bridge.stateOf(KIM)).toBe(404);
  expect(await bridge.put(path(KIM, 'opt-in'), { optIn: true })).toBe(200);
  await told(watcher, KIM, 'available');
  return watcher;
}

describe.each(['alone', 'replicated'] as const)('Zimbra, %s', (how) => {
  it('an appointment is seen, changed and taken out again; nobody else is', async () => {
    await start(how);
    const watcher = await optIn();
    await listening();
    const { id } = meet(world.calendars, KIM, LONG);
    await told(watcher, KIM, 'in-a-meeting');
    world.calendars.update(KIM, id, { type: 'oof' });
    await told(watcher, KIM, 'away');
    world.calendars.remove(KIM, id);
    await told(watcher, KIM, 'available');
    const { end } = meet(world.calendars, KIM, 4);
    await told(watcher, KIM, 'in-a-meeting');
    await told(watcher, KIM, 'available');
    expect(Date.now()).toBeGreaterThanOrEqual(end);

    // Others of this system have not opted in; those of other systems are none of this client's business, whoever they are.
    meet(world.calendars, LEE, LONG);
    expect(await bridge.stateOf(LEE)).toBe(404);
    const answers = await Promise.all([ANNA, 'nobody@corp.example', 'x@elsewhere.example'].map((one) => bridge.send('PUT', path(one, 'opt-in'), { optIn: true })));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect((await bridge.send('PUT', path(ANNA, 'manual'), { state: 'away' })).status).toBe(404);
    expect(await bridge.stateOf(ANNA)).toBe(404);
    expect(JSON.stringify(watcher.events)).not.toMatch(/lee@|corp\.example|Initech|Room 17/);

    expect((await bridge.send('DELETE', path(KIM, 'opt-in'))).status).toBe(200);
    await until(() => watcher.events.find(({ event }) => event === 'withdrawn'), 10_000);
    expect(await bridge.stateOf(KIM)).toBe(404);
  }, 60_000);
});

it('POST /notify is a hint where no WaitSet answers', async () => {
  await start('replicated');
  world.gates.zimbra.rule = withoutPasses(...WAIT_SETS);
  const watcher = await optIn();
  meet(world.calendars, KIM, LONG);
  const answer = await tell(bridge.bridge.url, [KIM], TELLER);
  expect([answer.status, answer.body]).toEqual([202, expect.stringContaining('"accepted":1')]);
  await told(watcher, KIM, 'in-a-meeting');
}, 60_000);

it('what she says of herself goes over the meeting while it lasts, over a restart too, and the meeting is back afterwards', async () => {
  await start('alone');
  let watcher = await optIn();
  await listening();
  meet(world.calendars, KIM, LONG);
  await told(watcher, KIM, 'in-a-meeting');
  expect(await bridge.put(path(KIM, 'manual'), { state: 'do-not-disturb' })).toBe(200);
  await told(watcher, KIM, 'do-not-disturb');
  await bridge.restart('SIGKILL');
  watcher = await bridge.watch();
  await told(watcher, KIM, 'do-not-disturb');
  expect((await bridge.send('DELETE', path(KIM, 'manual'))).status).toBe(200);
  await told(watcher, KIM, 'in-a-meeting');

  const ends = Date.now() + 1_500;
  expect(await bridge.put(path(KIM, 'manual'), { state: 'do-not-disturb', until: new Date(ends).toISOString() })).toBe(200);
  await told(watcher, KIM, 'do-not-disturb');
  await told(watcher, KIM, 'in-a-meeting');
  expect(Date.now()).toBeGreaterThanOrEqual(ends);
  expect(await bridge.put(path(KIM, 'manual'), { state: 'in-a-meeting' })).toBe(400);
  // Whoever has not opted in has nothing to say, and is not told apart from whoever does not exist.
  expect(await bridge.put(path(LEE, 'manual'), { state: 'away' })).toBe(404);
}, 60_000);
