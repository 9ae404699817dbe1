import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore, EntryType } from '../../src/sandbox/calendar-store.ts';
import { EventStreamClient } from '../protocols/rest-api/event-stream-client.ts';
import { startBridge, until } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { ask, basic } from './raw-http.ts';

export const ANNA = 'anna@corp.example';
export const BERND = 'bernd@corp.example';
export const ACCOUNT = { username: 'bridge', password: 'pw of the bridge' } as const;
const IM = { name: 'im', username: 'im', password: 'pw-of-im', from: 'exchange', mayAsk: ['exchange'], presence: 'opt-in' } as const;
const AS_IM = basic(IM.username, IM.password);

/** Calendars of the stand-ins with Anna and Bernd in them. */
export function people(): CalendarStore {
  return createCalendarStore([{ address: ANNA, displayName: 'Anna' }, { address: BERND, displayName: 'Bernd' }]);
}

/** A port that nobody has by TCP nor by UDP: `notificationPort: 0` is not for administrators. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
    const socket = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    if (isFree) await new Promise<void>((resolve) => socket.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (isFree) return port;
  }
}

/** An appointment from a minute ago on, for so many seconds from now. */
export function meet(calendars: CalendarStore, address: string, seconds: number, type: EntryType = 'busy'): { readonly id: string; readonly end: number } {
  const end = Date.now() + seconds * 1000;
  return { id: calendars.add(address, { start: Date.now() - 60_000, end, type, subject: 'Merger with Initech', location: 'Room 17' }).id, end };
}

/** A running bridge whose presence is watched. */
export class PresenceBridge {
  readonly bridge: RunningBridge;
  readonly #config: Record<string, unknown>;
  readonly #watchers: EventStreamClient[] = [];

  private constructor(bridge: RunningBridge, config: Record<string, unknown>) {
    this.bridge = bridge;
    this.#config = config;
  }

  static async start(exchange: Record<string, unknown>, presence: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<PresenceBridge> {
    // Ports of its own from the beginning: a reload is to find them again.
    const config = { listen: `http://127.0.0.1:${await freePort()}`, admin: { listen: `http://127.0.0.1:${await freePort()}` }, systems: { exchange: { domains: ['corp.example'], ...ACCOUNT, ...exchange } }, clients: [IM], presence: { optIn: [ANNA], ...presence }, ...more };
    return new PresenceBridge(await startBridge(config), config);
  }

  /** A watcher of everybody. */
  async watch(): Promise<EventStreamClient> {
    const client = new EventStreamClient(this.bridge.url, '/api/v1/presence/events?snapshot=true', AS_IM);
    this.#watchers.push(client);
    await client.answered();
    return client;
  }

  async stateOf(address: string): Promise<unknown> {
    const answer = await ask(this.bridge.url, `/api/v1/presence/${encodeURIComponent(address)}`, { headers: AS_IM });
    return answer.status === 200 ? (JSON.parse(answer.body) as { state: string }).state : answer.status;
  }

  async admin(path: string): Promise<Record<string, unknown>> {
    return JSON.parse((await ask(this.bridge.urls[1]!, `/api/v1/admin/${path}`)).body) as Record<string, unknown>;
  }

  /** Waits until the gateway hears of Anna's changes, one way or the other. */
  async hears(method: string, timeoutMs = 15_000): Promise<void> {
    let last: unknown;
    const end = performance.now() + timeoutMs;
    for (;;) {
      last = await this.admin('presence');
      const [gateway] = (last as { gateways: { watch: Record<string, unknown> }[] }).gateways;
      const { live = 0, hinted = 0 } = gateway?.watch ?? {};
      if (gateway?.watch['method'] === method && Number(live) + Number(hinted) > 0) return;
      if (performance.now() > end) throw new Error(`nobody is heard by ${method}: ${JSON.stringify(last)}\n${this.bridge.process.stderr.slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async put(path: string, body: unknown): Promise<number> {
    const text = JSON.stringify(body);
    return (await ask(this.bridge.url, path, { method: 'PUT', headers: { ...AS_IM, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }, body: text })).status;
  }

  /** Another `presence:` from now on, and whatever else is to be another. */
  async reload(presence: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<void> {
    const before = this.bridge.process.stdout.length + this.bridge.process.stderr.length;
    await this.bridge.write({ ...this.#config, presence: { optIn: [ANNA], ...presence }, ...more });
    this.bridge.process.signal('SIGHUP');
    await until(() => (this.bridge.process.stdout.length + this.bridge.process.stderr.length > before ? true : undefined), 10_000);
  }

  async stop(): Promise<void> {
    for (const client of this.#watchers) client.close();
    await this.bridge.stop();
  }
}

/** Waits until a watcher was told that somebody is shown so. */
export async function told(client: EventStreamClient, address: string, state: string, timeoutMs = 15_000): Promise<number> {
  const at = await until(() => {
    const index = client.events.findLastIndex(({ event, data }) => event !== 'reset' && (data as { address?: string }).address === address);
    return index >= 0 && (client.events[index]!.data as { state: string }).state === state ? performance.now() : undefined;
  }, timeoutMs, () => `${address} is not ${state}: ${JSON.stringify(client.events)}`);
  return at;
}
