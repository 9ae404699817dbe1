import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { ACCOUNT, ANNA, freePort, meet, people, PresenceBridge, told } from './presence-world.ts';

/** An appointment made in the stand-in for Exchange is seen by a watcher, over every way in which Exchange tells of changes; and goes again at its end. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function ews(calendars: CalendarStore) {
  const server = createExchangeEws({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock });
  await server.listen();
  closing.push(() => server.close());
  return { server, url: `${server.url}/EWS/Exchange.asmx` };
}

async function exchange2003(calendars: CalendarStore) {
  const server = createExchange2003({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock, auth: 'basic', calendarNames: { [ANNA]: '予定表' } });
  await server.listen();
  closing.push(() => server.close());
  return { server, url: server.url };
}

async function start(...how: Parameters<typeof PresenceBridge.start>): Promise<PresenceBridge> {
  const bridge = await PresenceBridge.start(...how);
  closing.push(() => bridge.stop());
  return bridge;
}

const parameters = async (): Promise<Record<string, unknown>> => ({ calendarSpread: 0, notificationPort: await freePort() });

/** Made and noticed, ended by its own time; made, and taken out again before that. */
async function appointmentsAreSeen(bridge: PresenceBridge, calendars: CalendarStore, withinMs = 5_000): Promise<void> {
  const watcher = await bridge.watch();
  await told(watcher, ANNA, 'available');
  meet(calendars, ANNA, withinMs / 1000 + 1);
  await told(watcher, ANNA, 'in-a-meeting', withinMs);
  expect(await bridge.stateOf(ANNA)).toBe('in-a-meeting');
  await told(watcher, ANNA, 'available', withinMs + 4_000);
  const { id } = meet(calendars, ANNA, 600, 'oof');
  await told(watcher, ANNA, 'away', withinMs);
  calendars.remove(ANNA, id);
  await told(watcher, ANNA, 'available', withinMs);
  expect(JSON.stringify(watcher.events)).not.toMatch(/Initech|Room 17/);
}

describe('EWS', () => {
  it.each(['push', 'streaming', 'pull'] as const)('by %s', async (notifications) => {
    const calendars = people();
    const { url } = await ews(calendars);
    const bridge = await start({ type: 'exchange-ews', url }, { parameters: await parameters(), gateways: [{ description: 'Head office', type: 'ews', system: 'exchange', notifications }] });
    await bridge.hears(notifications);
    // Pull asks once a minute: that it does is its unit's test.
    if (notifications !== 'pull') await appointmentsAreSeen(bridge, calendars);
  }, 40_000);

  it('by itself: push on this machine, and the next way where Exchange refuses it', async () => {
    const calendars = people();
    const { server, url } = await ews(calendars);
    server.setFaults({ refused: ['push'] });
    const bridge = await start({ type: 'exchange-ews', url }, { parameters: await parameters(), gateways: [{ description: 'Head office', type: 'ews', system: 'exchange' }] });
    await bridge.hears('streaming');
    await appointmentsAreSeen(bridge, calendars);
  }, 40_000);

  it('a restart of Exchange, which forgets every subscription, costs nothing but the time until it is noticed', async () => {
    const calendars = people();
    const { server, url } = await ews(calendars);
    const bridge = await start({ type: 'exchange-ews', url }, { parameters: await parameters(), gateways: [{ description: 'Head office', type: 'ews', system: 'exchange', notifications: 'streaming' }] });
    await bridge.hears('streaming');
    const watcher = await bridge.watch();
    await told(watcher, ANNA, 'available');
    server.forgetSubscriptions();
    server.closeStreams('broken');
    meet(calendars, ANNA, 600);
    await told(watcher, ANNA, 'in-a-meeting', 20_000);
    await bridge.hears('streaming');
  }, 40_000);
});

describe('WebDAV', () => {
  it('by HTTPU, with the calendar folder called 予定表', async () => {
    const calendars = people();
    const { url } = await exchange2003(calendars);
    const bridge = await start({ type: 'exchange-webdav', url, auth: 'basic' }, { parameters: await parameters(), gateways: [{ description: 'Old office', type: 'webdav', system: 'exchange' }] });
    await bridge.hears('subscribe');
    // Exchange gathers what changes for five seconds before it tells (Notification-Delay).
    await appointmentsAreSeen(bridge, calendars, 12_000);
  }, 40_000);
});

it('the type of a gateway is changed in place: nobody notices, nobody is switched off (A28)', async () => {
  const calendars = people();
  const [old, modern] = [await exchange2003(calendars), await ews(calendars)];
  const shared = await parameters();
  const webdav = { type: 'exchange-webdav', url: old.url, auth: 'basic' };
  const ewsSystem = { type: 'exchange-ews', url: modern.url, domains: ['corp.example'], ...ACCOUNT };
  const gateway = (type: 'webdav' | 'ews') => ({ parameters: shared, gateways: [{ description: 'Office', type, system: 'exchange' }] });
  const bridge = await start(webdav, gateway('webdav'));
  await bridge.hears('subscribe');
  meet(calendars, ANNA, 600);
  await told(await bridge.watch(), ANNA, 'in-a-meeting', 15_000);
  await bridge.reload(gateway('ews'), { systems: { exchange: ewsSystem } });
  // A watcher belongs to a configuration: he comes back, and is shown the same.
  const watcher = await bridge.watch();
  await told(watcher, ANNA, 'in-a-meeting');
  await bridge.hears('push');
  expect(watcher.events.map(({ data }) => (data as { state?: string }).state)).toEqual(['in-a-meeting']);
  for (const { id } of calendars.list(ANNA)) calendars.remove(ANNA, id);
  await told(watcher, ANNA, 'available');
}, 40_000);
