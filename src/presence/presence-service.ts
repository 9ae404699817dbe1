import type { Instant } from '../core/clock.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { WatchMode, WatchStatus } from './gateway.ts';
import type { PresenceChange, PresenceState, ShownPresence } from './presence.ts';

/** Who switches something, for the audit log: `client zimbra`, `command root`, `file`. */
export interface Actor {
  readonly by: string;
  /** `api`, `command`, `file`, `gateway` (the last one is gone). */
  readonly via: string;
}

/** How it stands with somebody who may be shown. */
export interface OptInState {
  readonly mailbox: MailboxAddress;
  readonly isOptedIn: boolean;
  /** Who said so last, and when; undefined: nobody ever did. The file's own have no time. */
  readonly by: string | undefined;
  readonly at: Instant | undefined;
  /** Chosen for status texts; undefined: the configuration's. */
  readonly language: string | undefined;
}

/** What somebody other than the calendar says: the person (`manual`), a telephone, an idle machine. */
export const OWN_SOURCES = ['manual', 'phone', 'idle'] as const;
export type OwnSource = (typeof OWN_SOURCES)[number];

/** What each of them may say. */
export const OWN_STATES: Readonly<Record<OwnSource, readonly PresenceState[]>> = {
  manual: ['available', 'away', 'do-not-disturb', 'offline'],
  phone: ['on-the-phone'],
  idle: ['away'],
};

/** One of those who are shown, for status. */
export interface FollowedMailbox {
  readonly mailbox: MailboxAddress;
  readonly shown: ShownPresence;
  /** Description of its gateway; else the name of its system; undefined: it lives nowhere. */
  readonly through: string | undefined;
  readonly mode: WatchMode;
  /** When its calendar was last read. */
  readonly readAt: Instant | undefined;
  /** Why it cannot be read or watched; one line. */
  readonly trouble: string | undefined;
}

export interface PresenceStatus {
  readonly optedIn: number;
  readonly states: Readonly<Record<PresenceState, number>>;
  /** `label`: the original's words, "Exchange -- EWS Server" and "Exchange -- WebDAV"; of a system without a gateway its name. */
  readonly gateways: readonly { readonly description: string; readonly label: string; readonly mailboxes: number; readonly watch: WatchStatus }[];
  readonly publishers: readonly { readonly label: string; readonly waiting: number; readonly failing: number; readonly publishedAt: Instant | undefined; readonly trouble: string | undefined }[];
  /** Seconds in force. */
  readonly calendarSpread: number;
  /** Calendars that wait to be read again. */
  readonly readsWaiting: number;
  /** Of changes shown in the last hour, behind the planned instant. */
  readonly lagMs: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  /** Since the configuration was last applied, and what has still to move (a port, a frequency). */
  readonly appliedAt: Instant;
  readonly pending: readonly string[];
  /** Why nothing happens, where nothing can: no gateway, no publisher. */
  readonly idle: string | undefined;
}

/** One change as watchers get it; `id` begins anew with every process. */
export interface PresenceEvent extends PresenceChange {
  /** `<process>-<number>`, growing. */
  readonly id: string;
  readonly at: Instant;
}

/** What faces and commands ask of presence. Every address may be an alias: who it is is decided behind this. */
export interface PresenceService {
  /** Undefined for a mailbox that has not opted in, without asking anybody; one that cannot be read is `unknown`. Read from memory where changes are heard of, else asked for. */
  presenceOf(mailbox: MailboxAddress, ctx: RequestContext): Promise<ShownPresence | undefined>;
  /** Everybody who has opted in, as shown now; for a watcher who has missed something. */
  snapshot(): Iterable<PresenceChange>;
  /** Calls `listener` with every change from now on, or from behind `after` on. @returns `missed`: `after` is too old, or of another process; what stops it is `stop` */
  subscribe(listener: (event: PresenceEvent) => void, after?: string): { readonly missed: boolean; stop(): void };
  optInOf(mailbox: MailboxAddress): OptInState;
  optIns(): readonly OptInState[];
  /**
   * Switches on (its calendar is read, then shown) or off (withdrawn at once). Stored before it resolves. `true` where it was the other way before.
   *
   * @throws BridgeError NOT_FOUND where the mailbox lives nowhere; CONFIGURATION where presence has no gateway for its system; STORE_UNAVAILABLE
   */
  switch(mailbox: MailboxAddress, isOn: boolean, actor: Actor): Promise<boolean>;
  /** Of its status texts; undefined: the configuration's. @throws BridgeError STORE_UNAVAILABLE, INVALID_REQUEST (no language tag) */
  setLanguage(mailbox: MailboxAddress, language: string | undefined, actor: Actor): Promise<void>;
  /**
   * Says what another source says, until it says something else or `until` has come; undefined: nothing any more.
   *
   * @throws BridgeError INVALID_REQUEST where the source cannot say that (OWN_STATES), NOT_FOUND where the mailbox has not opted in, STORE_UNAVAILABLE
   */
  setOwn(mailbox: MailboxAddress, source: OwnSource, state: PresenceState | undefined, until: Instant | null, actor: Actor): Promise<void>;
  /** Reads calendars again, subscribes and publishes anew. How many that are. */
  resync(which: readonly MailboxAddress[] | 'all'): number;
  status(): PresenceStatus;
  followed(): Iterable<FollowedMailbox>;
}

/** Who has opted in, kept over restarts. */
export interface OptInBook {
  of(mailbox: MailboxAddress): OptInState;
  all(): readonly OptInState[];
  switch(mailbox: MailboxAddress, isOn: boolean, actor: Actor): Promise<boolean>;
  setLanguage(mailbox: MailboxAddress, language: string | undefined, actor: Actor): Promise<void>;
}
