import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { RequestContext } from '../../src/core/request-context.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import type { SourceEntry } from '../../src/directory/entry-source.ts';
import { BackEnds } from '../../src/protocols/back-ends.ts';
import { createEntrySources, createHome, createSystem } from '../../src/protocols/registry.ts';
import { AutodiscoverClient } from '../../src/protocols/autodiscover/client.ts';
import { WebhookPublisher } from '../../src/protocols/webhook/publisher.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { BackEnd, openBackEnd, systemFor } from '../flows/back-ends.ts';
import type { Canned, Kind, Seen } from '../flows/back-ends.ts';
import { MEETINGS, OTHER_MEETINGS } from '../flows/every-kind.ts';
import { WINDOW } from '../flows/raw-http.ts';

/** A client of ours, made for one server and gone with it. */
export interface Asking {
  /** What it says, as text that can be compared; `no data: CODE` for everything that it does not say. Throws what it throws. */
  ask(signal: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** One of ours, and a good server for it. */
export interface ClientUnderTest {
  readonly name: string;
  /** The URL behind which the good server stands. */
  readonly good: URL;
  /** @param url of a server in place of the good one */
  open(url: URL): Promise<Asking>;
  /** Its answers say whom they are about. */
  readonly knowsWhom: boolean;
  /** It tells, and is told only that it was heard. */
  readonly isTelling?: true;
  /** One connection may stay a while after a question that nobody waits for: it signs in for everybody else. */
  readonly signsInForAll?: true;
}

const NOT_SAID = 'no data: ';
export const isNotSaid = (text: string): boolean => text.startsWith(NOT_SAID);

const ANNA = 'anna@corp.example';
const own = { clock: systemClock, logger: silentLogger };
const services = { backEnds: new BackEnds(own), ...own };
const folders: string[] = [];
const ends: (() => Promise<unknown>)[] = [];

async function configOf(text: string): Promise<Config> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-faults-'));
  folders.push(folder);
  await writeFile(join(folder, 'bridge.yaml'), text);
  return loadConfig(join(folder, 'bridge.yaml'), {});
}

function contextWith(signal: AbortSignal): RequestContext {
  const requester = { name: 'test', from: 'outside', mayAsk: 'all', detail: 'details', anonymous: false, presence: 'none' } as const;
  return { requestId: 'faults', requester, hops: 0, deadline: Date.now() + 1_000, signal };
}

/** A calendar system, as it is configured: asked about Anna. */
async function calendars(config: Config, name: string): Promise<Asking> {
  const system = createSystem(config.systems.find((one) => one.name === name)!, services);
  return {
    ask: async (signal) => {
      const results = await system.freeBusy({ mailboxes: [parseMailboxAddress(ANNA)!], window: WINDOW, details: false }, contextWith(signal));
      return results.map((one) => ('error' in one ? `${NOT_SAID}${one.error.code}` : one.freeBusy.busy.length > 0 && one.freeBusy.busy.every((stretch) => stretch.busyType === 'no-data') ? `${NOT_SAID}inside` : JSON.stringify(one.freeBusy.busy.map(({ start, end, busyType }) => [start, end, busyType]))));
    },
    close: () => system.close(),
  };
}

/** A directory of a system. */
async function directory(config: Config, name: string): Promise<Asking> {
  const { reader } = createEntrySources(config, services).find(({ source }) => source.home === name)!;
  return {
    ask: async (signal) => {
      const entries = new Map<string, SourceEntry>();
      const { isWhole } = await reader.read(undefined, async (batch) => batch.entries?.forEach((one) => entries.set(one.id, one)), signal);
      return [isWhole ? JSON.stringify([...entries.values()].map((one) => one.address).sort()) : `${NOT_SAID}not whole`];
    },
    close: () => reader.close(),
  };
}

async function ofCalendars(kind: Kind, knowsWhom: boolean, more: Pick<ClientUnderTest, 'signsInForAll'> = {}): Promise<ClientUnderTest> {
  const backEnd = await openBackEnd(kind, { [ANNA]: MEETINGS, 'ben@corp.example': OTHER_MEETINGS }, 'corp.example');
  ends.push(() => backEnd.close());
  const open = async (url: URL): Promise<Asking> => calendars(await configOf(JSON.stringify({ systems: { home: systemFor(kind, { url: url.origin }) } })), 'home');
  return { name: kind, good: new URL(backEnd.url), open, knowsWhom, ...more };
}

/** An answer of Autodiscover, from the sheet (exchange.md §4.3). */
const found = (ews: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse><ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true"/><UserSettingErrors/><UserSettings><UserSetting i:type="StringSetting"><Name>ExternalEwsUrl</Name><Value>${ews}</Value></UserSetting></UserSettings></UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>`;

async function ofAutodiscover(): Promise<ClientUnderTest> {
  const honest = (seen: Seen): Canned =>
    seen.headers.authorization === undefined ? { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } : { headers: { 'content-type': 'text/xml; charset=utf-8' }, body: found('https://mail.corp.example/EWS/Exchange.asmx') };
  const backEnd = await BackEnd.open(honest);
  ends.push(() => backEnd.close());
  const open = async (url: URL): Promise<Asking> => {
    const client = new AutodiscoverClient({ name: 'home', mailbox: parseMailboxAddress(ANNA)!, url, authentications: [{ kind: 'basic', username: 'x', password: 'y' }], hosts: [], ...own });
    return { ask: async (signal) => (await client.find(signal)).map((one) => one.href), close: () => client.close() };
  };
  // One walk is everybody's.
  return { name: 'autodiscover', good: new URL('/autodiscover/autodiscover.svc', backEnd.url), open, knowsWhom: false, signsInForAll: true };
}

async function ofWebhook(): Promise<ClientUnderTest> {
  const backEnd = await BackEnd.open(() => ({ status: 200, body: 'taken, with thanks' }));
  ends.push(() => backEnd.close());
  const open = async (url: URL): Promise<Asking> => {
    const publisher = new WebhookPublisher({ url: url.href, secret: 'secret-of-the-webhook', ...services });
    const shown = { state: 'in-a-meeting', until: null, reason: 'calendar', since: 0, next: null, text: 'In a meeting', language: 'en' } as never;
    return { ask: async (signal) => (await publisher.publish(parseMailboxAddress(ANNA)!, shown, signal), ['taken']), close: () => publisher.close() };
  };
  return { name: 'webhook', good: new URL(backEnd.url), open, knowsWhom: false, isTelling: true };
}

/** What the sandbox has beside calendars: directories, form logon, Zimbra's administration. */
async function ofSandbox(): Promise<readonly ClientUnderTest[]> {
  const sandbox = await createSandbox({ exchange2003Auth: 'form', pointerDirectory: false });
  ends.push(() => sandbox.close());
  const { exchange2003, exchangeEws, zimbra } = sandbox;
  const text = sandbox.configYaml({ listen: 'http://127.0.0.1:0', dataDir: 'data', addressBook: true, replication: false });
  const at = (good: URL, url: URL): Promise<Config> => configOf(text.replaceAll(good.origin, url.origin));
  const one = (name: string, server: { readonly url: string }, open: (config: Config) => Promise<Asking>): ClientUnderTest => {
    const good = new URL(server.url);
    return { name, good, open: async (url) => open(await at(good, url)), knowsWhom: false, ...(server === exchangeEws ? {} : { signsInForAll: true }) };
  };
  const mailbox = (address: string) => async (config: Config): Promise<Asking> => {
    const home = createHome(config.systems.find(({ name }) => name === 'zimbra')!, { ...services, memory: { load: async () => undefined, save: async () => undefined } })!;
    return { ask: async (signal) => [JSON.stringify(await home.roster.find(parseMailboxAddress(address)!, signal, { fresh: true })) ?? 'nobody'], close: () => home.close() };
  };
  const kim = sandbox.calendars.zimbra.mailboxes()[0]!.address;
  const form = sandbox.calendars.exchange2003.mailboxes()[0]!.address;
  return [
    one('address list of an Exchange over EWS', exchangeEws, (config) => directory(config, 'exchange')),
    one('address list of an Exchange 2003', exchange2003, (config) => directory(config, 'exchange2003')),
    one('address list of a Zimbra', zimbra, (config) => directory(config, 'zimbra')),
    one('form logon of an Exchange 2003', exchange2003, (config) => calendarOf(config, 'exchange2003', form)),
    one('administration of a Zimbra', zimbra, mailbox(kim)),
  ];
}

async function calendarOf(config: Config, name: string, address: string): Promise<Asking> {
  const system = createSystem(config.systems.find((one) => one.name === name)!, services);
  const start = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  return {
    ask: async (signal) => {
      const [result] = await system.freeBusy({ mailboxes: [parseMailboxAddress(address)!], window: { start, end: start + 7 * 86_400_000 }, details: false }, contextWith(signal));
      return ['error' in result! ? `${NOT_SAID}${result.error.code}` : JSON.stringify(result!.freeBusy.busy.map((one) => [one.start, one.end, one.busyType]))];
    },
    close: () => system.close(),
  };
}

/** Every client of ours: one line each. */
export async function openClients(): Promise<readonly ClientUnderTest[]> {
  return [
    await ofCalendars('exchange-webdav', true),
    await ofCalendars('exchange-webdav public-folder', true),
    // GetUserAvailability answers by position.
    await ofCalendars('exchange-ews', false),
    await ofCalendars('exchange-ews public-folder', true),
    await ofCalendars('zimbra', true, { signsInForAll: true }),
    // A VFREEBUSY need not say whose it is.
    await ofCalendars('ifb', false),
    await ofAutodiscover(),
    await ofWebhook(),
    ...(await ofSandbox()),
  ];
}

export async function closeClients(): Promise<void> {
  for (const end of ends.splice(0)) await end();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
}
