import type { RequestContext } from '../../core/request-context.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { FeedMemory } from '../../freebusy/change-feed.ts';
import { AccountLookup } from './account-lookup.ts';
import { ZimbraRoster } from './accounts.ts';
import { ZimbraAdmin } from './admin-client.ts';
import type { ZimbraAdminOptions } from './admin-client.ts';
import { probeZimbraHome } from './admin-probe.ts';
import { ZimbraChangeFeed } from './change-feed.ts';
import type { FeedTiming } from './change-feed.ts';

export interface ZimbraHomeOptions extends ZimbraAdminOptions {
  /** Lower case; whose accounts live here. */
  readonly domains: readonly string[];
  /** Exact addresses that live here beside the domains. */
  readonly mailboxes: readonly MailboxAddress[];
  /** Where the feed keeps its place over restarts. */
  readonly memory: FeedMemory;
  /** For tests. */
  readonly timing?: FeedTiming;
}

/** A Zimbra that is replicated from, by its administrator's account: who lives there, and what changes. */
export interface ZimbraHome {
  readonly roster: ZimbraRoster;
  readonly feed: ZimbraChangeFeed;
  /** Sign-in, mail stores, WaitSets, accounts, Zimbra's own push; never throws. */
  probe(ctx: RequestContext): Promise<readonly ProbeFinding[]>;
  /** Ends its connections. Stop the feed first. */
  close(): Promise<void>;
}

export function createZimbraHome(options: ZimbraHomeOptions): ZimbraHome {
  const { name, domains, mailboxes, memory, clock, logger, timing } = options;
  const admin = new ZimbraAdmin(options);
  const roster = new ZimbraRoster({ lookup: new AccountLookup(admin, name, logger), domains, mailboxes, clock });
  const feed = new ZimbraChangeFeed({ name, admin, roster, memory, logger, timing });
  return { roster, feed, probe: async ({ signal }) => probeZimbraHome({ admin, roster }, signal), close: async () => admin.close() };
}
