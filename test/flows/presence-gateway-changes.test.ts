import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { ACCOUNT, ANNA, BERND, freePort, meet, people, PresenceBridge, told } from './presence-world.ts';

/** What an administrator changes about gateways, and whom that switches off: nobody, until the last one is gone (presence.md A27 to A33). */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it('one of two gateways may go, and nobody is switched off; with the last one everybody is who switched on, the file stays, and it is audited (A30, A31)', async () => {
  const calendars = people();
  const server = createExchangeEws({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock });
  await server.listen();
  closing.push(() => server.close());
  const url = `${server.url}/EWS/Exchange.asmx`;
  const parameters = { calendarSpread: 0, notificationPort: await freePort() };
  const gateway = (description: string) => ({ description, type: 'ews', system: 'exchange', notifications: 'poll' });
  const bridge = await PresenceBridge.start({ type: 'exchange-ews', url }, { parameters, gateways: [gateway('Head office'), gateway('Branch')] }, { listen: `http://127.0.0.1:${await freePort()}`, admin: { listen: `http://127.0.0.1:${await freePort()}` } });
  closing.push(() => bridge.stop());
  expect(await bridge.put(`/api/v1/presence/${BERND}/opt-in`, { optIn: true })).toBe(200);
  await told(await bridge.watch(), BERND, 'available');

  await applied([gateway('Branch')]);
  expect(await bridge.stateOf(BERND)).toBe('available');
  await applied([]);
  expect(await bridge.stateOf(BERND)).toBe(404);
  expect(await bridge.stateOf(ANNA)).toBe('available');
  // Whoever wants to come back says so again, and is told why it cannot be now.
  expect(await bridge.put(`/api/v1/presence/${BERND}/opt-in`, { optIn: true })).toBe(409);
  await eventually(async () => /presence\.opt-out-many/.test(await audit()));
  const lines = (await audit()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(expect.objectContaining({ what: 'presence.opt-out', mailbox: BERND, via: 'gateway' }));
  expect(lines).toContainEqual(expect.objectContaining({ what: 'presence.opt-out-many', via: 'gateway', count: 1 }));

  expect((await bridge.admin('presence'))['idle']).toBeNull();
  await applied([], { optIn: [] });
  expect((await bridge.admin('presence'))['idle']).toBe('no gateway is configured under presence.gateways');

  async function applied(gateways: readonly unknown[], more: Record<string, unknown> = {}): Promise<void> {
    const { appliedAt } = await bridge.admin('presence');
    await bridge.reload({ parameters, gateways, ...more });
    await eventually(async () => (await bridge.admin('presence'))['appliedAt'] !== appliedAt);
  }
  async function audit(): Promise<string> {
    return readFile(join(bridge.bridge.folder, 'data', 'audit.log'), 'utf8');
  }
}, 60_000);

it('the type of a gateway is changed in place, there and back: nobody is switched off, and no state is lost meanwhile (A28, A29)', async () => {
  const calendars = people();
  const old = createExchange2003({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock, auth: 'basic' });
  const modern = createExchangeEws({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock });
  for (const server of [old, modern]) {
    await server.listen();
    closing.push(() => server.close());
  }
  const notificationPort = await freePort();
  const listeners = { listen: `http://127.0.0.1:${await freePort()}`, admin: { listen: `http://127.0.0.1:${await freePort()}` } };
  const systemOf = (type: 'webdav' | 'ews'): Record<string, unknown> => (type === 'webdav' ? { type: 'exchange-webdav', url: old.url, auth: 'basic' } : { type: 'exchange-ews', url: `${modern.url}/EWS/Exchange.asmx` });
  const presenceOf = (type: 'webdav' | 'ews') => ({ parameters: { calendarSpread: 0, notificationPort }, gateways: [{ description: 'Office', type, system: 'exchange' }] });
  const bridge = await PresenceBridge.start(systemOf('webdav'), presenceOf('webdav'), listeners);
  closing.push(() => bridge.stop());
  expect(await bridge.put(`/api/v1/presence/${BERND}/opt-in`, { optIn: true })).toBe(200);
  await bridge.hears('subscribe');
  meet(calendars, ANNA, 600);
  await told(await bridge.watch(), ANNA, 'in-a-meeting');

  for (const [type, method] of [['ews', 'push'], ['webdav', 'subscribe']] as const) {
    const { clients } = JSON.parse(await readFile(bridge.bridge.file, 'utf8')) as { clients: unknown };
    await bridge.bridge.write({ ...listeners, clients, systems: { exchange: { domains: ['corp.example'], ...ACCOUNT, ...systemOf(type) } }, presence: { optIn: [ANNA], ...presenceOf(type) } });
    const seen = new Set<unknown>();
    bridge.bridge.process.signal('SIGHUP');
    await eventually(async () => {
      seen.add(await bridge.stateOf(ANNA)).add(`bernd ${String(await bridge.stateOf(BERND))}`);
      const [gateway] = (await bridge.admin('presence'))['gateways'] as { watch: { method: string; live: number; hinted: number } }[];
      return gateway?.watch.method === method && gateway.watch.live + gateway.watch.hinted === 2;
    });
    expect(seen).toEqual(new Set(['in-a-meeting', type === 'ews' ? 'bernd available' : 'bernd away']));
    // And it is heard of there.
    const watcher = await bridge.watch();
    if (type === 'ews') meet(calendars, BERND, 600, 'oof');
    else for (const { id } of calendars.list(BERND)) calendars.remove(BERND, id);
    await told(watcher, BERND, type === 'ews' ? 'away' : 'available', 15_000);
  }
  expect(await readFile(join(bridge.bridge.folder, 'data', 'audit.log'), 'utf8')).not.toContain('presence.opt-out');
}, 60_000);

it('a notification port that somebody else has refuses the reload, and the old one is called on; at a start it is said, unless nobody is to call (A59, A62)', async () => {
  const calendars = people();
  const old = createExchange2003({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock, auth: 'basic' });
  await old.listen();
  closing.push(() => old.close());
  const taken = createSocket('udp4').bind(0, '0.0.0.0');
  await once(taken, 'listening');
  closing.push(async () => taken.close());
  const presenceOf = (notificationPort: number, notifications = 'auto') => ({ parameters: { calendarSpread: 0, notificationPort, notificationHost: '127.0.0.1', notificationListen: '0.0.0.0' }, gateways: [{ description: 'Old office', type: 'webdav', system: 'exchange', notifications }] });
  const exchange = { type: 'exchange-webdav', url: old.url, auth: 'basic' };
  const start = async (presence: ReturnType<typeof presenceOf>): Promise<PresenceBridge> => {
    const bridge = await PresenceBridge.start(exchange, presence, { listen: `http://127.0.0.1:${await freePort()}`, admin: { listen: `http://127.0.0.1:${await freePort()}` } });
    closing.push(() => bridge.stop());
    await bridge.hears('subscribe');
    return bridge;
  };

  const bridge = await start(presenceOf(await freePort()));
  const { appliedAt, gateways } = await bridge.admin('presence');
  expect(gateways).toMatchObject([{ description: 'Old office', label: 'Exchange -- WebDAV' }]);
  const watcher = await bridge.watch();
  await told(watcher, ANNA, 'available');
  await bridge.reload(presenceOf(taken.address().port));
  await eventually(async () => /configuration refused, the running one stays in force/.test(bridge.bridge.process.stderr));
  expect(bridge.bridge.process.stderr).toMatch(/somebody else has it/);
  expect((await bridge.admin('presence'))['appliedAt']).toBe(appliedAt);
  meet(calendars, ANNA, 600);
  await told(watcher, ANNA, 'in-a-meeting', 15_000);

  expect((await (await start(presenceOf(taken.address().port))).admin('presence'))['pending']).toEqual([expect.stringMatching(/^notifications: .*somebody else has it/)]);
  expect((await (await start(presenceOf(taken.address().port, 'poll'))).admin('presence'))['pending']).toEqual([]);
}, 60_000);

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; !(await isSo()); ) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
