import type { Instant } from '../../../core/clock.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { WatchMode } from '../../../presence/gateway.ts';
import { isSubscriptionId } from './subscription.ts';

/** A subscription that we hold. */
export interface Held {
  readonly id: string;
  /** Content-Location and the folder, as the server gave them. */
  readonly location: string | undefined;
  readonly folder: string;
  /** The URL that the server calls; undefined: it is polled only. */
  readonly callBack: string | undefined;
  /** Where that is heard; undefined where the URL is of a former life and cannot be had again. */
  readonly path: { readonly url: string; close(): void } | undefined;
  /** Of the call-back port, when the path was taken. */
  readonly generation: number | undefined;
  lifetimeMs: number;
  renewAt: Instant;
  expiresAt: Instant;
}

/** One calendar as SubscriptionWatch knows it. */
export interface WatchedCalendar {
  readonly mailbox: MailboxAddress;
  held: Held | undefined;
  mode: WatchMode;
  /** As the listener was told. */
  trouble: string | undefined;
  failures: number;
  /** It was notified, and not polled since. */
  isHinted: boolean;
  /** Something may have been missed: it has to be renewed before it is believed. */
  isDoubtful: boolean;
  /** The server did not take it together with others. */
  isAlone: boolean;
  /** POLL says nothing about it: notifications are believed as they are. */
  isPollVain: boolean;
  pollAt: Instant;
  polledAt: Instant;
  /** Nothing is tried before that, after something failed. */
  tryAt: Instant;
}

export function newWatched(mailbox: MailboxAddress, now: Instant): WatchedCalendar {
  return { mailbox, held: undefined, mode: 'starting', trouble: undefined, failures: 0, isHinted: false, isDoubtful: false, isAlone: false, isPollVain: false, pollAt: now, polledAt: -Infinity, tryAt: -Infinity };
}

/** What of a subscription outlives the process. */
export type KeptSubscription = Pick<Held, 'id' | 'location' | 'folder' | 'callBack' | 'lifetimeMs' | 'expiresAt'>;

const PREFIX = 'webdav-subscription ';

export function keptKey(mailbox: MailboxAddress): string {
  return PREFIX + mailbox;
}

/** The mailbox of a key; undefined where it is somebody else's key. */
export function mailboxOfKey(key: string): MailboxAddress | undefined {
  return key.startsWith(PREFIX) ? (key.slice(PREFIX.length) as MailboxAddress) : undefined;
}

export function encodeKept({ id, location, folder, callBack, lifetimeMs, expiresAt }: KeptSubscription): string {
  return JSON.stringify({ id, location, folder, callBack, lifetimeMs, expiresAt });
}

/** Undefined for what cannot be read, or has run out. */
export function decodeKept(text: string | undefined, now: Instant): KeptSubscription | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, location, folder, callBack, lifetimeMs, expiresAt } = value as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !isSubscriptionId(id) || typeof folder !== 'string' || typeof lifetimeMs !== 'number' || typeof expiresAt !== 'number' || !(expiresAt > now)) return undefined;
  return { id, folder, lifetimeMs, expiresAt, location: typeof location === 'string' ? location : undefined, callBack: typeof callBack === 'string' ? callBack : undefined };
}
