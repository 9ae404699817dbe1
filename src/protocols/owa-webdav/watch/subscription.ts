import { LIMITS } from '../../../core/limits.ts';

/** A subscription as the server knows it. */
export interface Subscription {
  readonly id: string;
  /** Where it is renewed, polled and ended (Content-Location), as the server gave it; undefined where it gave none. */
  readonly location: string | undefined;
  readonly lifetimeMs: number;
}

/** Headers of a new one (presence.md §B.4). Without a call-back it can be polled only. */
export function subscribeHeaders(callBack: string | undefined): Readonly<Record<string, string>> {
  return {
    'notification-type': 'update',
    depth: '1',
    ...(callBack === undefined ? {} : { 'call-back': callBack, 'notification-delay': String(LIMITS.webdavNotificationDelaySeconds) }),
    'subscription-lifetime': String(LIMITS.webdavSubscription.lifetimeMs / 1_000),
  };
}

/** Headers of a renewal: Call-Back, Notification-Type and Depth are forbidden there. */
export function renewalHeaders(ids: readonly string[]): Readonly<Record<string, string>> {
  return { ...idHeader(ids), 'subscription-lifetime': String(LIMITS.webdavSubscription.lifetimeMs / 1_000) };
}

/** Headers of POLL and UNSUBSCRIBE. */
export function idHeader(ids: readonly string[]): Readonly<Record<string, string>> {
  return { 'subscription-id': ids.join(',') };
}

/** Between which a granted lifetime is believed, in ms. */
export interface LifetimeBounds {
  readonly leastMs: number;
  readonly longestMs: number;
}

/** What the answer to a new subscription says; undefined where it has no id that could be sent back. */
export function subscribedOf(headers: Readonly<Record<string, string>>, bounds: LifetimeBounds): Subscription | undefined {
  const id = headers['subscription-id']?.trim();
  if (id === undefined || !isSubscriptionId(id)) return undefined;
  const location = headers['content-location']?.trim();
  return { id, location: location === '' ? undefined : location, lifetimeMs: lifetimeIn(headers, bounds) };
}

/** The lifetime that the server granted, within bounds; what was asked for where it says nothing. */
export function lifetimeIn(headers: Readonly<Record<string, string>>, { leastMs, longestMs }: LifetimeBounds): number {
  const { lifetimeMs } = LIMITS.webdavSubscription;
  const text = headers['subscription-lifetime']?.trim() ?? '';
  if (!/^\d{1,12}$/.test(text)) return lifetimeMs;
  return Math.min(Math.max(Number(text) * 1_000, leastMs), longestMs);
}

export function isSubscriptionId(text: string): boolean {
  return text.length <= LIMITS.webdavSubscriptionIdCharacters && /^[\w.{}-]+$/.test(text);
}

/**
 * The ids in a NOTIFY's head, distinct; an empty list where there are none: the notification is unsolicited, as when the store shuts down. What is no id is left out.
 */
export function idsInNotify(head: string): readonly string[] {
  const ids = new Set<string>();
  for (const line of head.split(/\r\n?|\n/).slice(1)) {
    const value = /^subscription-id[ \t]*:(.*)$/i.exec(line)?.[1];
    for (const part of value?.split(',') ?? []) if (isSubscriptionId(part.trim())) ids.add(part.trim());
  }
  return [...ids];
}

/** Whether a NOTIFY names ids at all, readable or not. */
export function namesIds(head: string): boolean {
  return /(?:^|[\r\n])subscription-id[ \t]*:[ \t]*\S/i.test(head);
}
