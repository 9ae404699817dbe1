import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { presencePorts } from '../src/bridge-presence-ports.ts';
import type { PresencePorts } from '../src/bridge-presence-ports.ts';
import type { Config } from '../src/config/config.ts';
import { silentLogger } from '../src/core/logger.ts';

let ports: PresencePorts;
const taken: Server[] = [];
afterEach(async () => {
  await ports.close();
  for (const server of taken.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listening(): Promise<number> {
  const server = createServer();
  taken.push(server);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

async function freePort(): Promise<number> {
  const port = await listening();
  await new Promise((resolve) => taken.pop()!.close(resolve));
  return port;
}

/** What is asked of a configuration here. */
function configOf(notificationPort: number, notificationListen: string): Config {
  return { presence: { parameters: { notificationPort, notificationListen, notificationHost: '127.0.0.1' }, gateways: [{ type: 'ews', notifications: 'push' }] } } as unknown as Config;
}

it('the same port on another address is opened, though the old one has it', async () => {
  ports = presencePorts(silentLogger);
  const port = await freePort();
  const before = configOf(port, '127.0.0.1');
  await ports.prepare(before, { isPatient: false });
  await ports.apply(before);
  const next = configOf(port, '0.0.0.0');
  await ports.prepare(next, { isPatient: false });
  await ports.apply(next);
  expect(ports.pending()).toEqual([]);
  const { url } = ports.http!.open(() => 'heard');
  expect(await (await fetch(url, { method: 'POST', body: 'x' })).text()).toBe('heard');
});

it('a port that somebody took since it was tried leaves the old one in force, and stands among what is pending', async () => {
  ports = presencePorts(silentLogger);
  const before = configOf(await freePort(), '127.0.0.1');
  await ports.prepare(before, { isPatient: false });
  await ports.apply(before);
  await ports.apply(configOf(await listening(), '127.0.0.1'));
  expect(ports.pending()).toEqual([expect.stringMatching(/^notifications: .*taken/)]);
  const { url } = ports.http!.open(() => 'heard');
  expect(await (await fetch(url, { method: 'POST', body: 'x' })).text()).toBe('heard');
});
