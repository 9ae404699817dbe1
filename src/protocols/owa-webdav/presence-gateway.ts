import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { NotificationPort } from '../../core/notification-port.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { CalendarGateway, CalendarWatch, WatchListener } from '../../presence/gateway.ts';
import type { KeptTexts } from '../../presence/publisher.ts';
import { OwaConnections, leaseOf } from './client-connections.ts';
import type { OwaLease } from './client-connections.ts';
import type { OwaEndpoint } from './client-servers.ts';
import { OwaWebdavSystem } from './client.ts';
import { CalendarFolders, mailboxPathOf } from './watch/calendar-folders.ts';
import { OwaCalendarSource } from './watch/calendar-source.ts';
import { probePresence } from './watch/presence-probe.ts';
import { SubscriptionBook } from './watch/subscription-book.ts';
import { SubscriptionRequests } from './watch/subscription-requests.ts';
import { SubscriptionWatch } from './watch/subscription-watch.ts';
import { WATCH_TIMES } from './watch/watch-times.ts';
import type { WatchTimes } from './watch/watch-times.ts';

/** The account needs Receive-As on the mailboxes; addresses of folders may lead to `hosts`, too. */
export interface WebdavPresenceOptions extends OwaEndpoint {
  /** Unique among the gateways. */
  readonly description: string;
  /** Shared with whatever else asks these servers; absent: connections of its own. */
  readonly connections?: OwaConnections | undefined;
  /** Where the server calls back by UDP; undefined: subscriptions are polled. Whoever opened it closes it. */
  readonly callBack: NotificationPort | undefined;
  /** Where calendars are, and which subscriptions there are; over restarts. */
  readonly memory: KeptTexts;
  readonly listener: WatchListener;
  /** Names of calendar folders that are tried where the server does not say; `Calendar` behind them. */
  readonly fallbackFolderNames?: readonly string[] | undefined;
  /** Path of a mailbox below the root, a slash at both ends. Default: `/exchange/{address}/`. */
  readonly mailboxPath?: ((mailbox: MailboxAddress) => string) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Other times than those of the bounds, in ms; for tests. */
  readonly times?: Partial<WatchTimes> | undefined;
}

/** PORT CalendarGateway. An Exchange 2000 SP2, 2003 or 2007 by WebDAV: its calendars by SEARCH, their changes by SUBSCRIBE, HTTPU and POLL (presence.md §B.4). */
export class WebdavPresenceGateway implements CalendarGateway {
  readonly description: string;
  readonly type = 'webdav';
  readonly source: FreeBusySource;
  readonly watch: CalendarWatch;
  readonly #options: WebdavPresenceOptions;
  readonly #lease: OwaLease;
  readonly #system: OwaWebdavSystem;
  readonly #folders: CalendarFolders;
  readonly #requests: SubscriptionRequests;

  constructor(options: WebdavPresenceOptions) {
    const { description, callBack, memory, listener, clock, logger } = options;
    this.description = description;
    this.#options = options;
    const connections = options.connections ?? new OwaConnections();
    this.#lease = leaseOf(options, connections);
    const { servers } = this.#lease;
    this.#system = new OwaWebdavSystem({ ...options, connections, name: description, lookup: 'query' });
    this.#folders = new CalendarFolders({ servers, fallbackFolderNames: options.fallbackFolderNames ?? [], mailboxPath: options.mailboxPath ?? mailboxPathOf, memory });
    const times = { ...WATCH_TIMES, ...options.times };
    this.#requests = new SubscriptionRequests({ folders: this.#folders, servers, lifetimes: times.lifetimes });
    const source = new OwaCalendarSource({ description, folders: this.#folders, servers, fallback: this.#system, clock, logger });
    this.source = source;
    this.watch = new SubscriptionWatch({
      description,
      requests: this.#requests,
      book: new SubscriptionBook({ url: servers.first.url, hosts: servers.hosts, callBack, memory, clock }),
      callBack,
      listener,
      clock,
      logger,
      times,
      remark: () => (source.coarse === 0 ? undefined : `${source.coarse} calendars may not be searched: read by cmd=freebusy, in slots of minutes`),
    });
  }

  async probe(sample: MailboxAddress | undefined, ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { auth, username, callBack, clock } = this.#options;
    return probePresence({ auth, username, servers: this.#lease.servers, folders: this.#folders, requests: this.#requests, callBack, clock }, sample, ctx);
  }

  async close(options?: { readonly unsubscribe?: boolean }): Promise<void> {
    await this.watch.close(options);
    await Promise.all([this.#lease.close(), this.#system.close()]);
  }
}
