import { afterEach, expect, it } from 'vitest';
import { EventStreamClient } from '../protocols/rest-api/event-stream-client.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { basic } from './raw-http.ts';

/** The event stream of a real process: what happens to watchers when the configuration changes, and when it ends. */

let bridge: RunningBridge | undefined;
const clients: EventStreamClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await bridge?.stop();
  bridge = undefined;
});

const configuration = (password: string): Record<string, unknown> => ({
  listen: 'http://127.0.0.1:0',
  systems: { calendars: { type: 'ifb', url: 'https://calendars.corp.example/{localPart}.ifb', domains: ['corp.example'] } },
  clients: [{ name: 'im', username: 'im', password, from: 'outside', mayAsk: ['calendars'], presence: 'read' }],
  presence: { optIn: ['anna@corp.example'] },
});
async function watch(password: string): Promise<EventStreamClient> {
  const client = new EventStreamClient(bridge!.url, '/api/v1/presence/events', basic('im', password));
  clients.push(client);
  await client.answered();
  return client;
}

it('a changed configuration sends watchers away; they come back as whoever they are then', async () => {
  bridge = await startBridge(configuration('first'));
  const [one, other] = [await watch('first'), await watch('first')];
  expect([one.status, other.status]).toEqual([200, 200]);
  await bridge.write(configuration('second'));
  bridge.process.signal('SIGHUP');
  await Promise.all([one.closed(), other.closed()]);
  expect((await watch('first')).status).toBe(401);
  expect((await watch('second')).status).toBe(200);
});

it('the process ends within 5 s of SIGTERM, whoever watches', async () => {
  bridge = await startBridge(configuration('first'));
  const client = await watch('first');
  const silent = await watch('first');
  silent.pause();
  const { code, tookMs } = await bridge.process.stop();
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5_000);
  await client.closed();
});
