import { createHmac } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import type { Exchange2003, WritableExchange } from '../../src/sandbox/exchange-2003.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { PublishedMessage } from '../../src/sandbox/message-folder.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import type { Zimbra } from '../../src/sandbox/zimbra.ts';
import type { AccountDetails } from '../../src/sandbox/zimbra-accounts.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Running, folderWith, removeFolder, runCommand, until } from './bridge-process.ts';
import type { Ended } from './bridge-process.ts';
import { Gate, UNAVAILABLE } from './replication-gate.ts';
import type { Rule } from './replication-gate.ts';
import { ask, basic } from './raw-http.ts';
import type { RawAnswer } from './raw-http.ts';

export const DAY_MS = 86_400_000;
export const MINUTE_MS = 60_000;
/** Midnight UTC of today, as everything is placed by it. */
export const today = (): number => Math.floor(Date.now() / DAY_MS) * DAY_MS;

export const WEBDAV_ORGANISATION = '/o=Sandbox/ou=First Administrative Group';
export const EWS_ORGANISATION = '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)';
export const TELLER = basic('teller', 'pw-of-the-teller');
export const READER = basic('reader', 'pw-of-the-reader');
export const SECRET = 'secret-of-the-notifications';

/** A Zimbra between an Exchange 2003 and an Exchange 2010, each behind a gate. */
export interface World {
  readonly calendars: CalendarStore;
  readonly zimbra: Zimbra;
  readonly webdav: Exchange2003;
  readonly ews: ExchangeEws;
  readonly gates: { readonly zimbra: Gate; readonly webdav: Gate; readonly ews: Gate };
  /** Both Exchanges with their names. */
  readonly exchanges: readonly (readonly [name: 'webdav' | 'ews', exchange: WritableExchange])[];
  /** A bridge.yaml between them. */
  config(more?: Record<string, unknown>): Record<string, unknown>;
  /** The systems of that configuration, to be changed. */
  systems(): Record<string, Record<string, unknown>>;
  addMailbox(address: string): void;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly mailboxes?: readonly string[];
  readonly detailsOf?: (address: string) => AccountDetails;
}

const PASSWORDS = { zimbra: 'pw-zimbra', admin: 'pw-admin', webdav: 'pw-webdav', ews: 'pw-ews' } as const;

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const clock = systemClock;
  const calendars = createCalendarStore(['bridge@zimbra.example', ...(options.mailboxes ?? [])].map((address) => ({ address, displayName: address })));
  // The account of the bridge is replicated nowhere.
  const detailsOf = options.detailsOf ?? ((address: string): AccountDetails => (address.startsWith('bridge@') ? {} : { foreignPrincipal: `ad:${localPart(address)}` }));
  const zimbra = createZimbra({ username: 'bridge@zimbra.example', password: PASSWORDS.zimbra, admin: { username: 'admin@zimbra.example', password: PASSWORDS.admin }, calendars, clock, detailsOf });
  const exchange = { username: 'bridge', clock, calendars: createCalendarStore() };
  const webdav = createExchange2003({ ...exchange, password: PASSWORDS.webdav, domain: 'LEGACY', auth: 'basic', organisation: WEBDAV_ORGANISATION });
  const ews = createExchangeEws({ ...exchange, password: PASSWORDS.ews, domain: 'CORP', organisation: EWS_ORGANISATION });
  const standIns = [zimbra, webdav, ews] as const;
  await Promise.all(standIns.map((one) => one.listen()));
  const [zimbraGate, webdavGate, ewsGate] = await Promise.all(standIns.map((one) => Gate.open(one.url)));
  const gates = { zimbra: zimbraGate!, webdav: webdavGate!, ews: ewsGate! };
  const systems = (): Record<string, Record<string, unknown>> => ({
    zimbra: { type: 'zimbra', url: gates.zimbra.url, adminUrl: gates.zimbra.url, username: 'bridge@zimbra.example', password: PASSWORDS.zimbra, admin: { username: 'admin@zimbra.example', password: PASSWORDS.admin }, domains: ['zimbra.example'] },
    webdav: { type: 'exchange-webdav', url: gates.webdav.url, auth: 'basic', username: 'LEGACY\\bridge', password: PASSWORDS.webdav, domains: ['legacy.example'], legacyExchangeDn: `${WEBDAV_ORGANISATION}/cn=Recipients/cn={localPart}` },
    ews: { type: 'exchange-ews', url: `${gates.ews.url}/EWS/Exchange.asmx`, username: 'CORP\\bridge', password: PASSWORDS.ews, domains: ['corp.example'], legacyExchangeDn: `${EWS_ORGANISATION}/cn=Recipients/cn={localPart}` },
  });
  return {
    calendars,
    zimbra,
    webdav,
    ews,
    gates,
    exchanges: [['webdav', webdav], ['ews', ews]],
    systems,
    config: (more = {}) => ({
      listen: 'http://127.0.0.1:0',
      deadline: '3s',
      systems: systems(),
      clients: [
        { name: 'teller', username: 'teller', password: 'pw-of-the-teller', from: 'zimbra', mayAsk: ['webdav', 'ews'] },
        { name: 'reader', username: 'reader', password: 'pw-of-the-reader', from: 'outside', mayAsk: ['zimbra'] },
      ],
      replication: ['webdav', 'ews'].map((to) => ({ from: 'zimbra', to })),
      notify: { secret: SECRET },
      ...more,
    }),
    addMailbox: (address) => calendars.addMailbox({ address, displayName: address }),
    close: async () => {
      await Promise.all([...Object.values(gates), ...standIns].map((one) => one.close()));
    },
  };
}

export function localPart(address: string): string {
  return address.slice(0, address.lastIndexOf('@'));
}

/** No pass over all mailboxes gets anywhere, so that only what was stored can arrive; `more` may close further operations. */
export function withoutPasses(...more: readonly string[]): Rule {
  const closed = new Set(more);
  // Accounts that a WaitSet names are looked up by id, with the same operation.
  const isListing = (operation: string, body: string): boolean => operation === 'SearchDirectoryRequest' && /<SearchDirectoryRequest[^>]* domain=/.test(body);
  return ({ operation, body }) => (closed.has(operation) || isListing(operation, body) ? UNAVAILABLE : undefined);
}
export const WAIT_SETS = ['AdminCreateWaitSetRequest', 'AdminWaitSetRequest'] as const;

/** Closes what a test opens when that test is over, the last first; tests that run at the same time have nothing in common. */
export function closedAfter({ onTestFinished }: TestContext): <T extends { close(): Promise<void> }>(one: T) => T {
  return (one) => {
    onTestFinished(() => one.close());
    return one;
  };
}

/** A folder with a bridge.yaml in which bridges are started, killed and started again. */
export class Place {
  readonly folder: string;
  readonly file: string;
  readonly #env: Record<string, string>;
  #running: Running | undefined;

  private constructor(folder: string, file: string, env: Record<string, string>) {
    this.folder = folder;
    this.file = file;
    this.#env = env;
  }

  /** @param where `without-redis`: nothing is on PATH */
  static async make(config: unknown, where: 'as-it-is' | 'without-redis' = 'as-it-is'): Promise<Place> {
    const { folder, file } = await folderWith(config);
    const nothing = join(folder, 'empty');
    await mkdir(nothing);
    return new Place(folder, file, where === 'without-redis' ? { PATH: nothing } : {});
  }

  async write(config: unknown): Promise<void> {
    await writeFile(this.file, JSON.stringify(config));
  }

  /** Starts `serve` and gives the URL where it answers. */
  async serve(): Promise<string> {
    const running = new Running(['serve', '--config', this.file], { env: this.#env });
    this.#running = running;
    let hasEnded = false;
    void running.ended.then(() => (hasEnded = true));
    return until(() => {
      if (hasEnded) throw new Error(`the bridge ended: ${this.said}`);
      return /^listening on (\S+)$/m.exec(running.stdout)?.[1];
    }, 30_000, () => `the bridge did not start: ${this.said}`);
  }

  get pid(): number {
    return this.#running!.pid;
  }

  get said(): string {
    return `${this.#running?.stdout}${this.#running?.stderr}`;
  }

  /** Fires SIGKILL at once; resolves when it is gone. */
  kill(): Promise<Ended> {
    this.#running!.signal('SIGKILL');
    return this.#running!.ended;
  }

  stop(): ReturnType<Running['stop']> {
    return this.#running!.stop();
  }

  command(...args: readonly string[]): Promise<Ended> {
    return runCommand([...args, '--config', this.file], { env: this.#env });
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    await removeFolder(this.folder);
  }
}

/** POST /notify. */
export function tell(url: string, mailboxes: readonly string[], headers: Record<string, string> = TELLER): Promise<RawAnswer> {
  return ask(url, '/notify', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ mailboxes }) });
}

/** Of configuration.md: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`. */
export function signed(body: string, secret = SECRET, at = Date.now()): Record<string, string> {
  const t = Math.floor(at / 1_000);
  return { 'content-type': 'application/json', 'x-signature': `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}` };
}

/** What an Exchange holds, decoded by its stand-in: by the last part of the DN in lower case. */
export function messagesOf(exchange: WritableExchange): ReadonlyMap<string, PublishedMessage> {
  return new Map(exchange.published().map((one) => [one.legacyExchangeDn.slice(one.legacyExchangeDn.lastIndexOf('=') + 1).toLowerCase(), one]));
}

export function messageOf(exchange: WritableExchange, address: string): PublishedMessage | undefined {
  return messagesOf(exchange).get(localPart(address).toLowerCase());
}

/** Whether somebody is shown as busy or away during all of it. */
export function isShownBusy(message: PublishedMessage | undefined, start: number, end: number): boolean {
  return message?.intervals.merged.some((one) => one.start <= start && one.end >= end) ?? false;
}

export interface Slot {
  readonly start: number;
  readonly end: number;
}

/** The n-th quarter of an hour from tomorrow on that touches no other. */
export function slot(n: number): Slot {
  const start = today() + DAY_MS + n * 30 * MINUTE_MS;
  return { start, end: start + 15 * MINUTE_MS };
}

/** Both Exchanges show the mailbox busy then. */
export function bothShow(world: World, address: string, { start, end }: Slot): boolean {
  return world.exchanges.every(([, exchange]) => isShownBusy(messageOf(exchange, address), start, end));
}

/** Polls like `until`, for what has to be asked. */
export async function eventually<T>(look: () => Promise<T | undefined>, timeoutMs: number, otherwise: () => string = () => 'it did not happen'): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface QueueJson {
  readonly counts: readonly { readonly route: string; readonly waiting: number; readonly running: number; readonly retrying: number; readonly failed: number; readonly blocked?: string }[];
  readonly entries: readonly { readonly route: string; readonly mailbox: string; readonly state: string; readonly since: string; readonly attempts: number; readonly code?: string; readonly reason?: string }[];
}

/** `queue --json`. */
export async function queueOf(place: Place): Promise<QueueJson> {
  const { code, stdout, stderr } = await place.command('queue', '--json');
  if (code !== 0) throw new Error(`queue ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as QueueJson;
}
