import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { ACCOUNT, ANNA, BERND, freePort, people, PresenceBridge, told } from './presence-world.ts';

/** presence.md A31: only with the last gateway goes the presence of its people, and then of all who are not in the file. */

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

  async function applied(gateways: readonly unknown[]): Promise<void> {
    const { appliedAt } = await bridge.admin('presence');
    await bridge.reload({ parameters, gateways });
    await eventually(async () => (await bridge.admin('presence'))['appliedAt'] !== appliedAt);
  }
  async function audit(): Promise<string> {
    return readFile(join(bridge.bridge.folder, 'data', 'audit.log'), 'utf8');
  }
}, 60_000);

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; !(await isSo()); ) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
