import { MINUTE_MS, systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import type { CalendarStore, Entry, NewEntry } from './calendar-store.ts';
import { createControl } from './control.ts';
import { createExchange2003, EXCHANGE_2003_ORGANISATION } from './exchange-2003.ts';
import type { Exchange2003 } from './exchange-2003.ts';
import { createExchangeEws, EXCHANGE_EWS_ORGANISATION } from './exchange-ews.ts';
import type { ExchangeEws } from './exchange-ews.ts';
import { CALENDAR_NAMES, contactOf, createCast, DOMAINS, PRESENT_PERSON, ZIMBRA_DETAILS } from './people.ts';
import type { Cast } from './people.ts';
import { defaultPointerDirectory, removePointer, writePointer } from './pointer-file.ts';
import type { SandboxPointer } from './pointer-file.ts';
import { randomPassword } from './stand-in-credentials.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { createZimbra } from './zimbra.ts';
import type { Zimbra } from './zimbra.ts';

export interface SandboxOptions {
  readonly clock?: Clock;
  /** 0 or absent: any free port. */
  readonly ports?: { readonly exchange2003?: number; readonly exchangeEws?: number; readonly zimbra?: number; readonly control?: number };
  /** How the Exchange 2003 wants to be signed in to; default basic. */
  readonly exchange2003Auth?: 'basic' | 'form';
  /** Where the pointer file for `sandbox add` goes; false: nowhere (tests). Default: this user's own temporary directory. */
  readonly pointerDirectory?: string | false;
  /** How long the minutes and seconds of both Exchanges' subscriptions take; default: as long as they are. */
  readonly subscriptionMinuteMs?: number;
}

export interface SandboxConfigOptions {
  /** `http://127.0.0.1:PORT` of the bridge. */
  readonly listen: string;
  readonly dataDir: string;
  /** Of the admin listener; absent: none. */
  readonly adminListen?: string;
  /** Of the lookup; default 2s, so that the walk past a silent back end is quick. */
  readonly deadline?: string;
  /** How the bridge reads the two Exchange stand-ins; default query. */
  readonly lookup?: 'query' | 'public-folder';
  /** Whether Zimbra's free/busy is written into both Exchanges; default true. */
  readonly replication?: boolean;
  /** Whether the three directories are one address book; default false. */
  readonly addressBook?: boolean;
  /** Whether Exchange tells of changes for presence, by a gateway; default false: who is asked about is asked. */
  readonly presenceGateway?: boolean;
  /** Where the queue is kept; absent: the bridge's own Redis. */
  readonly redis?: string;
}

/** Who may ask the sandbox's bridge. */
export interface SandboxClients {
  readonly zimbra: Credentials;
  readonly exchange: Credentials;
  readonly curl: Credentials;
}

/** With what the bridge signs in at the stand-ins, without their Windows domains. */
export interface SandboxAccounts {
  readonly exchange2003: Credentials;
  readonly exchangeEws: Credentials;
  readonly zimbra: Credentials;
  /** The global administrator; free/busy is never read with it. */
  readonly zimbraAdmin: Credentials;
}

/** Three stand-ins with their calendars, listening on loopback; every credential is new. */
export interface Sandbox {
  readonly clock: Clock;
  readonly exchange2003: Exchange2003;
  readonly exchangeEws: ExchangeEws;
  readonly zimbra: Zimbra;
  readonly calendars: Cast;
  readonly clients: SandboxClients;
  readonly accounts: SandboxAccounts;
  /** Signs POST /notify. */
  readonly notifySecret: string;
  readonly control: SandboxPointer;
  /** A bridge.yaml that puts a bridge between the stand-ins (configuration.md). */
  configYaml(options: SandboxConfigOptions): string;
  /** @throws RangeError for a mailbox that no stand-in has. */
  addEntry(address: string, entry: NewEntry): Entry;
  close(): Promise<void>;
}

export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const clock = options.clock ?? systemClock;
  const calendars = createCast(clock);
  const notifySecret = randomPassword();
  const accounts: SandboxAccounts = {
    exchange2003: { username: 'bridge', password: randomPassword() },
    exchangeEws: { username: 'bridge', password: randomPassword() },
    zimbra: { username: 'bridge@zimbra.example', password: randomPassword() },
    zimbraAdmin: { username: 'bridge-admin@zimbra.example', password: randomPassword() },
  };
  const auth = options.exchange2003Auth ?? 'basic';
  const minuteMs = options.subscriptionMinuteMs ?? MINUTE_MS;
  const exchange2003 = createExchange2003({ ...accounts.exchange2003, domain: 'LEGACY', calendars: calendars.exchange2003, clock, auth, contacts: (address) => contactOf(EXCHANGE_2003_ORGANISATION, address), calendarNames: CALENDAR_NAMES, secondMs: minuteMs / 60 });
  const exchangeEws = createExchangeEws({ ...accounts.exchangeEws, domain: 'CORP', calendars: calendars.exchangeEws, clock, contacts: (address) => contactOf(EXCHANGE_EWS_ORGANISATION, address), folderNameOf: (address) => CALENDAR_NAMES[address.toLowerCase()] ?? 'Calendar', minuteMs });
  const zimbra = createZimbra({ ...accounts.zimbra, calendars: calendars.zimbra, clock, admin: accounts.zimbraAdmin, detailsOf: (address) => ZIMBRA_DETAILS[address.toLowerCase()] ?? {} });
  const clients: SandboxClients = {
    zimbra: { username: 'zimbra', password: randomPassword() },
    exchange: { username: 'exchange', password: randomPassword() },
    curl: { username: 'curl', password: randomPassword() },
  };
  const stores = [calendars.exchange2003, calendars.exchangeEws, calendars.zimbra];
  const storeOf = (address: string): CalendarStore | undefined => stores.find((one) => one.find(address) !== undefined);
  const control = createControl(storeOf, () => stores.flatMap((one) => one.mailboxes().map((mailbox) => mailbox.address)));
  const servers = [exchange2003, exchangeEws, zimbra, control];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((one) => one.close()));
  };

  try {
    const { ports } = options;
    await Promise.all([exchange2003.listen(ports?.exchange2003), exchangeEws.listen(ports?.exchangeEws), zimbra.listen(ports?.zimbra), control.listen(ports?.control)]);
  } catch (error) {
    await close();
    throw error;
  }
  const pointer: SandboxPointer = { url: control.url, token: control.token, pid: process.pid };
  const directory = options.pointerDirectory ?? defaultPointerDirectory();
  if (directory !== false) writePointer(directory, pointer);

  return {
    clock,
    exchange2003,
    exchangeEws,
    zimbra,
    calendars,
    clients,
    accounts,
    notifySecret,
    control: pointer,
    configYaml: (config) => sandboxConfig(config, { accounts, clients, notifySecret, auth, urls: { exchange2003: exchange2003.url, exchangeEws: exchangeEws.url, zimbra: zimbra.url } }),
    addEntry(address, entry) {
      const calendar = storeOf(address);
      if (calendar === undefined) throw new RangeError('no such mailbox in this sandbox');
      return calendar.add(address, entry);
    },
    async close() {
      if (directory !== false) removePointer(directory, control.token);
      await close();
    },
  };
}

interface ConfigParts {
  readonly accounts: SandboxAccounts;
  readonly clients: SandboxClients;
  readonly notifySecret: string;
  readonly auth: 'basic' | 'form';
  readonly urls: Readonly<Record<'exchange2003' | 'exchangeEws' | 'zimbra', string>>;
}

/** Whoever adds an appointment looks for it with the next question, sooner than any notification comes. */
const AT_ONCE = '0s';

/** JSON is YAML, so every value is written as JSON and nothing needs quoting by hand. */
function sandboxConfig(options: SandboxConfigOptions, parts: ConfigParts): string {
  const lookup = options.lookup ?? 'query';
  const keepsBook = options.addressBook === true;
  const client = (name: keyof SandboxClients, from: string, mayAsk: readonly string[], presence: 'none' | 'read'): object => ({
    name, ...parts.clients[name], auth: ['basic'], from, mayAsk, detail: 'busy-type', presence, gal: keepsBook ? 'search' : 'none',
  });
  const config = {
    listen: options.listen,
    ...(options.adminListen === undefined ? {} : { admin: { listen: options.adminListen } }),
    dataDir: options.dataDir,
    ...(options.redis === undefined ? {} : { redis: options.redis }),
    deadline: options.deadline ?? '2s',
    systems: {
      exchange2003: {
        type: 'exchange-webdav', url: parts.urls.exchange2003, auth: parts.auth, ...parts.accounts.exchange2003, username: `LEGACY\\${parts.accounts.exchange2003.username}`,
        domains: [DOMAINS.exchange2003], cacheFor: AT_ONCE, lookup, legacyExchangeDn: `${EXCHANGE_2003_ORGANISATION}/cn=Recipients/cn={localPart}`,
      },
      exchange: {
        type: 'exchange-ews', url: `${parts.urls.exchangeEws}/EWS/Exchange.asmx`, auth: 'basic', ...parts.accounts.exchangeEws, username: `CORP\\${parts.accounts.exchangeEws.username}`,
        domains: [DOMAINS.exchangeEws], cacheFor: AT_ONCE, lookup, legacyExchangeDn: `${EXCHANGE_EWS_ORGANISATION}/cn=Recipients/cn={localPart}`,
      },
      zimbra: { type: 'zimbra', url: parts.urls.zimbra, adminUrl: parts.urls.zimbra, ...parts.accounts.zimbra, admin: parts.accounts.zimbraAdmin, domains: [DOMAINS.zimbra], cacheFor: AT_ONCE },
    },
    clients: [
      client('zimbra', 'zimbra', ['exchange2003', 'exchange'], 'none'),
      client('exchange', 'exchange', ['zimbra'], 'none'),
      client('curl', 'outside', ['exchange2003', 'exchange', 'zimbra'], 'read'),
    ],
    ...(options.replication === false ? {} : { replication: ['exchange2003', 'exchange'].map((to) => ({ from: 'zimbra', to })), notify: { secret: parts.notifySecret } }),
    ...(keepsBook ? { gal: { sources: ['exchange2003', 'exchange', 'zimbra'].map((system) => ({ system })) } } : {}),
    // Streaming: no port of its own, so that several demonstrations get along.
    presence: { optIn: [PRESENT_PERSON], ...(options.presenceGateway === true ? { parameters: { calendarSpread: 0 }, gateways: [{ description: 'Exchange of corp.example', type: 'ews', system: 'exchange', notifications: 'streaming' }] } : {}) },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
