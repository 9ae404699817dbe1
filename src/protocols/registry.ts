import { hash } from 'node:crypto';
import { basename } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { Config, ExchangeEwsConfig, ExchangeSignIn, ExchangeWebdavConfig, SystemConfig, ZimbraConfig } from '../config/config.ts';
import type { GatewayConfig, PresenceParameters, PublisherConfig } from '../config/presence-config.ts';
import type { NotificationPort } from '../core/notification-port.ts';
import type { EntrySource } from '../directory/entry-source.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { CalendarSystem } from '../freebusy/calendar-system.ts';
import type { ChangeFeed, FeedMemory } from '../freebusy/change-feed.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Roster } from '../freebusy/roster.ts';
import type { Addressee, SinkSystem } from '../freebusy/sink.ts';
import type { KeptSource } from '../gal/source-reading.ts';
import type { CalendarGateway, WatchListener } from '../presence/gateway.ts';
import type { KeptTexts, PresencePublisher } from '../presence/publisher.ts';
import { AddressFileSource } from './address-file/entry-source.ts';
import { EjabberdPublisher } from './ejabberd/publisher.ts';
import type { AutodiscoverClient } from './autodiscover/client.ts';
import type { BackEnds } from './back-ends.ts';
import { ExchangeEwsSystem } from './ews/client.ts';
import { EwsGalSource } from './ews/gal-source.ts';
import { EwsPresenceGateway } from './ews/presence-gateway.ts';
import { ExchangeEwsSink } from './ews/sink.ts';
import { LdapSource } from './ldap/source.ts';
import { IfbSystem } from './ifb/client.ts';
import { OwaWebdavSystem } from './owa-webdav/client.ts';
import { OwaGalSource } from './owa-webdav/gal-source.ts';
import { WebdavPresenceGateway } from './owa-webdav/presence-gateway.ts';
import { OwaWebdavSink } from './owa-webdav/sink.ts';
import { SipPublisher } from './sip/publisher.ts';
import { WebhookPublisher } from './webhook/publisher.ts';
import { XmppPublisher } from './xmpp/publisher.ts';
import { ZimbraSystem } from './zimbra-soap/client.ts';
import { ZimbraGalSource } from './zimbra-soap/gal-source.ts';
import { createZimbraHome } from './zimbra-soap/home.ts';

export interface SystemServices {
  readonly backEnds: BackEnds;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the address book says is a mailbox's legacyExchangeDN in the named Exchange. */
  readonly directoryDn?: ((mailbox: MailboxAddress, system: string) => string | undefined) | undefined;
}

/** Makes the client of a configured system: one line for every type. */
export function createSystem(config: SystemConfig, { clock, logger, backEnds, directoryDn }: SystemServices): CalendarSystem {
  const common = { name: config.name, ca: config.ca, minTlsVersion: config.minTlsVersion, hosts: config.hosts, probeMailbox: config.mailboxes[0], concurrency: config.concurrency, clock, logger, loads: backEnds.loads, directoryDn: dnIn(config, directoryDn) };
  switch (config.type) {
    case 'exchange-ews':
      return foundBy(backEnds.discovery(config), new ExchangeEwsSystem({ ...common, ...exchangeOptions(config), ...backEnds.ews(config), impersonate: config.impersonate, probeDomain: config.domains[0] }));
    case 'exchange-webdav':
      return new OwaWebdavSystem({ ...common, ...exchangeOptions(config), ...backEnds.webdav(config) });
    case 'zimbra':
      return config.username === undefined || config.password === undefined
        ? unreadable(config)
        : new ZimbraSystem({ ...common, url: config.url, username: config.username, password: config.password.reveal() });
    case 'ifb':
      return new IfbSystem({ ...common, url: config.urlTemplate.reveal(), username: config.username, password: config.password?.reveal() });
  }
}

/**
 * Makes what writes into a configured system.
 *
 * @param probeAddressee gives somebody who is replicated into it, for `check`
 * @throws BridgeError CONFIGURATION where nothing can be replicated into it
 */
export function createSink(config: SystemConfig, services: SystemServices & { readonly probeAddressee?: (() => Promise<Addressee | undefined>) | undefined }): SinkSystem {
  if ((config.type !== 'exchange-ews' && config.type !== 'exchange-webdav') || config.legacyExchangeDn === undefined) {
    throw new BridgeError('CONFIGURATION', `nothing can be replicated into ${config.name}: it must be an Exchange with legacyExchangeDn`);
  }
  const { backEnds, ...rest } = services;
  const { name, ca, minTlsVersion, hosts, concurrency, legacyExchangeDn } = config;
  const common = { name, ca, minTlsVersion, hosts, concurrency, ...rest, legacyExchangeDn, directoryDn: dnIn(config, services.directoryDn) };
  return config.type === 'exchange-ews' ? new ExchangeEwsSink({ ...common, ...backEnds.ews(config), impersonate: config.impersonate, probeDomain: config.domains[0] }) : new OwaWebdavSink({ ...common, ...backEnds.webdav(config) });
}

/** What a system that is replicated from can tell: who lives there, and what changes. */
export interface ReplicationHome {
  readonly roster: Roster;
  readonly feed: ChangeFeed;
  /** Never throws. */
  probe(ctx: RequestContext): Promise<readonly ProbeFinding[]>;
  /** Ends its connections. Stop the feed first. */
  close(): Promise<void>;
}

/** Undefined where the system cannot tell, or no account is configured that may hear it. */
export function createHome(config: SystemConfig, { backEnds, ...services }: SystemServices & { readonly memory: FeedMemory }): ReplicationHome | undefined {
  if (config.type !== 'zimbra' || config.admin === undefined) return undefined;
  const { name, ca, minTlsVersion, hosts, domains, mailboxes, url, adminUrl, admin, concurrency } = config;
  return createZimbraHome({ name, adminUrl: adminUrl ?? url, username: admin.username, password: admin.password.reveal(), ca, minTlsVersion, hosts, domains, mailboxes, concurrency, loads: backEnds.loads, ...services });
}

/** What `check` says of a system begins with how its servers are found. */
function foundBy(discovery: AutodiscoverClient | undefined, system: CalendarSystem): CalendarSystem {
  if (discovery === undefined) return system;
  return {
    freeBusy: (query, ctx) => system.freeBusy(query, ctx),
    probe: async (ctx) => {
      const findings = await discovery.probe(ctx.signal);
      return findings.some(({ outcome }) => outcome === 'fail') ? findings : [...findings, ...(await system.probe(ctx))];
    },
    close: () => system.close(),
  };
}

function exchangeOptions({ lookup, legacyExchangeDn }: ExchangeEwsConfig | ExchangeWebdavConfig) {
  return { lookup, legacyExchangeDn };
}

function dnIn({ name }: SystemConfig, directoryDn: SystemServices['directoryDn']) {
  return directoryDn === undefined ? undefined : (mailbox: MailboxAddress) => directoryDn(mailbox, name);
}

/** A Zimbra that is only pushed from has no account to read with: its mailboxes are no data, with that reason. */
function unreadable(config: ZimbraConfig): CalendarSystem {
  const error = new BridgeError('NO_DATA', 'no account is configured to read this system', { details: { system: config.name } });
  return {
    freeBusy: async ({ mailboxes }) => mailboxes.map((mailbox) => ({ mailbox, error })),
    probe: async () => [{ step: 'sign-in', outcome: 'warn', text: 'no username and password: nobody can ask about its mailboxes', advice: 'fine where it is only replicated from' }],
    close: async () => undefined,
  };
}

/**
 * Makes what reads the address book's directories, in the configured order. Systems' own directories are read with the account that reads their calendars.
 */
export function createEntrySources(config: Pick<Config, 'gal' | 'systems'>, services: SourceServices): readonly KeptSource[] {
  return config.gal.sources.map((source, rank): KeptSource => {
    if (source.kind === 'system') {
      const system = config.systems.find(({ name }) => name === source.system);
      if (system === undefined) throw new BridgeError('CONFIGURATION', `no system named ${source.system}`);
      return { source: { key: JSON.stringify(['system', system.name]), label: system.name, home: system.name, rank }, reader: systemDirectory(system, services), settings: settingsOf(system) };
    }
    if (source.kind === 'file') {
      const label = basename(source.path);
      return { source: { key: JSON.stringify(['file', source.path]), label, home: source.home, rank }, reader: new AddressFileSource({ label, path: source.path, ...services }) };
    }
    const { url, base, bindDn, password, filter, startTls, ca, attributes, home } = source;
    const address = `${url.protocol}://${url.host.includes(':') ? `[${url.host}]` : url.host}:${url.port}`;
    const label = url.host;
    return {
      source: { key: JSON.stringify(['ldap', url.host, url.port, base, filter ?? '']), label, home, rank },
      reader: new LdapSource({ label, url: new URL(address), base, bindDn, password: password?.reveal(), filter, startTls, ca, attributes, ...services }),
    };
  });
}

/** Which of its entries are mailboxes is a matter of its domains, and what they are one of the server and the account. */
function settingsOf(system: SystemConfig): string {
  const { type, domains, mailboxes } = system;
  const server = 'servers' in system ? [system.servers[0], system.username] : 'url' in system ? [system.url, system.username] : [];
  const admin = 'admin' in system ? [system.adminUrl, system.admin?.username] : [];
  return hash('sha256', JSON.stringify([type, domains, mailboxes, server, admin]), 'hex').slice(0, 40);
}

interface SourceServices {
  readonly backEnds: BackEnds;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The directory of a calendar system. @throws BridgeError CONFIGURATION where it has none */
function systemDirectory(config: SystemConfig, { backEnds, ...services }: SourceServices): EntrySource {
  const { name, ca, minTlsVersion, hosts, domains, mailboxes, concurrency } = config;
  const common = { label: name, name, ca, minTlsVersion, hosts, domains, mailboxes, concurrency, loads: backEnds.loads, ...services };
  switch (config.type) {
    case 'zimbra': {
      const { url, adminUrl, username, password, admin } = config;
      if (username === undefined || password === undefined) throw new BridgeError('CONFIGURATION', `no account is configured to read ${name}`);
      return new ZimbraGalSource({
        ...common,
        url,
        username,
        password: password.reveal(),
        ...(admin === undefined ? {} : { admin: { adminUrl: adminUrl ?? url, username: admin.username, password: admin.password.reveal() } }),
      });
    }
    case 'exchange-ews':
      return new EwsGalSource({ ...common, ...backEnds.ews(config), impersonate: config.impersonate });
    case 'exchange-webdav':
      return new OwaGalSource({ ...common, ...backEnds.webdav(config) });
    case 'ifb':
      throw new BridgeError('CONFIGURATION', `${name} has no directory`);
  }
}

export interface GatewayServices {
  /** Of the same configuration. */
  readonly systems: readonly SystemConfig[];
  readonly backEnds: BackEnds;
  readonly parameters: PresenceParameters;
  readonly callBack: NotificationPort | undefined;
  /** Whether Exchange can call us by what is configured. */
  readonly isReachable: boolean;
  readonly memory: KeptTexts;
  readonly listener: WatchListener;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes a presence gateway; nothing is asked before somebody is followed. */
export function createGateway(config: GatewayConfig, { parameters, backEnds, systems, ...services }: GatewayServices): CalendarGateway {
  const { description, hosts, ca, nameCheck, minTlsVersion } = config;
  const common = { description, hosts, ca, nameCheck, minTlsVersion, ...services };
  const accountConcurrency = concurrencyBeside(config, systems);
  // Polled: the server is not asked to call.
  if (config.type === 'webdav') return new WebdavPresenceGateway({ ...common, concurrency: accountConcurrency, ...backEnds.webdav(config), ...(config.notifications === 'poll' ? { callBack: undefined } : {}) });
  return new EwsPresenceGateway({
    ...common,
    ...backEnds.ews(config),
    notifications: config.notifications,
    statusFrequencyMinutes: parameters.ewsStatusFrequency,
    apply: parameters.apply,
    timeoutMs: parameters.exchangeTimeoutMs,
    concurrency: parameters.exchangeThreads,
    accountConcurrency,
  });
}

/** How much the system's account may ask at the same time that is the gateway's too: what both send counts together, so there is one number for it. */
function concurrencyBeside(gateway: GatewayConfig, systems: readonly SystemConfig[]): number | undefined {
  const names = new Set(accountNames(gateway.signIn));
  const isSameServer = (servers: readonly URL[]): boolean => servers.length === 0 || gateway.servers.length === 0 || servers.some((one) => gateway.servers.some(({ origin }) => origin === one.origin));
  const beside = systems.find((one) => (one.type === 'exchange-ews' || one.type === 'exchange-webdav') && one.concurrency !== undefined && isSameServer(one.servers) && accountNames(one.signIn).some((name) => names.has(name)));
  return beside?.concurrency;
}

function accountNames(signIn: ExchangeSignIn): readonly string[] {
  return signIn.kind === 'oauth' ? [signIn.oauth.clientId] : signIn.accounts.map(({ username }) => username.toLowerCase());
}

export interface PublisherServices {
  /** @param label of the publisher */
  readonly memoryOf: (label: string) => KeptTexts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes what shows availability somewhere; nothing is opened before `start`. */
export function createPublisher(config: PublisherConfig, { memoryOf, clock, logger }: PublisherServices): PresencePublisher {
  switch (config.type) {
    case 'sip': {
      const { server, username, password, ca, expiresMs } = config;
      return new SipPublisher({ server, username, password: password?.reveal(), ca, expiresMs, memory: memoryOf(`sip ${server.transport} ${server.host}:${server.port}`), clock, logger });
    }
    case 'xmpp':
      return new XmppPublisher({ component: config.component, server: config.server, secret: config.secret.reveal(), clock, logger });
    case 'ejabberd': {
      const { url, username, password, ca, busyShow } = config;
      return new EjabberdPublisher({ url, username, password: password?.reveal(), ca, busyShow, memory: memoryOf(`ejabberd ${url.host}`), clock, logger });
    }
    case 'webhook':
      return new WebhookPublisher({ url: config.url.reveal(), secret: config.secret.reveal(), ca: config.ca, clock, logger });
  }
}
