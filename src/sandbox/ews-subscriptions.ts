import { randomBytes } from 'node:crypto';
import { EwsFault } from './ews-envelope.ts';
import type { EventKind, MailboxEvent, MailboxEvents } from './ews-mailbox-events.ts';

export const SUBSCRIPTION_KINDS = ['push', 'pull', 'streaming'] as const;
export type SubscriptionKind = (typeof SUBSCRIPTION_KINDS)[number];

export interface NewSubscription {
  readonly kind: SubscriptionKind;
  /** As the mailbox has it. */
  readonly mailbox: string;
  readonly types: ReadonlySet<string>;
  /** The place in the mailbox's history behind which it tells. */
  readonly position: number;
  /** It ends when nobody has asked for so long; undefined: it ends in another way. */
  readonly lifetimeMs: number | undefined;
}

export interface Subscription extends NewSubscription {
  readonly id: string;
  position: number;
  /** By `performance.now()`: the clock of the calendars may stand still. */
  expiresAt: number;
  /** Ends what delivers for it: a push, or a streaming connection. */
  end: (() => void) | undefined;
}

/** What is to be told next. */
export interface Batch {
  readonly events: readonly MailboxEvent[];
  /** Where the subscription stands when this was told. */
  readonly position: number;
  readonly hasMore: boolean;
}

export interface Subscriptions {
  readonly count: number;
  /** @throws EwsFault ErrorExceededSubscriptionCount */
  add(subscription: NewSubscription): Subscription;
  /** Also one whose time is over, once; undefined where there is none. */
  find(id: string): Subscription | undefined;
  isExpired(subscription: Subscription): boolean;
  /** It was asked about: its lifetime begins anew. */
  touch(subscription: Subscription): void;
  remove(subscription: Subscription): void;
  of(kind: SubscriptionKind): readonly Subscription[];
  /** As a server that starts again. */
  forget(): void;
}

export function createSubscriptions(most: number): Subscriptions {
  const byId = new Map<string, Subscription>();
  const remove = (one: Subscription): void => {
    byId.delete(one.id);
    one.end?.();
  };
  const isExpired = (one: Subscription): boolean => one.expiresAt <= performance.now();
  return {
    get count() {
      return byId.size;
    },
    add(subscription) {
      if (byId.size >= most) for (const one of byId.values()) if (isExpired(one)) remove(one);
      if (byId.size >= most) throw new EwsFault('ErrorExceededSubscriptionCount', 'You have exceeded the available subscriptions for your account.');
      const added: Subscription = { ...subscription, id: randomBytes(18).toString('base64'), expiresAt: performance.now() + (subscription.lifetimeMs ?? Number.POSITIVE_INFINITY), end: undefined };
      byId.set(added.id, added);
      return added;
    },
    find: (id) => byId.get(id),
    isExpired,
    touch(one) {
      one.expiresAt = performance.now() + (one.lifetimeMs ?? Number.POSITIVE_INFINITY);
    },
    remove,
    of: (kind) => [...byId.values()].filter((one) => one.kind === kind),
    forget() {
      for (const one of [...byId.values()]) remove(one);
    },
  };
}

/** The next events of a subscription; undefined where the history no longer reaches back so far. */
export function nextBatch({ mailbox, types }: Subscription, from: number, events: MailboxEvents, most: number): Batch | undefined {
  const behind = events.after(mailbox, from);
  if (behind === undefined) return undefined;
  const matching = behind.filter((one) => types.has(one.kind satisfies EventKind));
  const told = matching.slice(0, most);
  const hasMore = told.length < matching.length;
  return { events: told, hasMore, position: hasMore ? told.at(-1)!.position : events.latest(mailbox) };
}
