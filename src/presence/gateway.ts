import type { Instant } from '../core/clock.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusySource } from '../freebusy/source.ts';

export const GATEWAY_TYPES = ['ews', 'webdav'] as const;
export type GatewayType = (typeof GATEWAY_TYPES)[number];

/**
 * How changes of one calendar are heard of. `live`: the server tells, and we can prove that we hear it. `hinted`: the server tells, but what is lost on the way
 * stays unknown (push not called yet, HTTPU). `polled`: nobody tells. `starting`: not settled yet.
 */
export type WatchMode = 'live' | 'hinted' | 'polled' | 'starting';

/** What a watch tells. It never says what has changed: whoever hears it reads the calendar again. */
export interface WatchListener {
  /** These calendars may have changed; distinct. Cheap to call, also for mailboxes that nobody follows. `reason`: `notified`, `resubscribed`, `missed`, `renewed`. */
  changed(mailboxes: readonly MailboxAddress[], reason: string): void;
  /** The mailbox itself cannot be watched (no mailbox, no right): one line for status and log. Undefined: that is over. */
  trouble(mailbox: MailboxAddress, reason: string | undefined): void;
}

/** How it stands with a watch; for status and metrics. */
export interface WatchStatus {
  /** `streaming`, `push`, `pull`, `subscribe` (WebDAV), `poll`, `feed`. */
  readonly method: string;
  readonly live: number;
  readonly hinted: number;
  readonly polled: number;
  readonly starting: number;
  /** Subscriptions with another listener than the present one, of which some are left after a change of the port. */
  readonly moving: number;
  /** When the server last said anything. */
  readonly heardAt: Instant | undefined;
  /** Why not everything is live; one line. */
  readonly trouble: string | undefined;
}

/** PORT. Hears of changes in the calendars of one server. Subscribes, renews, notices what was lost and begins anew by itself. */
export interface CalendarWatch {
  /** Who is to be watched from now on, in place of whoever was. Returns at once; never throws. Subscriptions come and go behind it, at the server's pace. */
  follow(mailboxes: ReadonlySet<MailboxAddress>): void;
  /** `starting` for somebody who is not followed. */
  modeOf(mailbox: MailboxAddress): WatchMode;
  status(): WatchStatus;
  /** Ends connections and timers. `unsubscribe`: also takes leave of the server, as far as it answers within two seconds. Safe to call twice. */
  close(options?: { readonly unsubscribe?: boolean }): Promise<void>;
}

/** PORT. One calendar server as presence uses it: reads calendars, exact to the second where the server can, and hears of their changes. */
export interface CalendarGateway {
  /** Unique; first in every line about it. */
  readonly description: string;
  readonly type: GatewayType;
  /** Reads with the gateway's own account; many mailboxes in one question where the server can. Its concurrency and time limit are the caller's. */
  readonly source: FreeBusySource;
  readonly watch: CalendarWatch;
  /**
   * Tries everything, for `presence check`; never throws, every failure is a finding.
   *
   * @param sample whose calendar the right to read is tried on; undefined: that nobody is named is said
   */
  probe(sample: MailboxAddress | undefined, ctx: RequestContext): Promise<readonly ProbeFinding[]>;
  close(options?: { readonly unsubscribe?: boolean }): Promise<void>;
}
