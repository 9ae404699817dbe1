import { systemClock } from '../../src/core/clock.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import { PEER } from '../peers/peer-world.ts';
import { AD_BASE, ZIMBRA_BASE, startSlapd } from '../peers/slapd.ts';
import type { Slapd, SlapdOptions } from '../peers/slapd.ts';
import { Running, startBridge, until } from './bridge-process.ts';
import type { BridgeOptions, RunningBridge } from './bridge-process.ts';

export { hasSlapd } from '../peers/slapd.ts';

/** Who asks: a Zimbra and an Exchange that may search, somebody who may take everything, somebody who may not look. */
export const ASKERS = {
  zimbra: { username: 'zimbra', password: 'pw-of-the-zimbra' },
  exchange: PEER,
  sync: { username: 'sync', password: 'pw of sync' },
  none: { username: 'none', password: 'pw-of-none' },
} as const;
export type Asker = { readonly username: string; readonly password: string };

export const STAFF = `ou=Staff,${AD_BASE}`;
export const ACCOUNTS = `ou=people,${ZIMBRA_BASE}`;

/** An entry of Active Directory below STAFF, as LDIF; `more` are further lines. */
export function adPerson(cn: string, ...more: readonly string[]): string {
  return `dn: cn=${cn},${STAFF}\nobjectClass: user\nobjectClass: mailRecipient\ncn: ${cn}\nsn: ${cn.split(' ').at(-1)!}\n${more.map((line) => `${line}\n`).join('')}\n`;
}

/** An account of Zimbra below ACCOUNTS, as LDIF; its zimbraId is made of `number`. */
export function zimbraAccount(uid: string, displayName: string, number: number, ...more: readonly string[]): string {
  const mail = more.some((line) => line.startsWith('mail:')) ? [] : [`zimbraMailDeliveryAddress: ${uid}@zimbra.example`, `mail: ${uid}@zimbra.example`];
  const id = `zimbraId: aaaaaaaa-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return `${[`dn: uid=${uid},${ACCOUNTS}`, 'objectClass: inetOrgPerson', 'objectClass: zimbraMailRecipient', 'objectClass: zimbraAccount', `uid: ${uid}`, `cn: ${displayName}`, `sn: ${displayName.split(' ').at(-1)!}`, `displayName: ${displayName}`, id, ...mail, ...more].join('\n')}\n\n`;
}

/** A Zimbra and an Exchange of the sandbox with their calendars, and the directories of both in real slapds. */
export interface TwoDirectories {
  readonly ad: Slapd;
  /** The same process as `ad`, unless `apart`. */
  readonly accounts: Slapd;
  readonly exchange: ExchangeEws;
  /** anna@, bernd@ and the like are not in them by themselves: `addMailbox`. */
  readonly calendars: { readonly exchange: CalendarStore; readonly zimbra: CalendarStore };
  /** A bridge.yaml of both, with their directories as sources; shared.example is of both. */
  config(more?: Record<string, unknown>): Record<string, unknown>;
  /** Starts the built bridge and waits until it has read both directories. */
  start(more?: Record<string, unknown>, options?: BridgeOptions): Promise<GalBridge>;
  close(): Promise<void>;
}

export interface GalBridge extends RunningBridge {
  /** `ldap://127.0.0.1:PORT` */
  readonly ldapUrl: string;
}

export interface TwoDirectoriesOptions {
  /** A slapd for each. */
  readonly apart?: boolean;
  /** LDIF beside the trees of test/peers/slapd. */
  readonly people?: string;
  readonly slapd?: SlapdOptions;
}

const ADMIN = { username: 'admin@zimbra.example', password: 'pw-of-the-admin' };
/** Of Exchange, where its directory has no contact for somebody. */
export const TEMPLATE = '/o=Corp/ou=By Template/cn=Recipients/cn={localPart}';

export async function openTwoDirectories({ apart = false, people, slapd = {} }: TwoDirectoriesOptions = {}): Promise<TwoDirectories> {
  const clock = systemClock;
  const calendars = { exchange: createCalendarStore(), zimbra: createCalendarStore([{ address: 'bridge@zimbra.example', displayName: 'Bridge' }]) };
  const zimbra = createZimbra({ username: 'bridge@zimbra.example', password: 'pw-zimbra', calendars: calendars.zimbra, clock, admin: ADMIN });
  const exchange = createExchangeEws({ username: 'bridge', password: 'pw-ews', domain: 'CORP', calendars: calendars.exchange, clock });
  await Promise.all([zimbra.listen(), exchange.listen()]);
  const ad = await startSlapd({ tree: apart ? 'ad' : 'both', ...slapd });
  const accounts = apart ? await startSlapd({ tree: 'zimbra' }) : ad;
  if (people !== undefined) await ad.add(people);
  const sources = [
    { type: 'ldap', url: ad.url.href, base: AD_BASE, bindDn: ad.bindDn, password: ad.password, home: 'exchange' },
    { type: 'ldap', url: accounts.url.href, base: ZIMBRA_BASE, bindDn: accounts.bindDn, password: accounts.password, home: 'zimbra' },
  ];
  const config = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
    listen: 'http://127.0.0.1:0',
    deadline: '3s',
    systems: {
      zimbra: { type: 'zimbra', url: zimbra.url, adminUrl: zimbra.url, admin: ADMIN, username: 'bridge@zimbra.example', password: 'pw-zimbra', domains: ['zimbra.example', 'shared.example'] },
      exchange: { type: 'exchange-ews', url: `${exchange.url}/EWS/Exchange.asmx`, username: 'CORP\\bridge', password: 'pw-ews', domains: ['corp.example', 'shared.example'], legacyExchangeDn: TEMPLATE },
    },
    clients: [
      { name: 'zimbra', ...ASKERS.zimbra, from: 'zimbra', mayAsk: ['exchange'], gal: 'search' },
      { name: 'exchange', ...ASKERS.exchange, from: 'exchange', mayAsk: ['zimbra'], gal: 'search' },
      { name: 'sync', ...ASKERS.sync, from: 'outside', mayAsk: ['exchange', 'zimbra'], gal: 'sync' },
      { name: 'none', ...ASKERS.none, from: 'outside', mayAsk: ['exchange', 'zimbra'], gal: 'none' },
    ],
    gal: { sources, ldap: { listen: 'ldap://127.0.0.1:0' } },
    ...more,
  });
  return {
    ad,
    accounts,
    exchange,
    calendars,
    config,
    start: async (more, options) => {
      const bridge = await startBridge(config(more), options);
      await hasReadAll(bridge.process, 2);
      return { ...bridge, ldapUrl: bridge.urls.at(-1)! };
    },
    close: async () => {
      await Promise.all([...new Set([ad, accounts])].map((one) => one.close()));
      await Promise.all([zimbra.close(), exchange.close()]);
    },
  };
}

/** Waits until so many sources were read for the first time. */
export async function hasReadAll(bridge: Running, count: number): Promise<void> {
  await until(() => (bridge.stderr.match(/"a directory was read"/g)?.length ?? 0) >= count || undefined, 20_000, () => `the directories were not read: ${bridge.stderr}`);
}

/** `serve` once more with the same file and dataDir; gives its URLs (the LDAP face last) and how long it took to its first `listening`. */
export async function startAgain({ file }: RunningBridge, listeners = 2): Promise<{ readonly process: Running; readonly url: string; readonly ldapUrl: string; readonly tookMs: number }> {
  const begun = performance.now();
  const process = new Running(['serve', '--config', file]);
  const urls = await until(() => {
    const found = [...process.stdout.matchAll(/^listening on (\S+)$/gm)].map((match) => match[1]!);
    return found.length >= listeners ? found : undefined;
  }, 15_000, () => `the bridge did not start again: ${process.stdout}\n${process.stderr}`);
  return { process, url: urls[0]!, ldapUrl: urls.at(-1)!, tookMs: performance.now() - begun };
}

/** Ends a process at once and waits until it is gone. */
export async function killed(process: Running): Promise<void> {
  process.signal('SIGKILL');
  await process.ended;
}

/** Asks again and again until the answer is right; gives how long it took. The last wrong one is said. */
export async function becomes<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean, withinMs = 60_000): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const answer = await ask();
    const tookMs = performance.now() - begun;
    if (isRight(answer)) return tookMs;
    if (tookMs > withinMs) throw new Error(`after ${Math.round(tookMs)} ms still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** Figures of a run, on a line of their own. */
export function report(line: string): void {
  process.stdout.write(`  [address book] ${line}\n`);
}

