import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore, EntryType } from '../../src/sandbox/calendar-store.ts';
import { EventStreamClient } from '../protocols/rest-api/event-stream-client.ts';
import { removeFolder, runCommand, Running, startBridge, until } from './bridge-process.ts';
import type { Ended, RunningBridge } from './bridge-process.ts';
import { ask, basic } from './raw-http.ts';
import type { RawAnswer } from './raw-http.ts';
import { freePortOfBoth as freePort } from '../local-ports.ts';

export { freePort };

export const ANNA = 'anna@corp.example';
export const BERND = 'bernd@corp.example';
export const ACCOUNT = { username: 'bridge', password: 'pw of the bridge' } as const;
const IM = { name: 'im', username: 'im', password: 'pw-of-im', from: 'exchange', mayAsk: ['exchange'], presence: 'opt-in' } as const;
const AS_IM = basic(IM.username, IM.password);

/** Calendars of the stand-ins with Anna and Bernd in them. */
export function people(): CalendarStore {
  return createCalendarStore([{ address: ANNA, displayName: 'Anna' }, { address: BERND, displayName: 'Bernd' }]);
}

/** An appointment from a minute ago on, for so many seconds from now; Exchange knows whole seconds only. */
export function meet(calendars: CalendarStore, address: string, seconds: number, type: EntryType = 'busy'): { readonly id: string; readonly end: number } {
  const end = wholeSecond(Date.now() + seconds * 1000);
  return { id: calendars.add(address, { start: Date.now() - 60_000, end, type, subject: 'Merger with Initech', location: 'Room 17' }).id, end };
}

export function wholeSecond(instant: number): number {
  return Math.ceil(instant / 1000) * 1000;
}

/** A running bridge whose presence is watched. */
export class PresenceBridge {
  bridge: RunningBridge;
  /** What processes before this one have said. */
  #saidBefore = '';
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

  /** Waits until publishers were told all there is. */
  async published(timeoutMs = 15_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const { publishers } = (await this.admin('presence')) as { readonly publishers: readonly { readonly waiting: number }[] };
      if (publishers.every(({ waiting }) => waiting === 0)) return;
      if (performance.now() > end) throw new Error(`not published: ${JSON.stringify(publishers)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async put(path: string, body: unknown): Promise<number> {
    return (await this.send('PUT', path, body)).status;
  }

  /** Any request of the client `im`. */
  async send(method: string, path: string, body?: unknown): Promise<RawAnswer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return ask(this.bridge.url, path, { method, headers: { ...AS_IM, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }, body: text });
  }

  /** Everything on standard output and standard error, of the processes before too. */
  get said(): string {
    return `${this.#saidBefore}${this.bridge.process.stdout}${this.bridge.process.stderr}`;
  }

  /** Ends the process, and starts another in its place (on another port). */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { file, folder, process: former } = this.bridge;
    former.signal(signal);
    await former.ended;
    this.#saidBefore = this.said;
    const next = new Running(['serve', '--config', file]);
    const stop = async (): ReturnType<RunningBridge['stop']> => {
      const ended = await next.stop();
      await removeFolder(folder);
      return ended;
    };
    this.bridge = { ...this.bridge, process: next, stop };
    const urls = await until(() => {
      const found = [...next.stdout.matchAll(/^listening on (\S+)$/gm)].map((match) => match[1]!);
      return found.length >= this.bridge.urls.length ? found : undefined;
    }, 20_000, () => `the bridge did not start again: ${next.stdout}\n${next.stderr}`);
    this.bridge = { ...this.bridge, url: urls[0]!, port: Number(new URL(urls[0]!).port), urls };
  }

  /** `freebusy-bridge … --config` its file. */
  command(...args: readonly string[]): Promise<Ended> {
    return runCommand([...args, '--config', this.bridge.file]);
  }

  /** Another `presence:`, and whatever else differs from how it was started, by the command. */
  async apply(presence: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<Ended> {
    await this.bridge.write({ ...this.#config, presence, ...more });
    return this.command('reload');
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
