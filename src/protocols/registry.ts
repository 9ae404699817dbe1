import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { SystemConfig, ZimbraConfig } from '../config/config.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { CalendarSystem } from '../freebusy/calendar-system.ts';
import type { ChangeFeed, FeedMemory } from '../freebusy/change-feed.ts';
import type { Roster } from '../freebusy/roster.ts';
import type { Addressee, SinkSystem } from '../freebusy/sink.ts';
import { ExchangeEwsSystem } from './ews/client.ts';
import { ExchangeEwsSink } from './ews/sink.ts';
import { IfbSystem } from './ifb/client.ts';
import { OwaWebdavSystem } from './owa-webdav/client.ts';
import { OwaWebdavSink } from './owa-webdav/sink.ts';
import { ZimbraSystem } from './zimbra-soap/client.ts';
import { createZimbraHome } from './zimbra-soap/home.ts';

export interface SystemServices {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes the client of a configured system: one line for every type. */
export function createSystem(config: SystemConfig, services: SystemServices): CalendarSystem {
  const common = { name: config.name, ca: config.ca, hosts: config.hosts, probeMailbox: config.mailboxes[0], ...services };
  switch (config.type) {
    case 'exchange-ews':
      return new ExchangeEwsSystem({ ...common, ...exchangeOptions(config), probeDomain: config.domains[0] });
    case 'exchange-webdav':
      return new OwaWebdavSystem({ ...common, ...exchangeOptions(config), auth: config.auth });
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
  const common = { name: config.name, ca: config.ca, hosts: config.hosts, ...services, ...exchangeOptions(config), legacyExchangeDn: config.legacyExchangeDn };
  return config.type === 'exchange-ews' ? new ExchangeEwsSink({ ...common, probeDomain: config.domains[0] }) : new OwaWebdavSink({ ...common, auth: config.auth });
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
export function createHome(config: SystemConfig, services: SystemServices & { readonly memory: FeedMemory }): ReplicationHome | undefined {
  if (config.type !== 'zimbra' || config.admin === undefined) return undefined;
  const { name, ca, hosts, domains, mailboxes, url, adminUrl, admin } = config;
  return createZimbraHome({ name, adminUrl: adminUrl ?? url, username: admin.username, password: admin.password.reveal(), ca, hosts, domains, mailboxes, ...services });
}

function exchangeOptions(config: Extract<SystemConfig, { type: 'exchange-ews' | 'exchange-webdav' }>) {
  const { url, username, password, lookup, legacyExchangeDn } = config;
  return { url, username, password: password.reveal(), lookup, legacyExchangeDn };
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
